package simulator

import (
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Totals are what a reader has counted who reads everything once, at an instant.
// It takes about two seconds for a million calls.
func (w *World) Totals(at time.Time) Totals { return w.TotalsOf(View{At: []time.Time{at}}) }

// TotalsFor are Totals of the calls that started in [from, to).
func (w *World) TotalsFor(from, to, at time.Time) Totals {
	return w.TotalsOf(View{From: from, To: to, At: []time.Time{at}})
}

// TotalsOf are what a reader has counted who looked as the view says.
func (w *World) TotalsOf(v View) Totals {
	t := newTotals()
	if len(v.At) == 0 {
		return t
	}
	t.noCurrency, t.components, t.simple = w.s.Mix.NoCurrency, w.s.Mix.components(), v.Simple
	last := v.At[len(v.At)-1]
	// Calls that start after the last instant aren't published by then.
	to := last.Add(time.Millisecond)
	if !v.To.IsZero() {
		to = earlier(v.To, to)
	}
	seen := make([]int, 0, maxVersions)
	w.Each(v.From, to, func(c *Call) bool {
		if v.Simple {
			c.simplify()
		}
		seen = v.seen(c, seen[:0])
		if len(seen) == 0 {
			return true
		}
		t.Rows += c.Copies
		if seen = w.counted(c, seen, last); len(seen) == 0 {
			t.Waiting++
			return true
		}
		t.add(c, seen)
		return true
	})
	return t
}

// counted are the versions seen that count: those that are final, and the last if it
// was waited for long enough (counting.md 17).
func (w *World) counted(c *Call, seen []int, at time.Time) []int {
	if c.Flaw != NoFlaw {
		return seen
	}
	last, stands := seen[len(seen)-1], at.Sub(c.Start) > w.s.Lookback
	return slices.DeleteFunc(seen, func(n int) bool {
		return c.versions[n].State != Final && (n != last || !stands)
	})
}

// simplify takes money away, and what only the legs say.
func (c *Call) simplify() {
	for i := range c.Versions() {
		v := &c.versions[i]
		v.Usage, v.Connection, v.Currency = Price{}, Price{}, ""
		if v.Kind.Plain != nil {
			v.Kind = v.Kind.Plain
		}
		if v.Kind.Unfinished && v.State == Final {
			v.State = NoResult
		}
	}
}

// seen are the versions of a call that the reader met, in order.
func (v *View) seen(c *Call, seen []int) []int {
	for i, at := range v.At {
		version := c.At(at)
		if version < 0 {
			continue
		}
		from := version
		if v.Continuous && i > 0 {
			// Everything since the instant before came by.
			from = max(0, c.At(v.At[i-1]))
		}
		for n := from; n <= version; n++ {
			if len(seen) == 0 || seen[len(seen)-1] < n {
				seen = append(seen, n)
			}
		}
	}
	return seen
}

func newTotals() Totals {
	return Totals{
		Flaws: map[Flaw]int{}, Calls: map[CallKey]int{}, Failures: map[FailureKey]int{},
		Durations: map[DurationKey]Span{}, Connected: map[ConnectedKey]time.Duration{}, Setup: map[SetupKey]Span{},
		Charges: map[ChargeKey]Amount{}, Corrections: map[CorrectionKey]Amount{}, OutcomeChanges: map[OutcomeChange]int{},
		MediaBypass: map[MediaBypassKey]int{}, Locations: map[LocationKey]int{}, Emergency: map[EmergencyKey]int{},
		Ignored: map[string]int{}, Legs: map[LegKey]int{}, Recordings: map[string]int{},
	}
}

// add counts a call of which some versions were seen.
func (t *Totals) add(c *Call, seen []int) {
	first := &c.versions[seen[0]]
	switch {
	case c.Flaw != NoFlaw:
		t.Invalid++
		t.Flaws[c.Flaw]++
		return
	case first.Kind.Ignored:
		t.Ignored[first.Kind.CallType]++
		return
	}
	t.Records++
	t.Duplicates += c.Copies - 1
	if !first.Kind.View {
		t.Sessions++
		t.count(c, first)
	}
	if last := &c.versions[seen[len(seen)-1]]; last.Recorded && !c.Second {
		t.Recordings[c.Recording.Type]++
	}
	money := t.moneyOf(c, first)
	t.charge(money, t.components[0], first.Currency, first.Usage)
	t.charge(money, t.components[1], first.Currency, first.Connection)
	for i := 1; i < len(seen); i++ {
		t.revise(money, &c.versions[seen[i-1]], &c.versions[seen[i]])
	}
}

// count counts a call by the first version that was seen.
func (t *Totals) count(c *Call, v *Version) {
	k, trunk := v.Kind, c.Trunk.Name
	t.Calls[CallKey{k.Direction, k.CallType, k.Outcome, trunk}]++
	if k.Outcome.Connected() {
		key := DurationKey{k.Direction, k.CallType, trunk}
		t.Durations[key] = t.Durations[key].plus(v.Duration)
		t.Connected[ConnectedKey{k.Direction, k.CallType, trunk, c.Country()}] += v.Duration
		if !c.Invite.IsZero() {
			setup := SetupKey{k.Direction, trunk}
			t.Setup[setup] = t.Setup[setup].plus(c.Start.Sub(c.Invite))
		}
	} else {
		t.Failures[FailureKey{k.Direction, trunk, k.Outcome, code(k.SIPCode), code(k.SubCode)}]++
	}
	if !k.NoMedia {
		t.countMedia(c.Trunk)
	}
	if k.Emergency != cdr.NoEmergency {
		t.Emergency[EmergencyKey{k.Outcome, k.Emergency == cdr.EmergencyTest}]++
	}
	for i := range k.Legs {
		if !t.simple {
			t.Legs[LegKey{k.Legs[i].Type, k.Legs[i].Outcome}]++
		}
	}
}

func (t *Totals) countMedia(trunk *Trunk) {
	if trunk.Bypass.Known() {
		t.MediaBypass[MediaBypassKey{trunk.Name, trunk.Bypass}]++
	}
	if trunk.Media != "" || trunk.Signaling != "" {
		t.Locations[LocationKey{trunk.Media, trunk.Signaling}]++
	}
}

func (s Span) plus(d time.Duration) Span { return Span{s.Count + 1, s.Sum + d} }

func code(n cdr.Int) string {
	if !n.Known {
		return ""
	}
	return strconv.FormatInt(n.Value, 10)
}
