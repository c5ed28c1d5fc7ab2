package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// office is the source of most of these tests.
var office = notifyingSource{"office", "a", "/webhooks/office"}

// listen are settings with a listener for notifications.
func listen(file string, p *acme) Settings {
	return Settings{
		ConfigFile: file, ListenAddresses: []string{"127.0.0.1:0"}, WebhookAddresses: []string{"127.0.0.1:0"},
		Providers: []collector.Provider{p.provider()},
	}
}

// startWith starts a daemon until the test ends.
func startWith(t *testing.T, settings Settings) *App {
	t.Helper()
	a, err := New(t.Context(), settings)
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	require.NoError(t, a.Start())
	return a
}

// post sends a notification and returns the answer.
func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	code, text, err := tryPost(t.Context(), &http.Transport{DisableKeepAlives: true}, url, body)
	require.NoError(t, err)
	return code, text
}

func tryPost(ctx context.Context, transport *http.Transport, url, body string) (int, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	answer, err := (&http.Client{Transport: transport}).Do(request)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// awaitRest waits until the list isn't due for long.
func awaitRest(t *testing.T, a *App) {
	t.Helper()
	require.Eventually(t, "nothing is due", func() bool {
		return time.Until(feedOf(statusOf(t, a), "records").NextRead.Time) > 10*time.Minute
	})
}

// WebhookAddr is the address of the first listener for notifications.
func (a *App) WebhookAddr() string { return a.webhooks.port.Listeners[0].Addr().String() }

// hookURL is where a source's notifications go.
func hookURL(a *App, s notifyingSource) string { return "http://" + a.WebhookAddr() + s.path }

// newRows is the metric line for n new rows.
func newRows(n int) string {
	return fmt.Sprintf(`cdr_exporter_rows_total{feed="records",result="new",source="office"} %d`, n)
}

// A notification is followed by the fetching, though the list isn't due for hours; what
// was given up is shown.
func TestNotificationWakesTheFeed(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	a := startWith(t, listen(p.writeSources(t.TempDir(), office), p))
	awaitRest(t, a)
	for n := 1; n <= 3; n++ {
		if code, _ := post(t, hookURL(a, office), fmt.Sprint("call-", n)); code != http.StatusAccepted {
			t.Fatalf("got %d", code)
		}
		p.begun() // well before the list is due
		until(t, a, newRows(n))
	}
	post(t, hookURL(a, office), "gone")
	require.Eventually(t, "nothing else tells whose fault it is",
		func() bool { return feedOf(statusOf(t, a), "records").State == "error" })
	post(t, hookURL(a, office), "call-4")
	require.Eventually(t, "what can't be fetched is set aside",
		func() bool { return *feedOf(statusOf(t, a), "records").SetAside == 1 })
	until(t, a, `cdr_exporter_tasks{feed="records",source="office",state="record_set_aside"} 1`)
	until(t, a, `cdr_exporter_tasks{feed="records",source="office",state="waiting"} 0`)
}

// A reload replaces the paths. A source that is notified no more shows nothing of it.
func TestReloadReplacesWebhooks(t *testing.T) {
	t.Parallel()
	const accepted = `cdr_notifications_total{result="accepted",source="office"}`
	p, folder := newNotifying(t), t.TempDir()
	p.maintain = func(context.Context) error { return nil }
	a := startWith(t, listen(p.writeSources(folder, office), p))
	until(t, a, accepted+" 0")
	require.Eventually(t, "it is subscribed", func() bool {
		s := statusOf(t, a).Subscription
		return s != nil && !s.Expires.IsZero()
	})
	post(t, hookURL(a, office), "one")
	if s := statusOf(t, a).Subscription; s.LastNotification.IsZero() {
		t.Errorf("the status has %+v", s)
	}
	moved := notifyingSource{"office", "a", "/elsewhere"}
	p.writeSources(folder, moved)
	reload(t, a)
	if code, _ := post(t, hookURL(a, office), "two"); code != http.StatusNotFound {
		t.Errorf("the former path: got %d", code)
	}
	if code, _ := post(t, hookURL(a, moved), "three"); code != http.StatusAccepted {
		t.Errorf("the new path: got %d", code)
	}
	until(t, a, newRows(2))
	until(t, a, accepted+" 2")
	p.writeSources(folder, notifyingSource{"office", "a", ""})
	reload(t, a)
	if code, _ := post(t, hookURL(a, moved), "four"); code != http.StatusNotFound {
		t.Errorf("without a webhook: got %d", code)
	}
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for _, gone := range []string{
		"cdr_notifications_total{", "cdr_subscription_expiry_timestamp_seconds{",
		"cdr_subscription_last_notification_timestamp_seconds{",
	} {
		if strings.Contains(body, gone) {
			t.Errorf("%s} is shown without a webhook", gone)
		}
	}
	if s := statusOf(t, a); s.Subscription != nil {
		t.Errorf("the status has %+v", s.Subscription)
	}
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
	a, err := New(t.Context(), listen(p.writeSources(t.TempDir(), office), p))
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Stop() })
	require.NoError(t, a.Start())
	if got := <-kept; got != "200 hello <nil>" {
		t.Errorf("got %s", got)
	}
}

// A failed New leaves nothing open, nor does Stop without Start: the ledger's lock is free, and so are both ports.
func TestFailedNewLeavesNothing(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	settings := listen(p.writeSources(t.TempDir(), office), p)
	a, err := New(t.Context(), settings)
	require.NoError(t, err)
	address := a.WebhookAddr()
	settings.ListenAddresses = []string{a.Addr()}
	require.NoError(t, a.Stop())
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
		feed := collector.FeedInfo{Name: "cdr", Posted: func([]work.Item) *collector.Page { return nil }}
		feed.Webhook = &collector.Webhook{
			Path: "/push/pbx", NeedsTLS: !c.insecure,
			Handler: func(collector.Inbox) http.Handler { return nil },
		}
		err := a.makeHooks(&running{sources: []*source{{
			config: &config.Source{Name: "pbx"},
			opened: &collector.Source{Feeds: []collector.FeedInfo{feed}},
		}}})
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// Without its state a feed takes nothing: the provider sends it again later.
func TestNotificationThatCannotBeKept(t *testing.T) {
	t.Parallel()
	p, folder := newNotifying(t), t.TempDir()
	var log require.Output
	settings := listen(p.writeSources(folder, office), p)
	settings.Logger = slog.New(slog.NewTextHandler(&log, nil))
	a := startWith(t, settings)
	post(t, hookURL(a, office), "one")
	until(t, a, newRows(1))
	p.writeSources(folder, notifyingSource{"office", "another", office.path})
	reload(t, a)
	for range 200 {
		if code, _ := post(t, hookURL(a, office), "two"); code != http.StatusServiceUnavailable {
			t.Fatalf("got %d", code)
		}
	}
	if n := strings.Count(log.String(), "Can't store"); n == 0 || n > 60 {
		t.Errorf("%d lines for 200 notifications that can't be stored", n)
	}
	if feed := feedOf(statusOf(t, a), "records"); feed.Waiting != nil {
		t.Errorf("%d wait in a state that isn't open", *feed.Waiting)
	}
	require.Eventually(t, "the status says that the account is another", func() bool {
		feed := feedOf(statusOf(t, a), "records")
		return feed.State == web.StateError && strings.Contains(feed.LastError, "another account")
	})
	p.writeSources(folder, office)
	reload(t, a)
	if code, _ := post(t, hookURL(a, office), "two"); code != http.StatusAccepted {
		t.Errorf("with its own account again: got %d", code)
	}
	until(t, a, newRows(2))
}

// What can't work is refused at the start, every problem at once, and by a reload, which then changes nothing.
func TestWebhooksThatCannotWork(t *testing.T) {
	t.Parallel()
	p, folder, branch := newNotifying(t), t.TempDir(), notifyingSource{"branch", "b", office.path}
	settings := listen(p.writeSources(folder, office, branch), p)
	deaf := settings
	deaf.WebhookAddresses = nil
	_, err := New(t.Context(), deaf)
	checkProblems(t, err, "webhook of office/records", "webhook of branch/records", "--webhook.listen-address",
		"office/records and branch/records", office.path)
	p.writeSources(folder, notifyingSource{"office", "a", ""})
	a := startWith(t, settings)
	p.writeSources(folder, office, branch)
	checkProblems(t, a.Reload(), "office/records and branch/records", office.path)
	if code, _ := ask(t, a, http.MethodGet, "/-/healthy"); code != http.StatusOK || len(a.running.Load().sources) != 1 {
		t.Errorf("something changed: %d, %d sources", code, len(a.running.Load().sources))
	}
}

func checkProblems(t *testing.T, err error, problems ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("it wasn't refused")
	}
	for _, want := range problems {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

// A handler that panics fails one request, which the provider sends again. The panic is logged, requests of strangers
// never are.
func TestWebhookLog(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	var log require.Output
	settings := listen(p.writeSources(t.TempDir(), office), p)
	settings.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	a := startWith(t, settings)
	if _, _, err := tryPost(t.Context(), &http.Transport{}, hookURL(a, office)+"?say=panic", ""); err == nil {
		t.Error("an answer came")
	}
	require.Eventually(t, "the panic is logged", func() bool { return strings.Contains(log.String(), "as requested") })
	if code, _ := post(t, hookURL(a, office), "one"); code != http.StatusAccepted {
		t.Errorf("afterwards: got %d", code)
	}
	post(t, hookURL(a, office)+"?say=hush-query", "")
	post(t, "http://"+a.WebhookAddr()+"/hush-path?hush-query", "hush-body")
	require.NoError(t, a.Stop())
	if got := log.String(); strings.Contains(got, "hush-") {
		t.Errorf("a stranger's words were logged:\n%s", got)
	}
}
