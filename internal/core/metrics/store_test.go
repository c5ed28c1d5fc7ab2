package metrics

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

func testStore() (*Store, *FeedSeries) {
	s := NewStore(Options{SeriesLimit: 100, Native: true}, time.Now)
	f := NewFeed("contoso", "msgraph", "direct_routing", true)
	s.Active(f, true)
	return s, f
}

// fullCall is a record with everything that counts, and its known state.
func fullCall() *call {
	start := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	amount, _ := cdr.ParseMoney("0.017")
	return &call{Context: facts.Context{Currency: "XXX"}, Record: &cdr.Record{
		Start: start, Invite: start.Add(-3 * time.Second), Duration: time.Minute, Direction: cdr.Outbound,
		CallType: "byot_out", Outcome: cdr.Answered, Trunk: "sbc1.example.com", SIPCode: cdr.KnownInt(0),
		SubCode: cdr.KnownInt(560000), Country: "DE", CalleeNumber: "+493012345678", MediaBypass: cdr.True,
		MediaLocation: "USWE", SignalLocation: "EUNO",
		Emergency: cdr.EmergencyTest, Charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: amount}},
		Legs: []cdr.Leg{{Type: "accept", Outcome: cdr.Answered}},
	}}
}

type call struct {
	facts.Context
	*cdr.Record
}

// add counts a call.
func (c *Changes) addCall(one *call) { c.addAll(facts.AppendRecord(nil, one.Record, one.Context)) }

func (c *Changes) addAll(all []facts.Fact) {
	for i := range all {
		c.Add(&all[i])
	}
}

// of is a fact of a part of a record.
func of(kind facts.Kind, r *cdr.Record) []facts.Fact { return []facts.Fact{{Kind: kind, Record: r}} }

// Counting a record whose series are known allocates nothing.
func TestCountingDoesNotAllocate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*call)
	}{
		{"connected", func(*call) {}},
		// new digits are allocated
		{"failed", func(c *call) { c.Outcome, c.SIPCode, c.SubCode = cdr.Failed, cdr.Int{}, cdr.Int{} }},
		{"a machine's", func(c *call) { c.Outcome = cdr.Machine }},
		{"without legs", func(c *call) { c.Legs = nil }},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, f := testStore()
			call, all := fullCall(), make([]facts.Fact, 0, 20)
			call.Charges = nil // an amount of money may need extra memory
			// patterns of numbers take memory from a pool, which the race detector empties at random
			call.CalleeNumber = ""
			c.change(call)
			changes := s.Begin(f, time.Now())
			changes.addCall(call)
			changes.Apply(nil)
			changes = s.Begin(f, time.Now())
			if got := testing.AllocsPerRun(1000, func() {
				all = facts.AppendRecord(all[:0], call.Record, call.Context)
				changes.addAll(all)
			}); got != 0 {
				t.Errorf("%g allocations per record, want 0", got)
			}
		})
	}
}

func TestDiscardLeavesNoTrace(t *testing.T) {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	changes.addCall(fullCall())
	changes.Apply(nil)
	before := shown(s)
	other := fullCall()
	other.Trunk = "sbc2.example.com"
	changes = s.Begin(f, time.Now())
	changes.addCall(fullCall())
	changes.addCall(other)
	changes = s.Begin(f, time.Now()) // it has failed
	wantCounted(t, shown(s), before)
	changes.addCall(other)
	if len(changes.fresh) == 0 {
		t.Error("what was discarded is taken for known")
	}
}

func TestEveryLabelSetHasTheRightLength(t *testing.T) {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	changes.addCall(fullCall())
	failed := fullCall()
	failed.Outcome, failed.Reason = cdr.Failed, "tls"
	changes.addCall(failed)
	changes.addAll(of(facts.OutcomeChange, failed.Record))
	changes.addAll(of(facts.Recording, &cdr.Record{Recordings: []cdr.Recording{{Type: "Automatic"}}}))
	changes.addAll(of(facts.Session, &cdr.Record{Sessions: []cdr.Session{{Result: cdr.SessionDropped}}}))
	changes.addAll(of(facts.Visit, &cdr.Record{Visits: []cdr.Visit{{Wait: cdr.KnownLength(time.Second)}}}))
	changes.addAll(facts.AppendSettled(nil, &cdr.Record{
		Streams: []cdr.Stream{audioStream()},
		Ratings: []string{"good"},
	}, false))
	one, _ := cdr.ParseMoney("1")
	changes.addAll(facts.AppendCorrection(nil, failed.Record, nil, cdr.Charge{
		Component: "usage", Currency: "USD",
		Amount: one,
	}))
	changes.addAll(of(facts.Attempt, failed.Record))
	changes.Apply(nil)
	s.AddTrunk(f, "sbc1.example.com")
	s.SetPeaks(f, map[int64]int64{1: 2})
	snap := s.Snapshot()
	for _, d := range Catalogue() {
		if !slices.ContainsFunc(snap.Families, func(f Family) bool { return f.Def == d }) {
			t.Errorf("nothing changed %s: count it in Count, and add what it counts to this test", d.Name)
		}
	}
	for _, family := range snap.Families {
		for _, p := range family.Points {
			if len(p.Labels.Values) != len(family.Def.LabelNames()) {
				t.Errorf("%s: %d values for labels %v", family.Def.Name, len(p.Labels.Values), family.Def.LabelNames())
			}
		}
	}
}

// A provider's value is fit for a label: valid UTF-8 without zero bytes, cut between characters.
func TestCleanLabel(t *testing.T) {
	for name, c := range map[string]struct{ value, want string }{
		"as it is":               {"sbc1.example.com", "sbc1.example.com"},
		"not UTF-8":              {"a\xffb", "a\uFFFDb"},
		"a zero byte":            {"a\x00b", "a\uFFFDb"},
		"as long as may be":      {strings.Repeat("x", 256), strings.Repeat("x", 256)},
		"too long":               {strings.Repeat("x", 300), strings.Repeat("x", 256)},
		"cut between characters": {strings.Repeat("x", 255) + "é", strings.Repeat("x", 255)},
	} {
		t.Run(name, func(t *testing.T) {
			if got := CleanLabel(c.value); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
