package simulator

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Totals are the counts of a reader that reads at the times of the view. They take about two
// seconds for a million calls.
func (w *World) Totals(v View) Totals {
	c := NewCounter(w.s.Mix, v)
	from, to := c.Bounds()
	w.Each(from, to, func(call *Call) bool {
		c.Add(call)
		return true
	})
	return c.Totals
}

// Counter counts calls as a reader with this view must have counted them.
type Counter struct {
	Totals
	view View
	mix  *Mix
	seen []int
}

// NewCounter counts calls of a mix.
func NewCounter(m *Mix, v View) *Counter {
	return &Counter{view: v, mix: m, Totals: Totals{Ignored: map[string]int{}, Metrics: Tables{}}}
}

// Bounds limit the starts of the calls that the view can have seen.
func (c *Counter) Bounds() (from, to time.Time) {
	if len(c.view.At) == 0 {
		return c.view.From, time.Unix(0, 0)
	}
	// Calls that start after the last instant aren't published by then.
	return c.view.From, c.view.At[len(c.view.At)-1].Add(time.Millisecond)
}

// Add counts a call, which it may change, and returns the version that it counted; nil if it isn't
// a record.
func (c *Counter) Add(call *Call) *Version { return c.add(call, true) }

// AddLeg is Add for a row that is a part of a call: it counts what doesn't wait for the call.
func (c *Counter) AddLeg(leg *Call) *Version { return c.add(leg, false) }

func (c *Counter) add(call *Call, whole bool) *Version {
	if call.Start.Before(c.view.From) {
		return nil
	}
	if c.seen = c.view.seen(call, c.seen[:0]); len(c.seen) == 0 {
		return nil
	}
	c.Rows += call.Copies
	seen := slices.DeleteFunc(c.seen, func(n int) bool { return call.versions[n].InProgress })
	if len(seen) == 0 {
		c.Unfinished++
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
	c.countLegs(first.Kind)
	if whole {
		v := *first
		talk := cdr.KnownLength(v.Duration)
		if v.Kind.Times != nil {
			talk, v.Duration = v.Kind.Times(first, c.view.Queues)
		}
		c.CountCall(call, &v, talk)
	}
	if call.versions[seen[len(seen)-1]].Recorded {
		c.Metrics.Count("cdr_recordings_total", call.Recording.Type)
	}
	// Money has the labels of the first version seen.
	money := moneyOf{first.Kind, call.Country()}
	c.revise(money, &Version{Kind: first.Kind}, first)
	timed := first.Kind.Outcome.Connected()
	for i := 1; i < len(seen); i++ {
		v := &call.versions[seen[i]]
		c.revision(money, &call.versions[seen[i-1]], v)
		if v.Kind.Outcome.Connected() && !timed && whole {
			c.countTimes(call, v, cdr.KnownLength(v.Duration))
			timed = true
		}
	}
	return first
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

// CountCall counts a call in a version, whose duration is the connected time. talk is the persons'
// talk time, if any answered.
func (c *Counter) CountCall(call *Call, v *Version, talk cdr.Length) {
	k, trunk, m := v.Kind, call.Trunk, c.Metrics
	c.Sessions++
	c.Metrics.Add("cdr_calls_total", 1_000_000, k.Direction, k.CallType, k.Outcome, trunk.Name)
	if k.Outcome.Connected() {
		c.countTimes(call, v, talk)
	} else {
		c.countFailure(call, k, 1_000_000)
	}
	if !k.NoMedia && trunk.Bypass.Known() {
		m.Count("cdr_media_bypass_calls_total", trunk.Name, trunk.Bypass)
	}
	if !k.NoMedia && (trunk.Media != "" || trunk.Signaling != "") {
		m.Count("cdr_calls_by_location_total", trunk.Media, trunk.Signaling)
	}
	if k.Emergency != cdr.NoEmergency {
		m.Count("cdr_emergency_calls_total", k.Outcome, k.Emergency == cdr.EmergencyTest)
	}
}

// countLegs counts the legs of a row: those that it lists, else the row itself.
func (c *Counter) countLegs(k *Kind) {
	if len(k.Legs) == 0 {
		c.Metrics.Count("cdr_call_legs_total", k.CallType, k.Outcome)
		return
	}
	if k.LegLabels != nil {
		for _, labels := range k.LegLabels(c.view.Queues) {
			c.Metrics.Count("cdr_call_legs_total", labels)
		}
		return
	}
	for i := range k.Legs {
		c.Metrics.Count("cdr_call_legs_total", k.Legs[i].Type, k.Legs[i].Outcome)
	}
}

// countTimes counts how long a call took, with the first version that shows it connected
// (counting.md 36). Only persons talk: voicemail and machines are connected.
func (c *Counter) countTimes(call *Call, v *Version, talk cdr.Length) {
	k, trunk, m := v.Kind, call.Trunk, c.Metrics
	if k.Outcome == cdr.Answered && talk.Known {
		m.Observe("cdr_call_duration_seconds", talk.Value.Microseconds(), k.Direction, k.CallType, trunk.Name)
	}
	if trunk.Name != "" {
		m.Add("cdr_trunk_connected_seconds_total", v.Duration.Microseconds(), trunk.Name, k.Direction)
	}
	c.Metrics.Add("cdr_call_connected_seconds_total", v.Duration.Microseconds(), k.Direction, k.CallType, trunk.Name,
		call.Country())
	if !call.Invite.IsZero() {
		m.Observe("cdr_call_setup_seconds", call.Start.Sub(call.Invite).Microseconds(), k.Direction, trunk.Name)
	}
}

func (c *Counter) countFailure(call *Call, k *Kind, millionths int64) {
	code := func(n cdr.Int) any {
		if !n.Known {
			return ""
		}
		return n.Value
	}
	c.Metrics.Add("cdr_call_failures_total", millionths, k.Direction, call.Trunk.Name, k.Outcome, code(k.SIPCode),
		code(k.SubCode))
}

// moneyOf is the call whose money is counted.
type moneyOf struct {
	kind    *Kind
	country string
}

// addMoney adds an amount of a version's component; labels come last.
func (c *Counter) addMoney(metric string, of moneyOf, v *Version, component int, amount Amount, labels ...any) {
	currency := cmp.Or(v.Currency, c.mix.NoCurrency)
	all := append([]any{of.kind.Direction, of.kind.CallType, currency, c.mix.Components[component], of.country},
		labels...)
	c.Metrics.Add(metric, int64(amount)*c.mix.MoneyUnit, all...)
}

// revision counts a version that follows another.
func (c *Counter) revision(of moneyOf, before, after *Version) {
	changed := c.revise(of, before, after)
	if before.Kind.Outcome != after.Kind.Outcome {
		c.Metrics.Count("cdr_call_outcome_changes_total", before.Kind.Outcome, after.Kind.Outcome)
		changed = true
	}
	if changed {
		c.Revisions++
	}
}

// revise counts the amounts that one version changed or added.
func (c *Counter) revise(of moneyOf, before, after *Version) (changed bool) {
	for i, p := range [...][2]Price{{before.Usage, after.Usage}, {before.Connection, after.Connection}} {
		was, is := p[0], p[1]
		changed = changed || !was.Known && is.Known || was.Amount != is.Amount
		if !was.Known && is.Amount > 0 { // zero makes no series
			c.addMoney("cdr_call_charges_total", of, after, i, is.Amount)
		} else {
			c.correct(of, after, i, is.Amount-was.Amount)
		}
	}
	return changed
}

// correct counts a change of a component: debit if it costs more.
func (c *Counter) correct(of moneyOf, v *Version, component int, difference Amount) {
	switch {
	case difference > 0:
		c.addMoney("cdr_call_charge_corrections_total", of, v, component, difference, "debit")
	case difference < 0:
		c.addMoney("cdr_call_charge_corrections_total", of, v, component, -difference, "credit")
	}
}
