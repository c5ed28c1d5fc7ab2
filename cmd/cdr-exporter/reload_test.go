package main_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// reload asks for a reload and expects a status.
func (x *exporter) reload(method string, status int) string {
	x.t.Helper()
	a, err := x.client.do(method, "/-/reload", nil)
	if err != nil {
		x.t.Fatalf("reload: %v", err)
	}
	if a.status != status {
		x.t.Fatalf("%s /-/reload answers %d, want %d: %s", method, a.status, status, a.body)
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
		return world(t, s)
	}
	n := newTenant(t, sim.Settings{
		PSTN:          slow(unfolding(seed, sim.PSTNMix(), 1_000)),
		DirectRouting: slow(unfolding(seed+1, sim.DirectRoutingMix(), 1_000)),
	})
	return n, n.Pause()
}

// TestReload: a good file is taken over by SIGHUP, POST and PUT, and
// nothing is lost or counted again.
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
	x.reload(http.MethodPost, http.StatusOK)
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

	n.configure(settings{
		OTLP:    r.overGRPC(""),
		Sources: []source{{PSTN: "{interval: 2s, lookback: 50h, late_after: 1h}"}},
	})
	x.signal(syscall.SIGHUP)
	x.logged("Reloaded the configuration")
	eventually(t, "take over twice", func() error {
		if len(linesWith(x.log.String(), "Reloaded the configuration")) < 2 {
			return fmt.Errorf("not logged yet")
		}
		return nil
	})
	x.reload(http.MethodPut, http.StatusOK)
	x.reload(http.MethodGet, http.StatusMethodNotAllowed)
	n.Advance(12 * time.Hour)
	at = append(at, n.Visible())
	x.counts(n, at...)
	x.lastReload(1)
	x.stop()
}

// TestBadReload (guarantee 9): a bad file changes nothing; the answer and
// the log have every problem, and no secret.
func TestBadReload(t *testing.T) {
	t.Parallel()
	n, began := lasting(t, 43)
	x := n.start(settings{}).ready()
	before := x.scrape()
	success, err := before.one("cdr_exporter_config_last_reload_success_timestamp_seconds")
	if err != nil {
		t.Fatal(err)
	}
	good := n.configure(settings{})
	n.vault.hide("an inline secret", "inline~hush~hush")
	n.configure(settings{More: "surprise: 1", Sources: []source{{
		History: "yesterday", Credential: "client_secret: inline~hush~hush\n      client_secrets: inline~hush~hush",
		PSTN: "{interval: 1ms}",
	}}})
	answer := x.reload(http.MethodPost, http.StatusInternalServerError)
	for _, key := range []string{"surprise", "history", "client_secrets", "pstn.interval"} {
		if lineWith(answer, good+":", key) == "" {
			t.Errorf("the answer to a bad reload lacks the problem of %s:\n%s", key, answer)
		}
	}
	x.logged("Reload of the configuration failed", "surprise")
	x.lastReload(0)
	if err := x.scrape().is(success, "cdr_exporter_config_last_reload_success_timestamp_seconds"); err != nil {
		t.Errorf("after a bad reload: %v", err)
	}
	n.Advance(12 * time.Hour)
	x.counts(n, began, n.Visible())

	n.configure(settings{Storage: "path: elsewhere"})
	if answer := x.reload(http.MethodPost, http.StatusInternalServerError); lineWith(answer, "storage.path",
		"restart") == "" {
		t.Errorf("the answer to a changed storage.path doesn't say that it needs a restart:\n%s", answer)
	}
	if _, err := os.Stat(n.path("elsewhere")); err == nil {
		t.Error("a refused reload made the new storage.path")
	}
	if err := os.Remove(good); err != nil {
		t.Fatal(err)
	}
	x.signal(syscall.SIGHUP)
	x.logged("Reload of the configuration failed", "can't be read")
	x.lastReload(0)

	n.configure(settings{})
	x.reload(http.MethodPost, http.StatusOK)
	x.lastReload(1)
	x.stop()
}

// TestFeedComesBack (counting.md 19): a feed that isn't configured isn't shown, and
// goes on from where it was when it comes back.
func TestFeedComesBack(t *testing.T) {
	t.Parallel()
	n, began := lasting(t, 45)
	x := n.start(settings{}).ready()
	x.counts(n, began)
	n.configure(settings{Sources: []source{{PSTN: "-"}}})
	x.reload(http.MethodPost, http.StatusOK)
	m := x.scrape()
	for name := range m {
		if series := m.series(name, "feed="+pstn); len(series) > 0 {
			t.Errorf("%s still has %d series of a feed that isn't configured", name, len(series))
		}
	}
	n.Advance(12 * time.Hour)
	x.countsFeed(n, n.source(), directRouting, began, n.Visible())
	n.Advance(12 * time.Hour)
	at := []time.Time{began, n.Visible()} // of pstn, which missed what was between

	n.configure(settings{})
	x.reload(http.MethodPost, http.StatusOK)
	x.countsFeed(n, n.source(), pstn, at...)
	x.stop()
	x = n.start(settings{}).ready()
	x.countsFeed(n, n.source(), pstn, at...)
	x.stop()
}

// TestRenamedSource (counting.md 19): a source takes over what it counted under its
// former name, once and for good.
func TestRenamedSource(t *testing.T) {
	t.Parallel()
	n, began := lasting(t, 47)
	x := n.start(settings{}).ready()
	x.counts(n, began)
	at := []time.Time{began}
	renamed := func() {
		t.Helper()
		for _, feed := range []string{pstn, directRouting} {
			x.countsFeed(n, "fabrikam", feed, at...)
		}
		m := x.scrape()
		for name := range m {
			if series := m.series(name, "source=contoso"); len(series) > 0 {
				t.Errorf("%s still has %d series under the former name", name, len(series))
			}
		}
	}
	n.configure(settings{Sources: []source{{Name: "fabrikam", RenamedFrom: "contoso"}}})
	x.reload(http.MethodPost, http.StatusOK)
	renamed()
	n.Advance(12 * time.Hour)
	at = append(at, n.Visible())
	renamed()
	x.stop()
	x = n.start(settings{Sources: []source{{Name: "fabrikam", RenamedFrom: "contoso"}}}).ready()
	renamed()
	x.stop()
	x = n.start(settings{Sources: []source{{Name: "fabrikam"}}}).ready()
	renamed()
	x.stop()
}

// TestReloadHarmsNothing: reloads at any rate ask for no token and stop no feed of what they don't
// change, although RingCentral gives five tokens a minute. A source that changes leaves the others
// as they are.
func TestReloadHarmsNothing(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{seed: 55, calls: 250, era: unfoldingEra, ringcentral: rcsim.Settings{Auth: 5}})
	e.hold()
	x := start(t, e.vault, launch{config: e.configure(settings{}), raced: true}).ready()
	x.countsAll(e)
	tokens := func() int { return e.office.Requests().Count(rcsim.EndpointToken)[0] }
	asked := tokens()
	storm := func() {
		var all sync.WaitGroup
		for i := range 60 {
			all.Go(func() {
				if i%10 == 0 {
					_ = x.cmd.Process.Signal(syscall.SIGHUP)
				}
				if a, err := x.client.do(http.MethodPost, "/-/reload", nil); err != nil || a.status != http.StatusOK {
					t.Errorf("reload: status %d, %v", a.status, err)
				}
			})
		}
		all.Wait()
	}
	for range 4 {
		storm()
	}
	e.pass(12 * time.Hour)
	x.countsAll(e)
	e.carrier.CallLog = "{interval: 2s, lookback: 48h, settle: 6s, whole_after: 1m}"
	for range 2 {
		e.configure(settings{})
		storm()
		e.carrier.CallLog = "{interval: 1s, lookback: 48h, settle: 6s, whole_after: 1m}"
	}
	e.pass(12 * time.Hour)
	x.countsAll(e)
	if got := tokens(); got != asked {
		t.Errorf("%d token requests by reloads that changed nothing", got-asked)
	}
	for _, line := range linesWith(x.log.String(), "Reading the feed failed") {
		// a day of Wavix rests on a slow machine: the interval is a second
		if !strings.Contains(line, "too many to read in full") {
			t.Errorf("a reload stopped a feed: %s", line)
		}
	}
	x.stop()
}
