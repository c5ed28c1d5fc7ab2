package app

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

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
	await(t, "nothing else tells whose fault it is",
		func() bool { return feedOf(statusOf(t, a), "records").State == "error" })
	post(t, hookURL(a, office), "call-4")
	await(t, "what can't be fetched is set aside",
		func() bool { return *feedOf(statusOf(t, a), "records").SetAside == 1 })
	until(t, a, `cdr_exporter_tasks{feed="records",source="office",state="set_aside"} 1`)
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
	await(t, "it is subscribed", func() bool {
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

// The listener is closed after a failed New, as after Stop without Start.
func TestFailedNewLeavesNoWebhook(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	settings := listen(p.writeSources(t.TempDir(), office), p)
	a, err := New(t.Context(), settings)
	require.NoError(t, err)
	address := a.WebhookAddr()
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
