package app

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// shown are the lines of some metrics.
func shown(t *testing.T, a *App, names ...string) []string {
	t.Helper()
	_, body := ask(t, a, http.MethodGet, "/metrics")
	var all []string
	for line := range strings.Lines(body) {
		for _, name := range names {
			if strings.HasPrefix(line, name+"{") {
				all = append(all, strings.TrimSpace(line))
			}
		}
	}
	slices.Sort(all) // /metrics has no order within a family
	return all
}

// wholeStatus is what /api/v1/status says.
func wholeStatus(t *testing.T, a *App) (status web.Status) {
	t.Helper()
	_, body := ask(t, a, http.MethodGet, "/api/v1/status")
	require.NoError(t, json.Unmarshal([]byte(body), &status))
	return status
}

// statusOf is what /api/v1/status says of the only source.
func statusOf(t *testing.T, a *App) web.Source {
	t.Helper()
	return wholeStatus(t, a).Sources[0]
}

// feedOf is a feed of a source's status; nil without it.
func feedOf(s web.Source, name string) *web.Feed {
	for i := range s.Feeds {
		if s.Feeds[i].Feed == name {
			return &s.Feeds[i]
		}
	}
	return nil
}

// TestSnapshotFeed: a feed of snapshots blocks no other feed while its first read waits, a reload without it removes
// what it showed, and it leaves nothing in the ledger. TestLoop_ActiveCalls of collector has the rest.
func TestSnapshotFeed(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	provider := &acme{t: t, held: held, active: map[cdr.Direction]int{cdr.Inbound: 2, cdr.Outbound: 0}}
	folder := t.TempDir()
	a := start(t, provider.write(folder, "call_log: , active_calls: ", ""), provider.provider())
	require.Eventually(t, "ready while the first read of active calls waits", func() bool {
		code, _ := ask(t, a, http.MethodGet, "/-/ready")
		return code == http.StatusOK
	})
	checkStart(t, a)
	close(held)
	until(t, a, `cdr_active_calls{direction="inbound",feed="active_calls",provider="acme",source="office"} 2`)
	until(t, a, `cdr_active_calls{direction="outbound",feed="active_calls",provider="acme",source="office"} 0`)
	if feed := feedOf(statusOf(t, a), "active_calls"); feed == nil || feed.State != web.StateOK || feed.Records != 0 ||
		feed.Watermark.IsZero() || feed.LastSuccess.IsZero() {
		t.Errorf("the status is %+v", feed)
	}
	provider.calls(nil)
	require.Eventually(t, "the status says that it fails", func() bool {
		feed := feedOf(statusOf(t, a), "active_calls")
		return feed.State == web.StateError && feed.LastError == "no answer: wait"
	})
	provider.write(folder, "call_log: ", "")
	reload(t, a)
	if _, body := ask(t, a, http.MethodGet, "/metrics"); strings.Contains(body, "active_calls") {
		t.Error("active calls are shown after a reload without the feed")
	}
	if feedOf(statusOf(t, a), "active_calls") != nil {
		t.Error("the feed is in the status after a reload without it")
	}
	inspector, err := a.ledger.Inspect(t.Context())
	require.NoError(t, err)
	feeds, err := inspector.Feeds()
	if err := errors.Join(err, inspector.Close()); err != nil || len(feeds) != 1 || feeds[0].Feed != "call_log" {
		t.Errorf("the ledger knows %+v, %v, want call_log alone", feeds, err)
	}
}

// A credential that was replaced by one that doesn't end has no expiry any more, which an alert
// would compare with the time.
func TestCredentialExpiry(t *testing.T) {
	t.Parallel()
	const expiry = "cdr_exporter_credential_expiry_timestamp_seconds"
	var expires atomic.Int64
	expires.Store(2000000000)
	office := &acme{t: t, expiry: func() (at time.Time) {
		if seconds := expires.Load(); seconds != 0 {
			at = time.Unix(seconds, 0)
		}
		return at
	}}
	a := start(t, office.write(t.TempDir(), "call_log: ", ""), office.provider())
	if got := shown(t, a, expiry); !slices.Equal(got, []string{expiry + `{source="office"} 2e+09`}) {
		t.Errorf("of a credential that ends: %q", got)
	}
	expires.Store(0)
	if got := shown(t, a, expiry); got != nil {
		t.Errorf("of a credential that doesn't end: %q", got)
	}
}

// checkStart checks what is shown of active calls before their first read: no call, and
// the exporter's own at 0.
func checkStart(t *testing.T, a *App) {
	t.Helper()
	if got := shown(t, a, "cdr_active_calls"); got != nil {
		t.Errorf("before the first read: %q", got)
	}
	_, body := ask(t, a, http.MethodGet, "/metrics")
	of := `{feed="active_calls",source="office"} 0`
	for _, want := range []string{
		`cdr_exporter_polls_total{feed="active_calls",result="ok",source="office"} 0`,
		`cdr_exporter_polls_total{feed="active_calls",result="error",source="office"} 0`,
		`cdr_exporter_rows_total{feed="active_calls",result="new",source="office"} 0`,
		`cdr_exporter_rows_total{feed="active_calls",result="ignored",source="office"} 0`,
		"cdr_exporter_api_throttled_seconds_total" + of, "cdr_exporter_api_request_duration_seconds_count" + of,
		"cdr_exporter_last_success_timestamp_seconds" + of, "cdr_exporter_watermark_timestamp_seconds" + of,
		"cdr_exporter_newest_call_timestamp_seconds" + of, "cdr_exporter_catching_up" + of,
		"cdr_exporter_unreadable_seconds" + of,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("before the first read there is no %s", want)
		}
	}
	if feed := feedOf(statusOf(t, a), "active_calls"); feed == nil || !feed.Watermark.IsZero() ||
		feed.State != web.StateOK {
		t.Errorf("before the first read the status is %+v", feed)
	}
}

// TestReloadKeepsWhatIsUnchanged: a reload opens and closes nothing that the file still has, and
// requests that come together share one. A source that changes leaves the others as they are.
func TestReloadKeepsWhatIsUnchanged(t *testing.T) {
	t.Parallel()
	provider := &acme{t: t}
	provider.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	var read atomic.Int32 // how often the configuration was
	counting := provider.provider()
	counting.NewConfig = func() any {
		read.Add(1)
		return new(acmeConfig)
	}
	folder := t.TempDir()
	a := start(t, provider.write(folder, "active_calls: ", branch), counting)
	read.Store(0)
	before := a.running.Load().sources
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if err := a.Reload(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := read.Load(); n < 2 || n > 6 { // by one to three reloads of two sources
		t.Errorf("the configuration was read %d times", n)
	}
	if !slices.Equal(a.running.Load().sources, before) {
		t.Error("a source was opened again")
	}
	provider.write(folder, "call_log: , active_calls: ", branch)
	reload(t, a)
	if after := a.running.Load().sources; after[0] == before[0] || after[1] != before[1] {
		t.Error("a source that changes doesn't leave the other one as it is")
	}
	provider.mu.Lock()
	defer provider.mu.Unlock()
	if provider.opened != 3 {
		t.Errorf("sources were opened %d times", provider.opened)
	}
}
