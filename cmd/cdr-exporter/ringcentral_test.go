package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/wavix/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// reads waits until the status says how the call log is read.
func (x *exporter) reads(o *office, how string) {
	x.t.Helper()
	eventually(x.t, "read by "+how, func() error {
		x.running()
		if got := x.feed(o.source(), callLog).Reads; got != how {
			return fmt.Errorf("the status says %q", got)
		}
		return nil
	})
}

// TestChangesComeAndGo (counting.md 11): an account that stops to offer changes, offers
// them again, forgets what was read, or leaves rows out of them, is counted exactly all
// the while.
func TestChangesComeAndGo(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	o := newOffice(t, at, rcsim.Settings{
		Account: world(t, unfoldingLog(201, rcsim.Mix(), 1_000)), SyncMisses: 0.1,
	})
	r := newReceiver(t, at.vault, otlpsink.Settings{})
	config := at.configureSources(settings{OTLP: r.overHTTP("")}, o.item())
	seen := []time.Time{o.Pause()}
	x := start(t, at.vault, launch{config: config}).ready()
	x.reads(o, "changes")
	x.counts(o, seen...)
	for _, step := range []struct {
		name   string
		do     func()
		reads  string
		after  time.Duration
		begins bool
	}{
		{name: "lost token", do: func() { o.Faults.Once(rcsim.EndpointSync, rcsim.LostSyncToken) }, reads: "changes", after: 12 * time.Hour},
		{name: "withdrawn", do: func() { o.Faults.Always(rcsim.EndpointSync, rcsim.SyncForbidden) }, reads: "ranges", after: 12 * time.Hour},
		{name: "offered again", do: func() { o.Faults.Stop() }, begins: true, reads: "changes", after: 12 * time.Hour},
		{name: "killed sessions", do: o.KillSessions, reads: "changes", after: 12 * time.Hour},
	} {
		step.do()
		if step.begins {
			x.kill()
			x = start(t, at.vault, launch{config: config}).ready()
		}
		o.Advance(step.after)
		seen = append(seen, o.Visible())
		x.counts(o, seen...)
		x.reads(o, step.reads)
		if t.Failed() {
			t.Fatalf("after the step %q", step.name)
		}
	}
	r.complete(o, seen...)
	x.stop()
}

// TestSimpleView: without legs and money, and without the time of a change, calls and
// recordings are the same.
func TestSimpleView(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	o := newOffice(t, at, rcsim.Settings{Account: world(t, unfoldingLog(202, rcsim.Mix(), 750))})
	o.View = "simple"
	seen := []time.Time{o.Pause()}
	x := start(t, at.vault, launch{config: at.configureSources(settings{}, o.item())}).ready()
	x.counts(o, seen...)
	for range 3 {
		o.Advance(12 * time.Hour)
		seen = append(seen, o.Visible())
		x.counts(o, seen...)
	}
	x.stop()
}

// TestLimits (issue 3, point 6): with the limits that the providers have, of which the
// minute is shortened, everything is counted, and no limit is ever overrun.
func TestLimits(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 203, calls: 500, era: unfoldingEra,
		graph:       sim.Settings{Gzip: true},
		ringcentral: rcsim.Settings{Heavy: 10, Auth: 5, Window: 2 * time.Second},
		wavix:       wavixsim.Settings{RequestsPerMinute: 900},
	})
	e.carrier.perMinute = 900
	e.hold()
	x := start(t, e.vault, launch{config: e.configure(settings{}), shipped: true}).ready()
	x.unfold(e)
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			eventually(t, "catch up with "+p.source()+"/"+feed, func() error {
				if f := x.feed(p.source(), feed); f.State != "ok" {
					return fmt.Errorf("it is %q: %s", f.State, f.LastError)
				}
				return nil
			})
		}
	}
	x.stop()
	if n := e.office.Requests().Count("")[429]; n != 0 {
		t.Errorf("RingCentral throttled %d requests", n)
	}
	for _, endpoint := range []string{wavixsim.EndpointList, wavixsim.EndpointCalls} {
		if n := e.carrier.Requests().Count(endpoint)[429]; n != 0 {
			t.Errorf("Wavix throttled %d requests for %s", n, endpoint)
		}
	}
}
