package counting_test

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
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
			for _, component := range []string{"usage", "setup"} {
				if random.IntN(3) > 0 {
					currency := []string{"EUR", "EUR", "USD"}[random.IntN(3)]
					charge(t, component, currency, fmt.Sprintf("%d.%d", random.IntN(3), random.IntN(10)))(last)
				}
			}
			r.records(last)
		}
		found, err := r.decision.Preview(r.known(r.decision.Keys(
			&counting.Page{Records: []*cdr.Record{last}, ObservedAt: r.at}, &r.settings, &r.hasher)))
		if err != nil {
			t.Fatal(err)
		}
		again := newStore(t, r.settings, r.state)
		for _, f := range found.Records[0].Memory.Facts(nil, last) {
			for _, d := range metrics.Count(nil, &f) {
				again.add(&d)
			}
		}
		money := func(s *store) map[string]string {
			all := make(map[string]string)
			for key, m := range s.money {
				all[key] = m.String()
			}
			return all
		}
		if !maps.Equal(again.counts, r.counts) || !maps.Equal(money(again), money(r.store)) {
			t.Fatalf("seed %d: %v %v, counted %v %v", seed, again.counts, money(again), r.counts, money(r.store))
		}
	}
}

// TestMemoryOfChanges: fields that versions changed, added or left out are named, since their first
// values aren't known.
func TestMemoryOfChanges(t *testing.T) {
	trunk := func(name string) func(*cdr.Record) { return func(r *cdr.Record) { r.Trunk = name } }
	for _, c := range []struct {
		name     string
		versions []*cdr.Record
		listed   *cdr.Record // nil: the last version
		want     string
	}{
		{"one version", []*cdr.Record{call("a")}, nil, "[]"},
		{"a repeat", []*cdr.Record{call("a"), call("a")}, nil, "[]"},
		{"another value", []*cdr.Record{call("a"), call("a", trunk("b"))}, nil, "[cdr.trunk]"},
		{"another value, and back", []*cdr.Record{call("a"), call("a", trunk("b")), call("a")}, nil, "[cdr.trunk]"},
		{"a value that came later", []*cdr.Record{call("a", trunk("")), call("a")}, nil, "[cdr.trunk]"},
		{"a value that is gone", []*cdr.Record{call("a"), call("a", trunk(""))}, nil, "[cdr.trunk]"},
		{"a value that isn't counted yet", []*cdr.Record{call("a", trunk(""))}, call("a"), "[cdr.trunk]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})
			for _, version := range c.versions {
				r.records(version)
			}
			listed := []*cdr.Record{cmp.Or(c.listed, c.versions[len(c.versions)-1])}
			found, err := r.decision.Preview(r.known(r.decision.Keys(
				&counting.Page{Records: listed, ObservedAt: r.at}, &r.settings, &r.hasher)))
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(found.Records[0].Memory.Changed); got != c.want {
				t.Errorf("changed are %s, want %s", got, c.want)
			}
		})
	}
}

// TestMemoryOfCall: a call of several records is remembered with its labels, and that it was late.
func TestMemoryOfCall(t *testing.T) {
	r := newRig(t, counting.Rules{Legs: true})
	r.settings.Settle, r.settings.WholeAfter = time.Minute, time.Hour
	leg := call("a", cdrtest.InGroup("k"))
	r.records(leg, call("b", cdrtest.InGroup("k")))
	memory := func() *counting.Memory {
		found, err := r.decision.Preview(r.known(r.decision.Keys(
			&counting.Page{Records: []*cdr.Record{leg}, ObservedAt: r.at}, &r.settings, &r.hasher)))
		if err != nil {
			t.Fatal(err)
		}
		return found.Records[0].Memory
	}
	if m := memory(); !m.Leg || m.Call != nil {
		t.Errorf("a call that waits is remembered as %+v", m)
	}
	r.at = r.at.Add(3 * time.Hour)
	r.commit(&counting.Page{ObservedAt: r.at, Position: &counting.Position{Read: &counting.Read{Began: r.at}}})
	m := memory()
	if m.Call == nil || m.Call.Late || m.Call.Trunk != leg.Trunk || m.Call.Labels.CallType != leg.CallType {
		t.Errorf("a call that was counted is remembered as %+v", m.Call)
	}
}
