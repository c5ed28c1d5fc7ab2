package counting_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
)

const settle = 10 * time.Minute

// legsWorld are random calls of random legs, and what must be counted of them in the end.
type legsWorld struct {
	rng   *rand.Rand
	rules counting.Rules
	// early are the legs that come before their call counts, late those that come afterwards, by call.
	early, late [][]*cdr.Record
	want        map[string]int64
}

// newLegsWorld makes calls. withLate says that some of their legs come late.
func newLegsWorld(rng *rand.Rand, rules counting.Rules, withLate bool) *legsWorld {
	w := &legsWorld{rng: rng, rules: rules, want: map[string]int64{}}
	for n := range 12 {
		legs := w.newCall(n, withLate)
		early := len(legs)
		if withLate {
			early = 1 + rng.IntN(len(legs))
		}
		w.early, w.late = append(w.early, legs[:early]), append(w.late, legs[early:])
		w.expect(legs, early)
	}
	return w
}

// newCall makes the legs of a call in the order in which late ones come. No two start at the same
// instant: then their ids would decide which of them gives the outcome, and of counted legs only
// hashes of ids are known. If parents come late, they lead from each leg to one beside it: the legs that come
// before their call counts then lead to each other.
func (w *legsWorld) newCall(n int, late bool) []*cdr.Record {
	rng := w.rng
	began := now.Add(-time.Duration(1+rng.IntN(60)) * time.Minute)
	legs := make([]*cdr.Record, 1+rng.IntN(5))
	for i := range legs {
		r := &cdr.Record{
			ID: fmt.Sprintf("%d-%d", n, i), CallID: strconv.Itoa(n),
			Start:      began.Add(time.Duration(rng.IntN(90))*time.Second + time.Duration(i)*time.Millisecond),
			NoDuration: true,
			Direction:  []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal}[rng.IntN(3)], CallType: "voice",
			Trunk:   []string{"", "a", "b"}[rng.IntN(3)],
			Outcome: []cdr.Outcome{cdr.Answered, cdr.Answered, cdr.NoAnswer, cdr.Busy, cdr.Failed}[rng.IntN(5)],
			Party:   cdr.Party(rng.IntN(5)), NoOutcome: rng.IntN(6) == 0,
		}
		if r.Outcome == cdr.Answered {
			r.Answer = r.Start.Add(time.Duration(rng.IntN(20)) * time.Second)
			r.End = r.Answer.Add(time.Duration(1+rng.IntN(300)) * time.Second)
		}
		switch {
		case !w.rules.Parents:
			r.CallKey = fmt.Sprint("key", n)
		case i > 0 && late: // a chain
			r.Parent = legs[i-1].ID
		case i > 0: // a tree
			r.Parent = legs[rng.IntN(i)].ID
		}
		r.Whole = i == 0
		legs[i] = r
	}
	switch {
	case late && w.rules.Parents:
		if rng.IntN(2) == 0 {
			slices.Reverse(legs)
		}
	case !w.rules.Whole:
		rng.Shuffle(len(legs), func(i, j int) { legs[i], legs[j] = legs[j], legs[i] })
	}
	return legs
}

// expect adds what a call of these legs counts: the first early legs come before the call counts,
// each of the others late. It knows nothing of how the ledger does that.
func (w *legsWorld) expect(records []*cdr.Record, early int) {
	legs := make([]cdr.Leg, len(records))
	for i, r := range records {
		legs[i] = r.Leg()
	}
	c := calls.Of(legs[:early])
	trunk := ""
	if c.Trunk != calls.None {
		trunk = legs[c.Trunk].Trunk
	}
	w.want[fmt.Sprintf("cdr_calls_total{%s,voice,%s,%s,false}", c.Direction, c.Outcome, trunk)]++
	labels, outcome, talked := fmt.Sprintf("{%s,voice,%s", c.Direction, trunk), c.Outcome, len(c.Talk) > 0
	connected := calls.Length(c.Connected)
	trunks := map[string]time.Duration{}
	note := func(c *calls.Call) {
		for _, t := range c.Trunks {
			key := fmt.Sprintf("cdr_trunk_connected_seconds_total{%s,%s}", t.Trunk, t.Direction)
			if grown := calls.Length(t.Connected) - trunks[key]; grown > 0 {
				w.want[key] += grown.Microseconds()
			}
			trunks[key] = calls.Length(t.Connected)
		}
	}
	note(&c)
	w.want["cdr_call_connected_seconds_total"+labels+",}"] += connected.Microseconds()
	if talked {
		w.want["cdr_call_duration_seconds"+labels+"}"]++
	}
	for n := early; n < len(legs); n++ {
		c := calls.Of(legs[:n+1])
		if grown := calls.Length(c.Connected) - connected; grown > 0 {
			w.want["cdr_call_connected_seconds_total"+labels+",}"] += grown.Microseconds()
		}
		connected = calls.Length(c.Connected)
		note(&c)
		if len(c.Talk) > 0 && !talked {
			talked = true
			w.want["cdr_call_duration_seconds"+labels+"}"]++
		}
		if c.Outcome != outcome {
			w.want[fmt.Sprintf("cdr_call_outcome_changes_total{%s,%s}", outcome, c.Outcome)]++
			outcome = c.Outcome
		}
	}
}

// commit commits records in pages of any size, tried again, twice, and by another process.
func (w *legsWorld) commit(s *store, at time.Time, records []*cdr.Record) {
	for len(records) > 0 {
		n := 1 + w.rng.IntN(len(records))
		page := &counting.Page{Records: records[:n], ObservedAt: at}
		for w.rng.IntN(3) == 0 {
			s.decide(page)
		}
		if w.rng.IntN(4) == 0 {
			s.commit(page)
		}
		if w.rng.IntN(4) == 0 {
			s.decision = counting.NewDecision()
		}
		s.commit(page)
		records = records[n:]
	}
}

// readAll commits the end of a complete read.
func (w *legsWorld) readAll(s *store, at time.Time) {
	page := &counting.Page{ObservedAt: at, Position: &counting.Position{
		Watermark: at, HistoryDone: true,
		Read: &counting.Read{Began: at},
	}}
	if w.rng.IntN(3) == 0 {
		s.decide(page)
	}
	s.commit(page)
}

// counting.md 36: the function of the legs that came before their call counted, and the rule for
// late legs, give the totals. They do so in any order, in any split into pages, and with a crash
// between any two commits.
func TestTotalsAreThoseOfTheLegs(t *testing.T) {
	for name, rules := range map[string]counting.Rules{
		"by key": {Legs: true}, "by key and arrival": {Legs: true, ByArrival: true}, "whole": {Legs: true, Whole: true},
		"parents": {Legs: true, Parents: true}, "parents by arrival": {Legs: true, Parents: true, ByArrival: true},
	} {
		for _, late := range []bool{false, true} {
			for seed := range long.Seeds(12) {
				t.Run(fmt.Sprintf("%s, late legs %t, seed %d", name, late, seed), func(t *testing.T) {
					w := newLegsWorld(rand.New(rand.NewPCG(seed, 9)), rules, late)
					w.check(t)
				})
			}
		}
	}
}

func (w *legsWorld) check(t *testing.T) {
	settings := newWorld(w.rules).settings
	settings.Settle, settings.WholeAfter = settle, 4*time.Hour
	s := newStore(t, settings, counting.State{
		Origin: now.Add(-24 * time.Hour), Floor: now.Add(-24 * time.Hour),
		Watermark: now, HistoryDone: true,
	})
	early := slices.Concat(w.early...)
	w.rng.Shuffle(len(early), func(i, j int) { early[i], early[j] = early[j], early[i] })
	split := w.rng.IntN(len(early) + 1)
	at := now
	w.commit(s, at, early[:split])
	w.readAll(s, at)
	// The rest comes within settle, or a complete read failed meanwhile.
	at = at.Add(settle - time.Second)
	w.readAll(s, at)
	w.commit(s, at, early[split:])
	if got := s.count("cdr_calls_total"); got != 0 {
		t.Fatalf("%d calls counted before they had settled", got)
	}
	at = at.Add(settle)
	w.readAll(s, at)
	for n := range 5 {
		for _, legs := range w.late {
			if n < len(legs) {
				w.commit(s, at, legs[n:n+1])
			}
		}
		w.readAll(s, at)
	}
	w.commit(s, at, early) // once more
	at = at.Add(6 * time.Hour)
	w.readAll(s, at)
	if len(s.tasks) > 0 {
		t.Errorf("%d calls still wait", len(s.tasks))
	}
	for key, want := range w.want {
		if got := s.counts[key]; got != want {
			t.Errorf("%s is %d, want %d", key, got, want)
		}
	}
	if got := s.count("cdr_calls_total"); got != int64(len(w.early)) || s.state.Calls != uint64(got) {
		t.Errorf("%d calls, %d records, want %d", got, s.state.Calls, len(w.early))
	}
	if got, want := s.count("cdr_call_legs_total"), len(slices.Concat(w.early...))+
		len(slices.Concat(w.late...)); got != int64(want) {
		t.Errorf("%d legs, want %d", got, want)
	}
	var changes int64
	for key, n := range w.want {
		if len(key) > 9 && key[:9] == "cdr_call_" && key[9] == 'o' {
			changes += n
		}
	}
	if got := s.count("cdr_call_outcome_changes_total"); got != changes {
		t.Errorf("%d outcome changes, want %d", got, changes)
	}
	for trunk, n := range s.edges {
		if n != 0 {
			t.Errorf("%d more calls began than ended on trunk %d", n, trunk)
		}
	}
	logs := map[string]int{}
	for _, l := range s.logs {
		logs[l]++
	}
	for n := range w.early {
		if got := logs[fmt.Sprint("cdr.call ", n)]; got != 1 {
			t.Errorf("call %d has %d log records", n, got)
		}
		want := len(w.early[n]) + len(w.late[n])
		if want == 1 {
			want = 0
		}
		if got := logs[fmt.Sprint("cdr.call.leg ", n)]; got != want && len(w.late[n]) == 0 {
			t.Errorf("call %d has %d log records of legs, want %d", n, got, want)
		}
	}
}
