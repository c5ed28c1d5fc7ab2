package simulator

import (
	"slices"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Totals are what a reader has counted that reads everything once, at an instant. It takes about two seconds for a million calls.
func (w *World) Totals(at time.Time) Totals { return w.TotalsOf(View{At: []time.Time{at}}) }

// TotalsFor are Totals of the calls that started in [from, to).
func (w *World) TotalsFor(from, to, at time.Time) Totals {
	return w.TotalsOf(View{From: from, To: to, At: []time.Time{at}})
}

// TotalsOf are what a reader has counted that looked as the view says.
func (w *World) TotalsOf(v View) Totals {
	c := NewCounter(w.s.Mix, v)
	from, to := c.Bounds()
	w.Each(from, to, func(call *Call) bool {
		c.Add(call)
		return true
	})
	return c.Totals
}

// Counter counts calls as a reader must have counted them that looked as a view says.
type Counter struct {
	Totals
	view View
	mix  *Mix
	seen []int
}

// lookback is how long a reader waits for the final version of a row, from its start; then it counts as it stands (counting.md 17).
const lookback = 48 * time.Hour

// NewCounter counts calls of a mix.
func NewCounter(m *Mix, v View) *Counter {
	return &Counter{view: v, mix: m, Totals: NewTotals()}
}

// NewTotals are nothing yet.
func NewTotals() Totals {
	return Totals{
		Calls: map[CallKey]int{}, Failures: map[FailureKey]int{},
		Durations: map[DurationKey]Span{}, Connected: map[ConnectedKey]time.Duration{}, Setup: map[SetupKey]Span{},
		Charges: map[ChargeKey]Amount{}, Corrections: map[CorrectionKey]Amount{}, OutcomeChanges: map[OutcomeChange]int{},
		MediaBypass: map[MediaBypassKey]int{}, Locations: map[LocationKey]int{}, Emergency: map[EmergencyKey]int{},
		Ignored: map[string]int{}, Legs: map[LegKey]int{}, Recordings: map[string]int{},
	}
}

// Bounds are when the calls start that the view can have seen.
func (c *Counter) Bounds() (from, to time.Time) {
	if len(c.view.At) == 0 {
		return c.view.From, time.Unix(0, 0)
	}
	// Calls that start after the last instant aren't published by then.
	to = c.view.At[len(c.view.At)-1].Add(time.Millisecond)
	if !c.view.To.IsZero() {
		to = Earlier(c.view.To, to)
	}
	return c.view.From, to
}

// Add counts a call, which it may change, and returns the version that it counted; nil if it isn't a record.
func (c *Counter) Add(call *Call) *Version {
	if call.Start.Before(c.view.From) || !c.view.To.IsZero() && !call.Start.Before(c.view.To) {
		return nil
	}
	if c.view.Simple {
		call.simplify()
	}
	if c.seen = c.view.seen(call, c.seen[:0]); len(c.seen) == 0 {
		return nil
	}
	c.Rows += call.Copies
	seen := c.final(call)
	if len(seen) == 0 {
		c.Waiting++
		return nil
	}
	first := &call.versions[seen[0]]
	switch {
	case call.Flaw != NoFlaw:
		c.Invalid++
		return nil
	case first.Kind.Ignored:
		c.Ignored[first.Kind.CallType]++
		return nil
	}
	c.Records++
	c.Duplicates += call.Copies - 1
	if !first.Kind.View {
		c.Sessions++
		c.count(call, first)
	}
	if call.versions[seen[len(seen)-1]].Recorded && !call.Second {
		c.Recordings[call.Recording.Type]++
	}
	// Money has the labels of the version that was seen first.
	key := ChargeKey{Direction: first.Kind.Direction, CallType: first.Kind.CallType, Country: call.Country()}
	c.revise(key, &Version{Kind: first.Kind}, first)
	for i := 1; i < len(seen); i++ {
		c.revision(key, &call.versions[seen[i-1]], &call.versions[seen[i]])
	}
	return first
}

// final are the versions seen that count: those that are final, and the last if it was waited for long enough (counting.md 17).
func (c *Counter) final(call *Call) []int {
	if call.Flaw != NoFlaw {
		return c.seen
	}
	last, stands := c.seen[len(c.seen)-1], c.view.At[len(c.view.At)-1].Sub(call.Start) > lookback
	return slices.DeleteFunc(c.seen, func(n int) bool {
		return call.versions[n].State != Final && (n != last || !stands)
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

// seen are the versions of a call that the reader saw, in order.
func (v *View) seen(c *Call, seen []int) []int {
	for _, at := range v.At {
		if n := c.At(at); n >= 0 && (len(seen) == 0 || seen[len(seen)-1] < n) {
			seen = append(seen, n)
		}
	}
	return seen
}

// count counts a call by the first version that was seen.
func (c *Counter) count(call *Call, v *Version) {
	k, trunk := v.Kind, call.Trunk
	c.Calls[CallKey{k.Direction, k.CallType, k.Outcome, trunk.Name}]++
	if k.Outcome.Connected() {
		AddSpan(c.Durations, DurationKey{k.Direction, k.CallType, trunk.Name}, v.Duration)
		c.Connected[ConnectedKey{k.Direction, k.CallType, trunk.Name, call.Country()}] += v.Duration
		if !call.Invite.IsZero() {
			AddSpan(c.Setup, SetupKey{k.Direction, trunk.Name}, call.Start.Sub(call.Invite))
		}
	} else {
		c.Failures[failureKey(call, k)]++
	}
	if !k.NoMedia && trunk.Bypass.Known() {
		c.MediaBypass[MediaBypassKey{trunk.Name, trunk.Bypass}]++
	}
	if !k.NoMedia && (trunk.Media != "" || trunk.Signaling != "") {
		c.Locations[LocationKey{trunk.Media, trunk.Signaling}]++
	}
	if k.Emergency != cdr.NoEmergency {
		c.Emergency[EmergencyKey{k.Outcome, k.Emergency == cdr.EmergencyTest}]++
	}
	for i := range k.Legs {
		if !c.view.Simple {
			c.Legs[LegKey{k.Legs[i].Type, k.Legs[i].Outcome}]++
		}
	}
}

// Forgive takes back the failure of a call that was counted: it is that of another record too (guarantee 3).
func (c *Counter) Forgive(call *Call, v *Version) {
	key := failureKey(call, v.Kind)
	if c.Failures[key]--; c.Failures[key] == 0 {
		delete(c.Failures, key)
	}
}

func failureKey(call *Call, k *Kind) FailureKey {
	code := func(n cdr.Int) string {
		if !n.Known {
			return ""
		}
		return strconv.FormatInt(n.Value, 10)
	}
	return FailureKey{k.Direction, call.Trunk.Name, k.Outcome, code(k.SIPCode), code(k.SubCode)}
}

// AddSpan counts a duration.
func AddSpan[K comparable](spans map[K]Span, key K, d time.Duration) {
	spans[key] = Span{spans[key].Count + 1, spans[key].Sum + d}
}

// revision counts a version that came after another.
func (c *Counter) revision(key ChargeKey, before, after *Version) {
	changed, filled := c.revise(key, before, after)
	if before.Kind.Outcome != after.Kind.Outcome {
		c.OutcomeChanges[OutcomeChange{before.Kind.Outcome, after.Kind.Outcome}]++
		changed = true
	}
	if changed {
		c.Revisions++
	} else if filled {
		c.Filled++
	}
}

// revise counts the amounts that one version changed of the one before, or brought.
func (c *Counter) revise(key ChargeKey, before, after *Version) (changed, filled bool) {
	for i, p := range [...][2]Price{{before.Usage, after.Usage}, {before.Connection, after.Connection}} {
		key.Component = c.mix.components()[i]
		switch was, is := p[0], p[1]; {
		case !was.Known && is.Known:
			filled = true
			if key.Currency = c.currency(after); is.Amount > 0 { // zero makes no series
				c.Charges[key] += is.Amount
			} else {
				c.correct(key, after, is.Amount)
			}
		case !was.Known:
		case before.Currency != after.Currency:
			// What was paid comes back, and is paid anew in the other currency.
			c.correct(key, before, -was.Amount)
			c.correct(key, after, is.Amount)
			changed = true
		case was.Amount != is.Amount:
			c.correct(key, after, is.Amount-was.Amount)
			changed = true
		}
	}
	return changed, filled
}

// correct counts a change of a component: debit if it costs more.
func (c *Counter) correct(key ChargeKey, v *Version, difference Amount) {
	key.Currency = c.currency(v)
	switch {
	case difference > 0:
		c.Corrections[CorrectionKey{key, "debit"}] += difference
	case difference < 0:
		c.Corrections[CorrectionKey{key, "credit"}] -= difference
	}
}

func (c *Counter) currency(v *Version) string {
	if v.Currency == "" {
		return c.mix.NoCurrency
	}
	return v.Currency
}
