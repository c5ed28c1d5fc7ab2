package main_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// sighting is what scrapes tell of when a series was 0: from between the begin of the last scrape without it and the
// end of the first that had it, to between the begin of the last that had it at 0 and the end of the first with a value.
type sighting struct{ absent, zero, lastZero, value time.Time }

// observe scrapes until done says so, and notes when each compared series of a feed
// was seen at 0 and above. None of them was there before the time.
func (x *exporter) observe(before time.Time, feed, what string, done func(families) error) map[string]*sighting {
	x.t.Helper()
	seen := make(map[string]*sighting)
	eventually(x.t, what, func() error {
		x.running()
		began, m, ended := time.Now(), x.scrape(), time.Now()
		defer func() { before = began }()
		for metric, table := range m.tables("contoso", feed) {
			for labels, value := range table {
				key := metric + "{" + labels + "}"
				s := seen[key]
				if s == nil {
					s = &sighting{absent: before}
					seen[key] = s
				}
				switch {
				case value == 0 && !s.value.IsZero():
					x.t.Fatalf("%s went back to 0", key)
				case value == 0:
					s.lastZero = began
					if s.zero.IsZero() {
						s.zero = ended
					}
				case s.value.IsZero():
					s.value = ended
				}
			}
		}
		return done(m)
	})
	return seen
}

// TestNewSeries (contract 3; counting.md 21): a series that appears while the exporter
// runs is 0 for zero_for and then has its value, histograms too; those of the first
// history have it at once. A restart before that begins anew.
func TestNewSeries(t *testing.T) {
	t.Parallel()
	const zeroFor = 10 * time.Second // longer than scrapes are apart, on a slow machine too
	slow := unfolding(71, sim.DirectRoutingMix(), 300)
	slow.Delays = []simulator.Delay{{Weight: 1, Max: 46 * time.Hour}}
	n := newTenant(t, sim.Settings{DirectRouting: world(t, slow)})
	began := n.Pause()
	set := settings{ZeroFor: zeroFor.String(), Sources: []source{{PSTN: "-"}}}
	x := n.start(set).ready()
	if err := x.counted(n, directRouting, began); err != nil {
		t.Errorf("the first history isn't shown at once: %v", err)
	}
	before := x.scrape().tables("contoso", directRouting)
	advanced := time.Now()
	n.Advance(12 * time.Hour)
	at := []time.Time{began, n.Visible()}
	want := expected(view(n.worlds[directRouting], at...))
	seen := x.observe(advanced, directRouting, "show new series", func(m families) error {
		return asError(diff(m.tables("contoso", directRouting), want))
	})
	fresh := 0
	for metric, table := range want {
		for labels, value := range table {
			if _, known := before[metric][labels]; known || value == 0 {
				continue
			}
			fresh++
			s := seen[metric+"{"+labels+"}"]
			if s.zero.IsZero() {
				t.Errorf("%s{%s} was never seen at 0", metric, labels)
				continue
			}
			least, most := s.lastZero.Sub(s.zero), s.value.Sub(s.absent)
			if most < zeroFor || least > zeroFor+20*time.Second {
				t.Errorf("%s{%s} was 0 for %s to %s, want %s", metric, labels, least, most, zeroFor)
			}
		}
	}
	if fresh == 0 {
		t.Fatal("no series appeared")
	}

	n.configure(settings{ZeroFor: "1h", Sources: set.Sources})
	x.stop()
	x = n.start(settings{ZeroFor: "1h", Sources: set.Sources}).ready()
	x.counts(n, at...) // what was shown stays shown
	n.Advance(12 * time.Hour)
	at = append(at, n.Visible())
	x.caughtUp(n) // learns the provider's clock
	x.caughtUp(n) // reads up to it
	zeros := func(x *exporter) map[string]bool {
		all := make(map[string]bool)
		for metric, table := range x.scrape().tables("contoso", directRouting) {
			for labels, value := range table {
				if _, known := want[metric][labels]; !known && value == 0 {
					all[metric+"{"+labels+"}"] = true
				}
			}
		}
		return all
	}
	hidden := zeros(x)
	if len(hidden) == 0 {
		t.Fatal("no series appeared after the restart")
	}
	x.kill()
	x = n.start(settings{ZeroFor: "1h", Sources: set.Sources}).ready()
	if again := zeros(x); len(again) != len(hidden) {
		t.Errorf("%d new series are 0 after a restart, want %d", len(again), len(hidden))
	}
	x.stop()
	x = n.start(settings{Sources: set.Sources}).ready()
	x.counts(n, at...)
	x.stop()
}

// TestFirstHistory (contract 3; counting.md 20): nothing of a feed is shown until its
// first history was read to its end, and then all at once, across restarts too;
// another feed doesn't wait for it.
func TestFirstHistory(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 73})
	n := newTenant(t, sim.Settings{
		PSTN:          world(t, past(73, sim.PSTNMix(), 1_000)),
		DirectRouting: world(t, past(74, sim.DirectRoutingMix(), 1_000)),
		PageSize:      100, Faults: faults,
	})
	var open atomic.Bool
	faults.Hook(func(r simulator.Request) simulator.Fault {
		if r.Endpoint == sim.EndpointPSTN && r.Continued && !open.Load() {
			return simulator.Unavailable
		}
		return simulator.NoFault
	})
	now := n.Pause()
	want := expected(view(n.worlds[pstn], now))
	hidden := func(m families) error {
		return asError(diff(m.tables("contoso", pstn), tables{}))
	}
	for range 2 {
		x := n.start(settings{}).serving()
		x.countsFeed(n, n.source(), directRouting, now)
		eventually(t, "read a part of the history", func() error {
			x.running()
			m := x.scrape()
			if err := hidden(m); err != nil {
				t.Fatalf("a part of the history is shown: %v", err)
			}
			if m.sum("cdr_exporter_rows_total", "feed="+pstn, "result=new", "result=duplicate") == 0 && x.feed("contoso", pstn).Records == 0 {
				return errors.New("nothing was read")
			}
			return nil
		})
		x.kill()
	}
	x := n.start(settings{}).serving()
	x.countsFeed(n, n.source(), directRouting, now)
	open.Store(true)
	eventually(t, "show the history", func() error {
		x.running()
		m := x.scrape()
		switch err := hidden(m); {
		case err == nil:
			return errors.New("it is still hidden")
		case diff(m.tables("contoso", pstn), want) != "":
			t.Fatalf("the history isn't shown all at once: %s", diff(m.tables("contoso", pstn), want))
		}
		return nil
	})
	x.stop()
}

// TestReadyWaitsForHistory (contract 5): /-/ready is 503 until every history was read or
// has failed once.
func TestReadyWaitsForHistory(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 75, SlowFor: 3 * time.Second})
	n := newTenant(t, sim.Settings{PSTN: world(t, past(75, sim.PSTNMix(), 300)), Faults: faults})
	faults.Once(sim.EndpointPSTN, simulator.Slow)
	x := n.start(settings{}).serving()
	body, err := x.client.get("/-/ready")
	if err == nil {
		t.Errorf("/-/ready answers %q while the history is being read", body)
	} else if lineWith(fmt.Sprint(err), "503", "first history") == "" {
		t.Errorf("/-/ready answers %v", err)
	}
	x.ready()
	x.counts(n, n.Now())
	x.stop()
}
