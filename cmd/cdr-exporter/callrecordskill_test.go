package main_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// evening is a tenant that notifies an exporter, which doesn't read the list for hours.
func evening(seed uint64, calls int) switchboardSettings {
	return switchboardSettings{seed: seed, calls: calls, from: 8 * time.Hour, to: -8 * time.Hour, graph: sim.Settings{
		Delivery: sim.Delivery{Seed: seed, Duplicated: 0.3, Retry: 200 * time.Millisecond},
	}}
}

// TestKillBetweenNotifiedAndFetched (counting.md 4): a record whose notification got a 202 is
// counted, even if the process is killed before it fetches the record, and although the list, which
// would also find it, can't be read.
func TestKillBetweenNotifiedAndFetched(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, evening(101, 100))
	feed := b.subscribed(6 * time.Hour)
	x := b.launch(feed, settings{}).ready()
	x.countsCalls(b)
	one := x.subscribed(b)
	before := x.scrape()
	b.fails(sim.EndpointCallRecord, simulator.Unavailable)
	b.pass(4 * time.Hour)
	b.delivered()
	taken := b.Notified().Delivered
	eventually(t, "try to fetch the notified records", func() error {
		if b.asked(sim.EndpointCallRecord, 503) == 0 {
			return errors.New("no record was requested")
		}
		return nil
	})
	if after := x.scrape(); taken < 10 || after.sum("cdr_calls_total") != before.sum("cdr_calls_total") {
		t.Fatalf("%d notifications were taken, %g calls counted of them", taken,
			after.sum("cdr_calls_total")-before.sum("cdr_calls_total"))
	}
	x.kill()
	b.fails(sim.EndpointCallRecords, sim.Forbidden)
	lists := b.asked(sim.EndpointCallRecords, 200)
	x = b.launch(feed, settings{}).serving()
	x.countsCalls(b)
	if again := x.subscribed(b); again.ID != one.ID || b.Notified().Delivered != taken {
		t.Errorf("subscribed as %s and then as %s; %d more notifications came", one.ID, again.ID,
			b.Notified().Delivered-taken)
	}
	// At any instant: what wasn't answered comes again, what was is kept.
	random := rand.New(rand.NewPCG(101, 101))
	for range 6 {
		b.pass(time.Hour)
		select {
		case <-time.After(time.Duration(random.IntN(300)) * time.Millisecond):
		case <-x.done:
		}
		x.kill()
		x = b.launch(feed, settings{}).serving()
		b.delivered()
		x.countsCalls(b)
	}
	if n := b.asked(sim.EndpointCallRecords, 200); n != lists {
		t.Errorf("the list was read %d times meanwhile", n-lists)
	}
	x.stop()
}
