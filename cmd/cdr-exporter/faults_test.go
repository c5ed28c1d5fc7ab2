package main_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// slow is an answer in dribbles.
var slow = []simulator.Fault{simulator.Slow}

// graphFaults are all faults after which the same read of Graph, or the next, succeeds:
// for the one feed those that any provider has, for the other Graph's own.
func graphFaults() (anyones, own []simulator.Fault) {
	own = []simulator.Fault{sim.ExpiredToken, sim.ExpiredLink400, sim.ExpiredLink410, sim.RepeatedLink}
	return slices.Concat(simulator.Transient(), slow), slices.Concat(own, sim.Harmless())
}

// ringcentralFaults are those of RingCentral, but for a 429 that doesn't say how long: for
// good reason it stops everything for a minute.
func ringcentralFaults() []simulator.Fault {
	token := []simulator.Fault{rcsim.LostToken, rcsim.KilledSession, rcsim.ExpiredToken, rcsim.NoRecords}
	return slices.Concat([]simulator.Fault{rcsim.RepeatedNext}, rcsim.Harmless(), token, ringcentralTransient(), slow)
}

func ringcentralTransient() []simulator.Fault {
	return slices.DeleteFunc(simulator.Transient(), func(f simulator.Fault) bool { return f == simulator.Throttle })
}

// wavixFaults are those of Wavix's list.
func wavixFaults() []simulator.Fault {
	harmful := []simulator.Fault{wavixsim.SuccessFalse, wavixsim.ErrorTrue, wavixsim.NoItems}
	return slices.Concat(simulator.Transient(), slow, harmful,
		[]simulator.Fault{wavixsim.ZeroPerPage, wavixsim.SwappedMembers})
}

// trouble makes the next requests to an endpoint fail with every applicable fault, once, with a
// good answer after each, and later ones with some of them by chance.
func trouble(f *simulator.Faults, endpoint string, every, chance []simulator.Fault) {
	for _, fault := range every {
		f.Once(endpoint, fault, simulator.NoFault)
	}
	f.Rate(endpoint, 0.02, chance...)
}

// TestFaults (guarantee 7; counting.md 9, 13, 26): whatever goes wrong between the
// providers and us loses nothing and counts nothing twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	newFaults := func(seed uint64) *simulator.Faults {
		return simulator.NewFaults(simulator.FaultSettings{Seed: seed, SlowFor: time.Second})
	}
	graph, office, carrier := newFaults(7), newFaults(8), newFaults(9)
	anyones, own := graphFaults()
	trouble(graph, sim.EndpointPSTN, anyones, slices.Concat(simulator.Transient(), sim.Harmless()))
	trouble(graph, sim.EndpointDirectRouting, own, slices.Concat(simulator.Transient(), sim.Harmless()))
	trouble(office, rcsim.EndpointCallLog, ringcentralFaults(), slices.Concat(ringcentralTransient(), rcsim.Harmless()))
	trouble(carrier, wavixsim.EndpointList, wavixFaults(),
		slices.Concat(simulator.Transient(), wavixsim.Harmful(), wavixsim.Harmless()))
	graph.Once(sim.EndpointToken, simulator.Unavailable, simulator.Throttle, simulator.HTMLOK, simulator.CutLength,
		simulator.Reset)
	office.Once(rcsim.EndpointToken, simulator.Unavailable)
	e := newEstate(t, estateSettings{
		seed: 7, calls: 750, era: unfoldingEra,
		graph:       sim.Settings{PageSize: 50, Faults: graph},
		ringcentral: rcsim.Settings{Faults: office},
		wavix:       wavixsim.Settings{MaxPerPage: 150, Faults: carrier, Order: wavixsim.Shuffled},
	})
	r := newReceiver(t, e.vault, otlpsink.Settings{})
	e.hold()
	x := start(t, e.vault, launch{config: e.configure(settings{OTLP: r.overHTTP("")}), raced: true}).ready()
	e.tenant.ExpireTokens()
	e.office.KillSessions()
	x.unfold(e)
	for name, f := range map[string]*simulator.Faults{"Graph": graph, "RingCentral": office, "Wavix": carrier} {
		eventually(t, "meet every fault of "+name, func() error {
			x.running()
			if left := f.Pending(); left > 0 {
				return fmt.Errorf("%d have not happened yet", left)
			}
			return nil
		})
		f.Stop()
	}
	e.skip(12 * time.Hour)
	x.caughtUpAll(e)
	x.countsAll(e)
	x.rowsAll(e)
	r.completeAll(e)
	x.stop()
}

// TestHostileLink (guarantee 8): a next link to another host is refused, and nobody
// comes there, with or without a token.
func TestHostileLink(t *testing.T) {
	t.Parallel()
	t.Run("msgraph", func(t *testing.T) {
		t.Parallel()
		faults := simulator.NewFaults(simulator.FaultSettings{Seed: 9})
		n := newTenant(t, sim.Settings{
			PSTN:     world(t, past(9, sim.PSTNMix(), 500)),
			PageSize: 50, Faults: faults,
		})
		faults.Once(sim.EndpointPSTN, simulator.NoFault, simulator.NoFault, sim.HostileLink)
		x := n.start(settings{Sources: []source{{DirectRouting: "-"}}})
		x.refuses(n, faults, sim.HostileLink)
		if caught := n.Caught(); len(caught) != 0 {
			t.Errorf("the hostile link was followed: %+v", caught)
		}
	})
	t.Run("ringcentral", func(t *testing.T) {
		t.Parallel()
		faults := simulator.NewFaults(simulator.FaultSettings{Seed: 10})
		at := newSite(t)
		o := newOffice(t, at, rcsim.Settings{
			Account: world(t, logged(past(10, rcsim.Mix(), 3_000))), Faults: faults,
		})
		faults.Once(rcsim.EndpointCallLog, simulator.NoFault, rcsim.HostileNext)
		x := start(t, at.vault, launch{config: at.configureSources(settings{}, o.item())})
		x.refuses(o, faults, rcsim.HostileNext)
		if caught := o.Caught(); len(caught) != 0 {
			t.Errorf("the hostile link was followed: %+v", caught)
		}
	})
}

// refuses expects that a hostile link stops the read that met it, and no other.
func (x *exporter) refuses(p place, faults *simulator.Faults, link simulator.Fault) {
	x.t.Helper()
	x.serving()
	x.logged("Reading the feed failed", "another host")
	x.counts(p, p.Now())
	x.stop()
	if faults.Counts("")[link] != 1 {
		x.t.Error("the hostile link is missing")
	}
}

// TestFeedsAreApart (guarantee 6): a feed that fails for good, and one whose account
// lacks it, stop no other, whatever provider it is of.
func TestFeedsAreApart(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 10})
	faults.Hook(func(r simulator.Request) simulator.Fault {
		if r.Endpoint == sim.EndpointPSTN {
			return sim.Forbidden
		}
		return simulator.NoFault
	})
	e := newEstate(t, estateSettings{seed: 10, calls: 500, era: presentEra, graph: sim.Settings{Faults: faults}})
	e.hold()
	e.office.SetPermissions(rcsim.ReadCallLog)
	e.carrier.Faults.Always(wavixsim.EndpointCalls, wavixsim.MissingScope)
	x := e.start(settings{}).ready()
	good := map[place]string{e.tenant: directRouting, e.desk: callLog, e.carrier: callLog}
	for p, feed := range good {
		x.countsFeed(p, p.source(), feed, e.at(p)...)
	}
	bad := []struct {
		place         place
		feed, mention string
	}{
		{e.tenant, pstn, "CallRecords.Read.All"},
		{e.office, callLog, "FullCompanyCallLog"},
		{e.carrier, "active_calls", "calls"},
	}
	for _, b := range bad {
		eventually(t, "show that "+b.place.source()+"/"+b.feed+" fails", func() error {
			f := x.feed(b.place.source(), b.feed)
			if f.State != "error" || lineWith(f.LastError, b.mention) == "" {
				return fmt.Errorf("state %q, last error %q", f.State, f.LastError)
			}
			return nil
		})
		m := x.scrape()
		of := []string{"source=" + b.place.source(), "feed=" + b.feed}
		for _, err := range []error{
			asError(diff(m.tables(b.place.source(), b.feed), tables{})),
			m.is(0, "cdr_exporter_last_success_timestamp_seconds", of...),
			m.is(0, "cdr_exporter_polls_total", append(of, "result=ok")...),
		} {
			if err != nil {
				t.Errorf("a feed that was never read: %v", err)
			}
		}
	}
	for p, feed := range good {
		if n := x.scrape().sum("cdr_exporter_polls_total", "source="+p.source(), "feed="+feed, "result=error"); n != 0 {
			t.Errorf("%s/%s failed %g times", p.source(), feed, n)
		}
	}
	faults.Stop()
	e.office.SetPermissions(rcsim.ReadCallLog, rcsim.FullCompanyCallLog)
	e.carrier.Faults.Stop()
	x.countsAll(e)
	x.inProgress(e)
	e.carrier.Faults.Always(wavixsim.EndpointCalls, wavixsim.FeatureDisabled)
	eventually(t, "show no calls in progress once that isn't known any more", func() error {
		if n := len(x.scrape().series("cdr_active_calls", "source=wave")); n > 0 {
			return fmt.Errorf("%d series", n)
		}
		return nil
	})
	failed := x.scrape().sum("cdr_exporter_polls_total", "source=wave", "feed=active_calls", "result=error")
	if failed < 3 {
		t.Errorf("the calls in progress vanished after %g failed reads", failed)
	}
	x.stop()
}

// TestShiftingPages (counting.md 9): rows that are published between two pages, and
// move what follows them, are neither lost nor counted twice.
func TestShiftingPages(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{Seed: 12, SlowFor: 100 * time.Millisecond})
	faults.Rate("", 0.2, simulator.Slow)
	cut := simulator.NewFaults(simulator.FaultSettings{Seed: 13, SlowFor: 100 * time.Millisecond})
	cut.Rate("", 0.5, simulator.Slow, rcsim.CutPage)
	e := newEstate(t, estateSettings{
		seed: 12, calls: 500, era: bustlingEra(20 * time.Second),
		graph:       sim.Settings{PageSize: 50, Faults: faults},
		ringcentral: rcsim.Settings{Faults: cut},
		wavix:       wavixsim.Settings{MaxPerPage: 100, Faults: faults, Order: wavixsim.Shuffled},
	})
	x := e.start(settings{}).ready()
	before := x.scrape()
	eventually(t, "count calls while they are published", func() error {
		x.running()
		m := x.scrape()
		for _, p := range e.places() {
			if m.sum("cdr_calls_total", "source="+p.source()) < before.sum("cdr_calls_total",
				"source="+p.source())*1.2 {
				return errors.New("too few have come of " + p.source())
			}
		}
		return nil
	})
	if found := x.scrape().series("cdr_calls_total", "late=true"); len(found) != 0 {
		t.Errorf("calls that are seen at once are late: %v", found)
	}
	e.skip(10 * time.Hour)
	e.hold()
	faults.Stop()
	cut.Stop()
	x.countsAll(e)
	x.stop()
}
