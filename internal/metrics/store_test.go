package metrics

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func testStore() (*Store, *FeedSeries) {
	s := NewStore(Options{SeriesLimit: 100, BypassWindow: time.Hour, Native: true}, time.Now)
	f := NewFeed("contoso", "msgraph", "direct_routing", true)
	s.Active(f, true)
	return s, f
}

// fullCall is a record with everything that counts, and what is known of it.
func fullCall() *call {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	amount, _ := cdr.ParseMoney("0.017")
	return &call{Context: Context{Currency: "XXX"}, Record: &cdr.Record{
		Start: start, Invite: start.Add(-3 * time.Second), Duration: time.Minute, Direction: cdr.Outbound,
		CallType: "byot_out", Outcome: cdr.Answered, Trunk: "sbc1.example.com", SIPCode: cdr.KnownInt(0),
		SubCode: cdr.KnownInt(560000), Country: "DE", CalleeNumber: "+493012345678", MediaBypass: cdr.True, MediaLocation: "USWE", SignalLocation: "EUNO",
		Emergency: cdr.EmergencyTest, Charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: amount}},
		Legs: []cdr.Leg{{Type: "accept", Outcome: cdr.Answered}},
	}}
}

type call struct {
	Context
	*cdr.Record
}

// add counts a call.
func (c *Changes) add(one *call) { c.addAll(Count(nil, one.Record, one.Context)) }

func (c *Changes) addAll(deltas []Delta) {
	for i := range deltas {
		c.Add(&deltas[i], 0)
	}
}

// Counting a record whose series are known allocates nothing.
func TestCountingDoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*call)
	}{
		{"connected", func(*call) {}},
		{"failed", func(c *call) { c.Outcome, c.SIPCode, c.SubCode = cdr.Failed, cdr.Int{}, cdr.Int{} }}, // digits are made anew
		{"a machine's", func(c *call) { c.Outcome = cdr.Machine }},
		{"without legs", func(c *call) { c.Legs = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := testStore()
			call, deltas := fullCall(), make([]Delta, 0, 20)
			call.Charges = nil     // an amount of money may need memory of its own
			call.CalleeNumber = "" // patterns of numbers take memory from a pool, which the race detector empties at random
			c.change(call)
			changes := s.Begin(f, time.Now())
			changes.add(call)
			changes.Apply(nil)
			changes = s.Begin(f, time.Now())
			if got := testing.AllocsPerRun(1000, func() {
				deltas = Count(deltas[:0], call.Record, call.Context)
				for i := range deltas {
					changes.Add(&deltas[i], 0)
				}
			}); got != 0 {
				t.Errorf("%g allocations per record, want 0", got)
			}
		})
	}
}

func TestDiscardLeavesNoTrace(t *testing.T) {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	changes.add(fullCall())
	changes.Apply(nil)
	before := s.Snapshot()
	other := fullCall()
	other.Trunk = "sbc2.example.com"
	changes = s.Begin(f, time.Now())
	changes.add(fullCall())
	changes.add(other)
	s.Begin(f, time.Now()) // it has failed
	after := s.Snapshot()
	if len(before.Families) != len(after.Families) {
		t.Fatalf("%d families, had %d", len(after.Families), len(before.Families))
	}
	for i, family := range after.Families {
		if len(family.Points) != 1 || family.Points[0].Value != before.Families[i].Points[0].Value {
			t.Errorf("%s changed: %+v", family.Def.Name, family.Points)
		}
	}
	changes = s.Begin(f, time.Now())
	changes.add(other)
	if got := len(changes.fresh); got == 0 {
		t.Error("what was discarded is taken for known")
	}
}

func TestEveryLabelSetHasTheRightLength(t *testing.T) {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	changes.add(fullCall())
	failed := fullCall()
	failed.Outcome, failed.Reason = cdr.Failed, "tls"
	changes.add(failed)
	changes.addAll(CountOutcomeChange(nil, cdr.Failed, cdr.Answered))
	changes.addAll(CountRecording(nil, "Automatic"))
	changes.addAll(CountSession(nil, &cdr.Session{Result: cdr.SessionDropped}))
	changes.addAll(CountVisit(nil, &cdr.Visit{Wait: cdr.KnownSpan(time.Second)}))
	changes.addAll(CountSettled(nil, &cdr.Record{Streams: []cdr.Stream{audioStream()}, Ratings: []string{"good"}}, false))
	one, _ := cdr.ParseMoney("1")
	changes.addAll(CountCorrection(nil, ChargeLabels{}, cdr.Charge{Component: "usage", Currency: "USD", Amount: one}))
	attempt, _ := NewAttempt(failed.Record, false)
	changes.AddAttempt(failed.Direction.String(), failed.Trunk, attempt)
	changes.Apply(nil)
	s.AddTrunk(f, "sbc1.example.com")
	s.SetPeaks(f, map[int64]int64{1: 2})
	s.AddBypass(f, Bypass{Trunk: 1, Second: time.Now().Unix(), Bypassed: 1, Total: 2})
	snap := s.Snapshot()
	if len(snap.Families) != len(Catalogue()) {
		t.Errorf("%d of %d metrics were changed", len(snap.Families), len(Catalogue()))
	}
	for _, family := range snap.Families {
		for _, p := range family.Points {
			if len(p.Labels.Values) != len(family.Def.LabelNames()) {
				t.Errorf("%s: %d values for labels %v", family.Def.Name, len(p.Labels.Values), family.Def.LabelNames())
			}
		}
	}
}

func BenchmarkCount(b *testing.B) {
	s, f := testStore()
	c := fullCall()
	changes := s.Begin(f, time.Now())
	b.ReportAllocs()
	for b.Loop() {
		changes.add(c)
	}
}
