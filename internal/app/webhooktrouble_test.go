package app

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

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
	await(t, "the status says that the account is another", func() bool {
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

// What can't work is refused at the start and by a reload, which then changes nothing.
func TestWebhooksThatCannotWork(t *testing.T) {
	t.Parallel()
	branch := notifyingSource{"branch", "b", office.path}
	for name, test := range map[string]struct {
		sources  []notifyingSource
		deaf     bool
		problems []string
	}{
		"no listener": {
			[]notifyingSource{office},
			true,
			[]string{"webhook of office/records", "--webhook.listen-address"},
		},
		"the same way": {
			[]notifyingSource{office, branch},
			false,
			[]string{"office/records and branch/records", office.path},
		},
		"both": {
			[]notifyingSource{office, branch},
			true,
			[]string{"webhook of office/records", "webhook of branch/records", "office/records and branch/records"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, folder := newNotifying(t), t.TempDir()
			settings := listen(p.writeSources(folder, test.sources...), p)
			if test.deaf {
				settings.WebhookAddresses = nil
			}
			_, err := New(t.Context(), settings)
			checkProblems(t, err, test.problems)
			p.writeSources(folder, notifyingSource{"office", "a", ""})
			a := startWith(t, settings)
			p.writeSources(folder, test.sources...)
			checkProblems(t, a.Reload(), test.problems)
			if code, _ := ask(t, a, http.MethodGet, "/-/healthy"); code != http.StatusOK ||
				len(a.running.Load().sources) != 1 {
				t.Errorf("something changed: %d, %d sources", code, len(a.running.Load().sources))
			}
		})
	}
}

func checkProblems(t *testing.T, err error, problems []string) {
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
	await(t, "the panic is logged", func() bool { return strings.Contains(log.String(), "as requested") })
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
