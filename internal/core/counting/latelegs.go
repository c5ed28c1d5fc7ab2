package counting

import (
	"bytes"
	"iter"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// raise sets each counted time to the time of the call if that is longer, and passes on by how much it grew. A late
// leg may turn the direction in which a call occupies a trunk; what is counted of the trunk isn't counted again.
func (c *rememberedCall) raise(call *calls.Call, grew func(trunk string, direction cdr.Direction, by time.Duration)) {
	to := func(trunk string, direction cdr.Direction, connected []cdr.Interval) {
		at := slices.IndexFunc(c.Times, func(t CountedTime) bool {
			return t.Trunk == trunk && t.Direction == direction
		})
		if at < 0 {
			at, c.Times = len(c.Times), append(c.Times, CountedTime{Trunk: trunk, Direction: direction})
		}
		by := calls.Length(connected) - c.Times[at].Length
		if trunk != "" {
			by = min(by, occupied(call, trunk)-c.counted(trunk))
		}
		if by > 0 {
			c.Times[at].Length += by
			grew(trunk, direction, by)
		}
	}
	to("", 0, call.Connected)
	for i := range call.Trunks {
		t := &call.Trunks[i]
		to(t.Trunk, t.Direction, t.Connected)
	}
}

// occupied is how long a call occupies a trunk in both directions, counted how much of that is counted.
func occupied(call *calls.Call, trunk string) (sum time.Duration) {
	for i := range call.Trunks {
		if t := &call.Trunks[i]; t.Trunk == trunk {
			sum += calls.Length(t.Connected)
		}
	}
	return sum
}

func (c *rememberedCall) counted(trunk string) (sum time.Duration) {
	for _, t := range c.Times {
		if t.Trunk == trunk {
			sum += t.Length
		}
	}
	return sum
}

// countedDays are how many days a call may begin before or after a leg of it.
const countedDays = int64(calls.Longest / daySpan)

// remembered goes through the calls under a key that were counted and began within countedDays of a leg's start, the
// earliest first.
func (d *Decision) remembered(key Hash, start time.Time) iter.Seq2[*storedState, *rememberedCall] {
	return func(yield func(*storedState, *rememberedCall) bool) {
		for day := dayOf(start) - countedDays; day <= dayOf(start)+countedDays; day++ {
			st := d.states[d.hasher.pair(kindCounted, key, day)]
			if st == nil {
				continue
			}
			c := new(rememberedCall)
			if d.failed(c.parse(st.Data)) || !yield(st, c) {
				return
			}
		}
	}
}

// findRemembered finds the call under a key that was counted and that a leg with this start belongs
// to, and where it is remembered; nil if there is none. That is a call that began up to two days
// before the leg, otherwise the next one after it.
func (d *Decision) findRemembered(key Hash, start time.Time) (found *storedState, call *rememberedCall) {
	nearest := 2*calls.Longest + 1
	for st, c := range d.remembered(key, start) {
		apart := start.Sub(c.Began)
		if apart.Abs() > calls.Longest {
			continue
		}
		if apart < 0 {
			apart = calls.Longest - apart
		}
		if apart < nearest {
			found, call, nearest = st, c, apart
		}
	}
	return found, call
}

// findCallOfLeg finds the call that counted an earlier version of a leg, and where it is remembered; nil if there is
// none. It counted under the key that the leg had then: a parent may lead to another call that was counted too.
func (d *Decision) findCallOfLeg(key Hash, start time.Time, legs []cdr.Leg) (*storedState, *rememberedCall) {
	known := compactLegs(legs, d.hasher)
	for _, key := range d.path(key) {
		for st, c := range d.remembered(key, start) {
			if c.has(known) {
				return st, c
			}
		}
	}
	return nil, nil
}

// addLateLeg takes up a leg that came after its call was counted, or a later version of one. The page counts its
// late legs together, so that the order of rows changes nothing.
func (d *Decision) addLateLeg(st *storedState, c *rememberedCall, leg *waitingLeg) {
	if leg.Open {
		return
	}
	c.replaceLegs(compactLegs(leg.Legs, d.hasher))
	if bytes.Equal(c.append(nil), st.Data) {
		return // another price, for example
	}
	c.Grown = true
	d.keepState(st, c.append)
	if !slices.Contains(d.grown, st) {
		d.grown = append(d.grown, st)
	}
	if !c.Ignored {
		d.logLeg(leg)
	}
}

// countLateLegs counts what the page's late legs add to their calls.
func (d *Decision) countLateLegs() {
	for _, st := range d.grown {
		var was, c rememberedCall
		if d.failed(was.parse(st.was)) || d.failed(c.parse(st.Data)) {
			return
		}
		if !c.Ignored {
			d.countGrowth(&c, calls.Of(was.legs))
			d.keepState(st, c.append)
		}
	}
}

// countGrowth counts by how much late legs changed a call: the connected time that they add, talk time if the call had
// none, and the outcome if that changed. Labels and failures stay.
func (d *Decision) countGrowth(c *rememberedCall, was calls.Call) {
	now := calls.Of(c.legs)
	r := &cdr.Record{Start: c.Began, Trunk: c.Trunk}
	c.Labels.ApplyTo(r)
	c.raise(&now, func(trunk string, direction cdr.Direction, by time.Duration) {
		if trunk == "" {
			d.note(facts.Fact{Kind: facts.Connected, Record: r, Time: by})
		} else {
			d.note(facts.OnTrunk(r, trunk, direction, by))
		}
	})
	if len(now.Talk) > 0 && !c.talked {
		c.talked = true
		d.note(facts.Fact{Kind: facts.Talk, Record: r, Time: calls.Length(now.Talk)})
	}
	// Legs that ended alike are in the order of their ids, which are hashes by now.
	if now.Outcome != c.outcome && now.Outcome != was.Outcome {
		d.note(facts.Fact{Kind: facts.OutcomeChange, Record: r, From: c.outcome, To: now.Outcome})
		c.outcome, c.Changed = now.Outcome, true
	}
	d.addTrunkEdges(&was, -1)
	d.addTrunkEdges(&now, 1)
}

// replaceLegs replaces the legs that a record's earlier version gave. The leg on a second trunk has the id of its
// record and comes after the record's own leg.
func (c *rememberedCall) replaceLegs(legs []cdr.Leg) {
	next := make(map[string]int)
	for _, l := range legs {
		at := next[l.ID]
		for at < len(c.legs) && c.legs[at].ID != l.ID {
			at++
		}
		if at == len(c.legs) {
			c.legs = append(c.legs, l)
		}
		c.legs[at], next[l.ID] = l, at+1
	}
}

// has says whether the call has one of the legs.
func (c *rememberedCall) has(legs []cdr.Leg) bool {
	return slices.ContainsFunc(c.legs, func(l cdr.Leg) bool {
		return slices.ContainsFunc(legs, func(m cdr.Leg) bool { return l.ID == m.ID })
	})
}
