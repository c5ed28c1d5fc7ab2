package counting_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// TestMemory: after any versions of a record, what is remembered of it and its last version say
// again all that was counted.
func TestMemory(t *testing.T) {
	outcomes := []cdr.Outcome{cdr.Answered, cdr.Busy, cdr.Voicemail, cdr.Failed}
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 3)) //nolint:gosec // a test
		r := newRig(t, counting.Rules{})
		r.at = epoch.Add(time.Duration(random.IntN(3)) * time.Hour) // some are late
		var last *cdr.Record
		for range 1 + random.IntN(5) {
			last = call("a", outcome(outcomes[random.IntN(len(outcomes))]))
			if last.Duration = time.Hour; seed%2 == 0 {
				last.ListsLegs, last.NoDuration = true, random.IntN(3) == 0 || !last.Outcome.Connected()
				last.Duration = time.Duration(random.IntN(5)) * time.Minute
				last.Connected = length(random) // also of the caller's own telephone alone
				if _, known := last.ConnectedTime(); known && last.Outcome.Connected() {
					last.Talk = length(random)
				}
			}
			for _, component := range []string{"usage", "setup"} {
				if random.IntN(3) > 0 {
					currency := []string{"EUR", "EUR", "USD"}[random.IntN(3)]
					charge(t, component, currency, fmt.Sprintf("%d.%d", random.IntN(3), random.IntN(10)))(last)
				}
			}
			r.records(last)
		}
		again := r.remembered(last)
		if !maps.Equal(again.values(), r.values()) {
			t.Fatalf("seed %d: %v, counted %v", seed, again.values(), r.values())
		}
	}
}

func length(random *rand.Rand) cdr.Length {
	return cdr.Length{Value: time.Duration(1+random.IntN(4)) * time.Second, Known: random.IntN(3) > 0}
}

// remembered is what is counted again of a record's memory and its last version.
func (r *rig) remembered(last *cdr.Record) *rig {
	again := newStore(r.t, r.settings, r.state)
	for _, f := range r.preview(r.at, last)[0].Memory.Facts(nil, last) {
		for _, d := range metrics.Count(nil, &f) {
			again.add(&d)
		}
	}
	return &rig{store: again, at: r.at}
}

// TestMemoryOfChanges: fields that versions changed, added or left out are named, since their first
// values aren't known.
func TestMemoryOfChanges(t *testing.T) {
	for _, c := range []struct {
		name     string
		versions page
		listed   *cdr.Record // nil: the last version
		want     string
	}{
		{"one version", page{call("a")}, nil, "[]"},
		{"a repeat", page{call("a"), call("a")}, nil, "[]"},
		{"another value", page{call("a"), call("a", trunk("b"))}, nil, "[cdr.trunk]"},
		{"another value, and back", page{call("a"), call("a", trunk("b")), call("a")}, nil, "[cdr.trunk]"},
		{"a value that came later", page{call("a", trunk("")), call("a")}, nil, "[cdr.trunk]"},
		{"a value that is gone", page{call("a"), call("a", trunk(""))}, nil, "[cdr.trunk]"},
		{"a value that isn't counted yet", page{call("a", trunk(""))}, call("a"), "[cdr.trunk]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})
			for _, version := range c.versions {
				r.records(version)
			}
			listed := cmp.Or(c.listed, c.versions[len(c.versions)-1])
			if got := fmt.Sprint(r.preview(r.at, listed)[0].Memory.Changed); got != c.want {
				t.Errorf("changed are %s, want %s", got, c.want)
			}
		})
	}
}

// TestMemoryOfACallHasNoLegs: what explain keeps of each leg of a large call doesn't hold all legs of the call.
func TestMemoryOfACallHasNoLegs(t *testing.T) {
	const legs = 300
	r := newCallRig(t, nil)
	var all []*cdr.Record
	for n := range legs {
		all = append(all, leg(fmt.Sprint("l", n), 0, -1, 9))
	}
	r.records(all...)
	r.wait(time.Hour)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	var kept []*counting.Memory
	for _, f := range r.preview(r.at, all...) {
		if f.Memory.Call == nil {
			t.Fatal("a leg has no call")
		}
		kept = append(kept, f.Memory)
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d legs keep %d KiB", legs, (after-before)>>10)
	}
	runtime.KeepAlive(kept)
}
