package main_test

import (
	"fmt"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// reload asks for a reload and expects a status.
func (x *exporter) reload(status int) string {
	x.t.Helper()
	a, err := x.client.do(http.MethodPost, "/-/reload", nil)
	if err != nil {
		x.t.Fatalf("reload: %v", err)
	}
	if a.status != status {
		x.t.Fatalf("/-/reload answers %d, want %d: %s", a.status, status, a.body)
	}
	return string(a.body)
}

// lastReload expects how the metrics show the last reload.
func (x *exporter) lastReload(successful float64) {
	x.t.Helper()
	if err := x.scrape().is(successful, "cdr_exporter_config_last_reload_successful"); err != nil {
		x.t.Error(err)
	}
}

// lasting is a tenant of both feeds, held at an instant at which many of its calls
// are yet to be published.
func lasting(t *testing.T, seed uint64) (*tenant, time.Time) {
	slow := func(s simulator.Settings) *simulator.World {
		s.Delays = []simulator.Delay{{Weight: 1, Max: 40 * time.Hour}}
		return simulator.NewWorld(s)
	}
	n := newTenant(t, sim.Settings{
		PSTN:          slow(unfolding(seed, sim.PSTNMix(), 1_000)),
		DirectRouting: slow(unfolding(seed+1, sim.DirectRoutingMix(), 1_000)),
	})
	return n, n.Pause()
}

// TestReload (guarantee 9): a good file is taken over by SIGHUP and POST, and nothing is lost or
// counted again. A bad file changes nothing; the answer and the log have every problem, and no secret.
func TestReload(t *testing.T) {
	t.Parallel()
	n, began := lasting(t, 41)
	r := newReceiver(t, n.vault, otlpsink.Settings{})
	x := n.start(settings{}).ready()
	x.counts(n, began)
	x.lastReload(1)
	n.Advance(12 * time.Hour)
	at := []time.Time{began, n.Visible()}

	n.configure(settings{OTLP: r.overHTTP("")})
	x.reload(http.StatusOK)
	x.counts(n, at...)
	r.agrees(x)
	for feed, w := range n.worlds {
		want := view(w, at...).Records - view(w, began).Records
		eventually(t, "deliver what was counted since OTLP is on", func() error {
			if got := r.calls(n, feed, eventCall); got != want || want == 0 {
				return fmt.Errorf("%d log records of %s have come, want %d", got, feed, want)
			}
			return nil
		})
	}

	success, err := x.scrape().one("cdr_exporter_config_last_reload_success_timestamp_seconds")
	require.NoError(t, err)
	n.vault.hide("an inline secret", "inline~hush~hush")
	file := n.configure(settings{More: "surprise: 1", Sources: []source{{
		History: "yesterday", Credential: "client_secret: inline~hush~hush\n      client_secrets: inline~hush~hush",
		PSTN: "{interval: 1ms}",
	}}})
	answer := x.reload(http.StatusInternalServerError)
	for _, key := range []string{"surprise", "history", "client_secrets", "pstn.interval"} {
		if lineWith(answer, file+":", key) == "" {
			t.Errorf("the answer to a bad reload lacks the problem of %s:\n%s", key, answer)
		}
	}
	x.logged("Reload of the configuration failed", "surprise")
	x.lastReload(0)
	if err := x.scrape().is(success, "cdr_exporter_config_last_reload_success_timestamp_seconds"); err != nil {
		t.Errorf("after a bad reload: %v", err)
	}
	n.Advance(12 * time.Hour)
	at = append(at, n.Visible())
	x.counts(n, at...)
	n.configure(settings{Storage: "path: elsewhere"})
	if answer := x.reload(http.StatusInternalServerError); lineWith(answer, "storage.path",
		"restart") == "" {
		t.Errorf("the answer to a changed storage.path doesn't say that it needs a restart:\n%s", answer)
	}
	if _, err := os.Stat(n.path("elsewhere")); err == nil {
		t.Error("a refused reload made the new storage.path")
	}
	require.NoError(t, os.Remove(file))
	x.signal(syscall.SIGHUP)
	x.logged("Reload of the configuration failed", "can't be read")
	x.lastReload(0)

	n.configure(settings{
		OTLP:    r.overGRPC(""),
		Sources: []source{{PSTN: "{interval: 2s, lookback: 50h, late_after: 1h}"}},
	})
	x.signal(syscall.SIGHUP)
	x.loggedTimes(2, "Reloaded the configuration")
	n.Advance(12 * time.Hour)
	x.counts(n, append(at, n.Visible())...)
	x.lastReload(1)
	x.stop()
}
