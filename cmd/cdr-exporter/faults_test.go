package main_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// everyFault are all faults after which the same read, or the next, succeeds; in the
// short run those of each kind's first.
func everyFault() []simulator.Fault {
	graphs := []simulator.Fault{sim.ExpiredToken, sim.ExpiredLink400, sim.ExpiredLink410, sim.RepeatedLink}
	kinds := [][]simulator.Fault{simulator.Transient(), {simulator.Slow}, graphs, sim.Harmless()}
	if testing.Short() {
		for i := range kinds {
			kinds[i] = kinds[i][:1]
		}
	}
	return slices.Concat(kinds...)
}

// eachOnce makes the next requests meet every fault once, with a good answer after
// each.
func eachOnce(f *simulator.Faults, endpoint string, faults []simulator.Fault) {
	for _, fault := range faults {
		f.Once(endpoint, fault, simulator.NoFault)
	}
}

// TestFaults (guarantee 7; counting.md 9, 26): whatever goes wrong between the
// provider and us loses nothing and counts nothing twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 7, SlowFor: time.Second})
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, unfolding(7, sim.PSTNMix(), size(3_000))),
		DirectRouting: world(t, unfolding(8, sim.DirectRoutingMix(), size(3_000))),
		PageSize:      size(100), Faults: faults,
	})
	for _, endpoint := range []string{sim.EndpointPSTN, sim.EndpointDirectRouting} {
		eachOnce(faults, endpoint, everyFault())
		faults.Rate(endpoint, 0.02, slices.Concat(simulator.Transient(), sim.Harmless())...)
	}
	faults.Once(sim.EndpointToken, simulator.Unavailable, simulator.Throttle, simulator.HTMLOK, simulator.CutLength, simulator.Reset)
	r := newReceiver(t, n.vault, otlpsink.Settings{})
	began := n.Pause()
	x := n.start(settings{OTLP: r.overHTTP("")}).ready()
	n.ExpireTokens()
	eventually(t, "meet every fault", func() error {
		x.running()
		if left := faults.Pending(); left > 0 {
			return fmt.Errorf("%d faults have not happened yet", left)
		}
		return nil
	})
	at := x.unfold(n, began)
	faults.Stop()
	n.Advance(12 * time.Hour)
	x.caughtUp(n, pstn, directRouting)
	x.counts(n, at...)
	x.rows(n, at...)
	for feed, w := range n.worlds {
		r.delivered(w, feed, at...)
	}
	x.stop()
}

// TestHostileLink (guarantee 8): a next link to another host is refused, and nobody
// comes there, with or without a token.
func TestHostileLink(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 9})
	n := newTenant(t, sim.Settings{
		PSTN:     world(t, past(9, sim.PSTNMix(), size(1_000))),
		PageSize: 50, Faults: faults,
	})
	faults.Once(sim.EndpointPSTN, simulator.NoFault, simulator.NoFault, sim.HostileLink)
	x := n.start(settings{Sources: []source{{DirectRouting: "-"}}}).serving()
	x.logged("reading the feed failed", "another host")
	x.counts(n, n.Now())
	x.stop()
	if caught := n.Caught(); len(caught) != 0 {
		t.Errorf("the hostile link was followed: %+v", caught)
	}
	if faults.Counts("")[sim.HostileLink] != 1 {
		t.Error("there was no hostile link")
	}
}

// TestFeedsAreApart (guarantee 6): a feed that fails for good, and one whose account
// lacks it, stop no other.
func TestFeedsAreApart(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 10})
	faults.Hook(func(r simulator.Request) simulator.Fault {
		if r.Endpoint == sim.EndpointPSTN {
			return sim.Forbidden
		}
		return simulator.NoFault
	})
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, past(10, sim.PSTNMix(), size(1_000))),
		DirectRouting: world(t, past(11, sim.DirectRoutingMix(), size(1_000))),
		Faults:        faults,
	})
	x := n.start(settings{}).ready()
	x.countsFeed(n, "contoso", directRouting, n.Now())
	eventually(t, "show the feed that fails", func() error {
		f := x.feed("contoso", pstn)
		if f.State != "error" || lineWith(f.LastError, "CallRecords.Read.All") == "" {
			return fmt.Errorf("state %q, last error %q", f.State, f.LastError)
		}
		return nil
	})
	m := x.scrape()
	for _, err := range []error{
		asError(diff(m.tables("contoso", pstn), tables{})),
		m.is(0, "cdr_exporter_last_success_timestamp_seconds", "feed="+pstn),
		m.is(0, "cdr_exporter_polls_total", "feed="+pstn, "result=ok"),
	} {
		if err != nil {
			t.Errorf("a feed that was never read: %v", err)
		}
	}
	if ok := m.sum("cdr_exporter_polls_total", "feed="+directRouting, "result=error"); ok != 0 {
		t.Errorf("the other feed failed %g times", ok)
	}
	faults.Stop()
	x.counts(n, n.Now())
	x.stop()
}

// TestShiftingPages (counting.md 9): rows that are published between two pages, and
// move what follows them, are neither lost nor counted twice.
func TestShiftingPages(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 12, SlowFor: 100 * time.Millisecond})
	faults.Rate("", 0.2, simulator.Slow)
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, bustling(12, sim.PSTNMix(), size(3_000), 20*time.Second)),
		DirectRouting: world(t, bustling(13, sim.DirectRoutingMix(), size(3_000), 20*time.Second)),
		PageSize:      20, Faults: faults,
	})
	x := n.start(settings{}).ready()
	first := x.scrape().sum("cdr_calls_total")
	eventually(t, "count calls while they are published", func() error {
		x.running()
		if x.scrape().sum("cdr_calls_total") < first*1.2 {
			return errors.New("too few have come")
		}
		return nil
	})
	if found := x.scrape().series("cdr_calls_total", "late=true"); len(found) != 0 {
		t.Errorf("calls that are seen at once are late: %v", found)
	}
	n.Advance(10 * time.Hour)
	faults.Stop()
	x.counts(n, n.Now())
	x.stop()
}
