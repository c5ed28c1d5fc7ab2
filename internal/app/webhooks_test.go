package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/web"
)

// A notification is answered at once, whatever fetching does; what it named is durable
// by then, shown as waiting, and fetched by the next process.
func TestNotificationIsDurableWhenItIsAnswered(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	release := p.hold()
	settings := listen(p.write(t.TempDir(), office), p)
	a := startWith(t, settings)
	if code, _ := post(t, hookURL(a, office), "one two"); code != http.StatusAccepted {
		t.Fatalf("got %d", code)
	}
	p.begun()
	if code, _ := post(t, hookURL(a, office), "two three"); code != http.StatusAccepted {
		t.Fatalf("while it fetches: got %d", code)
	}
	feed := feedOf(statusOf(t, a), "records")
	if feed.Waiting == nil || *feed.Waiting != 3 || feed.SetAside == nil || *feed.SetAside != 0 {
		t.Errorf("the status is %+v", feed)
	}
	until(t, a, `cdr_notifications_total{result="accepted",source="office"} 3`)
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := tryPost(t.Context(), &http.Transport{}, hookURL(a, office), "four"); err == nil {
		t.Error("it answers after the daemon was stopped")
	}
	release()
	b := startWith(t, settings)
	until(t, b, newRows(3))
	await(t, "nothing waits", func() bool { return *feedOf(statusOf(t, b), "records").Waiting == 0 })
}

// A notification is followed by the fetching, though the list isn't due for hours; what
// was given up is shown.
func TestNotificationWakesTheFeed(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	a := startWith(t, listen(p.write(t.TempDir(), office), p))
	awaitRest(t, a)
	for n := 1; n <= 3; n++ {
		if code, _ := post(t, hookURL(a, office), fmt.Sprint("call-", n)); code != http.StatusAccepted {
			t.Fatalf("got %d", code)
		}
		p.begun() // well before the list is due
		until(t, a, newRows(n))
	}
	post(t, hookURL(a, office), "gone")
	await(t, "nothing else tells whose fault it is", func() bool { return feedOf(statusOf(t, a), "records").State == "error" })
	post(t, hookURL(a, office), "call-4")
	await(t, "what can't be fetched is set aside", func() bool { return *feedOf(statusOf(t, a), "records").SetAside == 1 })
	until(t, a, `cdr_exporter_tasks{feed="records",source="office",state="set_aside"} 1`)
	until(t, a, `cdr_exporter_tasks{feed="records",source="office",state="waiting"} 0`)
}

// Nothing but the configured paths is answered on the listener, and these nowhere else.
func TestWebhookPaths(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	a := startWith(t, listen(p.write(t.TempDir(), office), p))
	for _, path := range []string{
		"/", "/metrics", "/-/healthy", "/-/reload", "/api/v1/status", office.path + "/", office.path + "/more", "/webhooks",
		strings.ToUpper(office.path), "//webhooks/office", "/x/.." + office.path,
	} {
		if code, body := post(t, "http://"+a.WebhookAddr()+path, "one"); code != http.StatusNotFound || body != "Not found.\n" {
			t.Errorf("%s: got %d %q", path, code, body)
		}
	}
	if code, body := post(t, hookURL(a, office)+"?say=hello", ""); code != http.StatusOK || body != "hello" {
		t.Errorf("the handshake: got %d %q", code, body)
	}
	if code, _ := post(t, "http://"+a.Addr()+office.path, "one"); code != http.StatusNotFound {
		t.Errorf("the metrics port: got %d", code)
	}
}

// A reload replaces the paths. A source that is notified no more shows nothing of it.
func TestReloadReplacesWebhooks(t *testing.T) {
	t.Parallel()
	const accepted = `cdr_notifications_total{result="accepted",source="office"}`
	p, folder := newNotifying(t), t.TempDir()
	p.maintain = func(context.Context) error { return nil }
	a := startWith(t, listen(p.write(folder, office), p))
	until(t, a, accepted+" 0")
	await(t, "it is subscribed", func() bool {
		s := statusOf(t, a).Subscription
		return s != nil && !s.Expires.IsZero()
	})
	post(t, hookURL(a, office), "one")
	if s := statusOf(t, a).Subscription; s.LastNotification.IsZero() {
		t.Errorf("the status has %+v", s)
	}
	moved := notifyingSource{"office", "a", "/elsewhere"}
	p.write(folder, moved)
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	if code, _ := post(t, hookURL(a, office), "two"); code != http.StatusNotFound {
		t.Errorf("the former path: got %d", code)
	}
	if code, _ := post(t, hookURL(a, moved), "three"); code != http.StatusAccepted {
		t.Errorf("the new path: got %d", code)
	}
	until(t, a, newRows(2))
	until(t, a, accepted+" 2")
	p.write(folder, notifyingSource{"office", "a", ""})
	if err := a.Reload(); err != nil {
		t.Fatal(err)
	}
	if code, _ := post(t, hookURL(a, moved), "four"); code != http.StatusNotFound {
		t.Errorf("without a webhook: got %d", code)
	}
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for _, gone := range []string{"cdr_notifications_total{", "cdr_subscription_expiry_timestamp_seconds{", "cdr_subscription_last_notification_timestamp_seconds{"} {
		if strings.Contains(body, gone) {
			t.Errorf("%s} is shown without a webhook", gone)
		}
	}
	if s := statusOf(t, a); s.Subscription != nil {
		t.Errorf("the status has %+v", s.Subscription)
	}
}

// Notifications during a reload are answered, by the former webhook or the new one, and
// none is lost.
func TestNotificationsDuringReloads(t *testing.T) {
	t.Parallel()
	const senders, each = 4, 25
	p := newNotifying(t)
	a := startWith(t, listen(p.write(t.TempDir(), office), p))
	var group sync.WaitGroup
	for s := range senders {
		group.Go(func() {
			for n := range each {
				code, _, err := tryPost(t.Context(), &http.Transport{DisableKeepAlives: true}, hookURL(a, office), fmt.Sprintf("call-%d-%d", s, n))
				if err != nil || code != http.StatusAccepted {
					t.Errorf("got %d, %v", code, err)
				}
			}
		})
	}
	for range 3 {
		if err := a.Reload(); err != nil {
			t.Error(err)
		}
	}
	group.Wait()
	until(t, a, newRows(senders*each))
}

// A subscription is made while the loops start: the address answers by then.
func TestWebhookAnswersBeforeTheSubscription(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	var a *App
	kept := make(chan string, 10)
	p.maintain = func(ctx context.Context) error {
		code, body, err := tryPost(ctx, &http.Transport{DisableKeepAlives: true}, hookURL(a, office)+"?say=hello", "")
		kept <- fmt.Sprintf("%d %s %v", code, body, err)
		return err
	}
	a, err := New(t.Context(), listen(p.write(t.TempDir(), office), p))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop() })
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	if got := <-kept; got != "200 hello <nil>" {
		t.Errorf("got %s", got)
	}
}

// The listener is closed after a failed New, as after Stop without Start.
func TestFailedNewLeavesNoWebhook(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	settings := listen(p.write(t.TempDir(), office), p)
	a, err := New(t.Context(), settings)
	if err != nil {
		t.Fatal(err)
	}
	address := a.WebhookAddr()
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	settings.WebhookAddresses = []string{address, "not an address"}
	if _, err := New(t.Context(), settings); err == nil || !strings.Contains(err.Error(), "not an address") {
		t.Fatalf("got %v", err)
	}
	settings.WebhookAddresses = []string{address}
	settings.WebhookConfigFile = filepath.Join(t.TempDir(), "none.yml")
	if _, err := New(t.Context(), settings); err == nil || !strings.Contains(err.Error(), "none.yml") {
		t.Fatalf("got %v", err)
	}
	settings.WebhookConfigFile = ""
	if a := startWith(t, settings); a.WebhookAddr() != address {
		t.Errorf("got %s", a.WebhookAddr())
	}
}

// The listener may have several addresses, and TLS of its own.
func TestWebhookOverTLS(t *testing.T) {
	t.Parallel()
	p, folder := newNotifying(t), t.TempDir()
	pool := writeCertificate(t, folder)
	settings := listen(p.write(folder, office), p)
	settings.WebhookAddresses = []string{"127.0.0.1:0", "127.0.0.1:0"}
	settings.WebhookConfigFile = filepath.Join(folder, "web.yml")
	text := "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n"
	if err := os.WriteFile(settings.WebhookConfigFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	a := startWith(t, settings)
	trusting := func(pool *x509.CertPool) *http.Transport {
		return &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	}
	for i, l := range a.webhooks.port.Listeners {
		address := l.Addr().String() + office.path
		code, _, err := tryPost(t.Context(), trusting(pool), "https://"+address, fmt.Sprint("call-", i))
		if err != nil || code != http.StatusAccepted {
			t.Errorf("got %d, %v", code, err)
		}
		if code, _, err := tryPost(t.Context(), &http.Transport{}, "http://"+address, "two"); err != nil || code != http.StatusBadRequest {
			t.Errorf("in clear: got %d, %v", code, err)
		}
	}
	if _, _, err := tryPost(t.Context(), trusting(x509.NewCertPool()), "https://"+a.WebhookAddr()+office.path, "two"); err == nil {
		t.Error("the certificate was trusted by who doesn't know it")
	}
	until(t, a, newRows(2)) // and the metrics port speaks without TLS
}

// The secret that a provider derives is the same in each process, and differs by purpose.
func TestProvidersDerive(t *testing.T) {
	t.Parallel()
	p, folder := newNotifying(t), t.TempDir()
	var secrets []string
	for range 2 {
		a := startWith(t, listen(p.write(folder, office), p))
		secrets = append(secrets, string(p.settings.Derive("webhook")))
		if other := string(p.settings.Derive("another")); slices.Contains(secrets, other) || len(other) < 16 {
			t.Errorf("another purpose has the secret %q", other)
		}
		if err := a.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if secrets[0] != secrets[1] {
		t.Error("it changed with the process")
	}
}

// With a webhook the list is read half as often, and is behind only by that.
func TestPollInterval(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		info collector.FeedInfo
		want time.Duration
	}{
		"alone":          {collector.FeedInfo{Interval: time.Minute}, time.Minute},
		"with a webhook": {collector.FeedInfo{Interval: time.Minute, Webhook: &collector.Webhook{}}, 2 * time.Minute},
	} {
		if got := test.info.PollInterval(); got != test.want {
			t.Errorf("%s: got %s, want %s", name, got, test.want)
		}
	}
}

// The ledger is told how the feed's records are known again.
func TestSpecOfAFeed(t *testing.T) {
	t.Parallel()
	info := collector.FeedInfo{Name: "records", Fingerprint: "a", Rules: collector.Rules{StartMoves: true, Parents: true}, Lookback: time.Hour}
	info.Properties.Reasons = true
	got := SpecOf(&config.Source{Name: "office", ProviderName: "notifying", History: time.Minute}, &info)
	want := ledger.FeedSpec{
		Settings: counting.Settings{
			Source: "office", Provider: "notifying", Feed: "records", History: time.Minute, Lookback: time.Hour, Rules: collector.Rules{StartMoves: true, Parents: true},
		},
		Fingerprint: "a",
	}
	if got != want {
		t.Errorf("got %+v", got)
	}
}

// While fetching fails, notifications are kept and say nothing of success.
func TestNotificationsWhileFetchingFails(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	p.trouble = errTrouble
	a := startWith(t, listen(p.write(t.TempDir(), office), p))
	awaitRest(t, a)
	post(t, hookURL(a, office), "one")
	await(t, "the failure shows", func() bool { return feedOf(statusOf(t, a), "records").State == web.StateError })
	failed := statusOf(t, a).Feeds[0].LastSuccess
	for n := range 20 {
		if code, _ := post(t, hookURL(a, office), fmt.Sprint("call-", n)); code != http.StatusAccepted {
			t.Fatalf("got %d", code)
		}
	}
	feed := statusOf(t, a).Feeds[0]
	if feed.State != web.StateError || !strings.Contains(feed.LastError, errTrouble.Error()) || *feed.Waiting != 21 {
		t.Errorf("the status is %+v", feed)
	}
	if feed.LastSuccess != failed {
		t.Error("notifications alone were taken for a success of reading")
	}
	p.mu.Lock()
	p.trouble = nil
	p.mu.Unlock()
	until(t, a, newRows(21))
}

// Records that are posted don't go through the network in the clear unless the source says so.
func TestPostedRecordsNeedTLS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, address string
		insecure      bool
		want          string
	}{
		{"loopback", "127.0.0.1:0", false, ""},
		{"a name of it", "localhost:0", false, ""},
		{"all interfaces", ":0", false, "insecure_http: true"},
		{"another address", "0.0.0.0:0", false, "insecure_http: true"},
		{"said so", ":0", true, ""},
		{"no listener", "", false, "start with --webhook.listen-address"},
	} {
		a := &App{}
		if c.address != "" {
			a.settings.WebhookAddresses = []string{c.address}
		}
		feed := collector.FeedInfo{Name: "cdr", Posted: func([]collector.Task) *collector.Page { return nil }}
		feed.Webhook = &collector.Webhook{Path: "/push/pbx", NeedsTLS: !c.insecure, Handler: func(collector.Inbox) http.Handler { return nil }}
		err := a.makeHooks(&running{sources: []*source{{config: &config.Source{Name: "pbx"}, opened: &collector.Source{Feeds: []collector.FeedInfo{feed}}}}})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
