package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

// pendingEdge is an edge that the commit under way adds.
type pendingEdge struct {
	trunk  *Trunk
	at     int64 // microseconds since 1970
	change int32
}

// minuteChange is a minute as the commit under way leaves it, nil for an empty one.
type minuteChange struct {
	trunk *Trunk
	at    int64
	now   *minute
}

// connecting is the working copy of the connected calls.
type connecting struct {
	edges   []pendingEdge
	fresh   []*Trunk // new in this commit
	touched []*Trunk
	minutes []minuteChange
	base    int64 // the first minute that is kept before the commit folds any
	from    int64 // the first minute that is kept after the commit
	end     int64 // when the hour ends that is shown after the commit
	gather  []edge
	settled bool // Connected was called
	dropped bool // a call was left out, since it ended before all that is kept
}

// reset empties it and keeps its memory.
func (w *connecting) reset() {
	*w = connecting{edges: w.edges[:0], fresh: w.fresh[:0], touched: w.touched[:0], minutes: w.minutes[:0], gather: w.gather[:0]}
}

// Connect counts a call as connected over a trunk, folded past the limit, and says what
// to take off again if that turns out otherwise: an empty span if the call ended before
// all that is kept.
func (t *Tally) Connect(trunk string, start, end time.Time) Span {
	s := Span{Start: start.UnixMicro(), End: end.UnixMicro()}
	if s.End <= t.feed.connected.from*minuteMicros {
		t.connecting.dropped = true
		return Span{}
	}
	on := t.trunkOf(trunk)
	s.Trunk = on.ID
	t.edge(on, &s, 1)
	return s
}

// Reconnect counts a call anew that was counted with a span, over the same trunk.
func (t *Tally) Reconnect(was Span, start, end time.Time) Span {
	t.Disconnect(was)
	now := Span{Trunk: was.Trunk, Start: start.UnixMicro(), End: end.UnixMicro()}
	if on := t.feed.connected.byID[was.Trunk]; on != nil {
		t.edge(on, &now, 1)
	}
	return now
}

// Disconnect takes a span off again.
func (t *Tally) Disconnect(was Span) {
	if on := t.feed.connected.byID[was.Trunk]; on != nil {
		t.edge(on, &was, -1)
	}
}

func (t *Tally) edge(on *Trunk, s *Span, change int32) {
	t.connecting.edges = append(t.connecting.edges,
		pendingEdge{trunk: on, at: s.Start, change: change}, pendingEdge{trunk: on, at: s.End, change: -change})
}

// trunkOf finds or makes the trunk of a name. A trunk is remembered for good: there are
// no more of them than the limit, and the one that the others fold into.
func (t *Tally) trunkOf(name string) *Trunk {
	c := &t.feed.connected
	name = cleanLabel(name)
	if on := c.byName[name]; on != nil {
		return on
	}
	if len(c.byName) >= t.store.options.SeriesLimit {
		name = OverflowValue
		if on := c.byName[name]; on != nil {
			return on
		}
	}
	on := t.feed.newTrunk(int64(len(c.byName)+1), strings.Clone(name), 0)
	c.byName[on.Name], c.byID[on.ID] = on, on
	t.connecting.fresh = append(t.connecting.fresh, on)
	return on
}

// Connected settles what the commit makes of the connected calls: from is the first minute
// that is still needed, end when the hour ends that is shown. It returns the first minute
// that is kept, which may be later.
func (t *Tally) Connected(from int64, end time.Time) int64 {
	w, c := &t.connecting, &t.feed.connected
	w.base = c.from
	if from < c.from && len(c.list) == 0 && !w.dropped {
		w.base = from // the origin has moved back, and nothing was folded or left out yet
	}
	w.from, w.end, w.settled = max(from, w.base), end.UnixMicro(), true
	for _, on := range w.fresh {
		t.touch(on)
	}
	slices.SortFunc(w.edges, func(a, b pendingEdge) int {
		if a.trunk != b.trunk {
			return cmp.Compare(a.trunk.ID, b.trunk.ID)
		}
		return cmp.Compare(a.at, b.at)
	})
	weight := c.weight
	for rest := w.edges; len(rest) > 0; {
		n := t.sameMinute(rest)
		weight += t.settleMinute(rest[:n])
		rest = rest[n:]
	}
	if weight > c.limit {
		w.from = max(w.from, t.lighter(weight))
	}
	if w.from > w.base {
		t.fold()
	}
	return w.from
}

// sameMinute is how many of the edges lie in the first one's minute, or before all that
// is kept as the first does.
func (t *Tally) sameMinute(edges []pendingEdge) int {
	first := edges[0]
	before := t.connecting.base - 1
	minute := max(floorMinute(first.at), before)
	n := 1
	for n < len(edges) && edges[n].trunk == first.trunk && max(floorMinute(edges[n].at), before) == minute {
		n++
	}
	return n
}

// settleMinute adds the edges of one minute and trunk and says how much more that is to
// keep.
func (t *Tally) settleMinute(edges []pendingEdge) int {
	w := &t.connecting
	on, at := edges[0].trunk, floorMinute(edges[0].at)
	t.touch(on)
	if at < w.base {
		for _, e := range edges {
			on.nextBefore += int64(e.change)
		}
		return 0
	}
	w.gather = w.gather[:0]
	for _, e := range edges {
		w.gather = append(w.gather, edge{at: uint32(e.at - at*minuteMicros), change: e.change})
	}
	was := on.minutes[at]
	now := was.with(w.gather)
	w.minutes = append(w.minutes, minuteChange{trunk: on, at: at, now: now})
	return now.weight() - was.weight()
}

// touch opens the working copy of a trunk.
func (t *Tally) touch(on *Trunk) {
	if !on.touched {
		on.touched, on.nextBefore = true, on.before
		t.connecting.touched = append(t.connecting.touched, on)
	}
}

// lighter is the first minute to keep so that what is kept weighs three quarters of what
// it may.
func (t *Tally) lighter(weight int) int64 {
	c, byMinute := &t.feed.connected, make(map[int64]int)
	t.eachMinute(func(_ *Trunk, at int64, m *minute) { byMinute[at] += m.weight() })
	from := c.from
	for _, at := range slices.Sorted(maps.Keys(byMinute)) {
		if weight <= c.limit/4*3 {
			break
		}
		weight -= byMinute[at]
		from = at + 1
	}
	return from
}

// eachMinute yields every minute as the commit leaves it.
func (t *Tally) eachMinute(yield func(on *Trunk, at int64, m *minute)) {
	type place struct {
		on *Trunk
		at int64
	}
	changed := make(map[place]bool, len(t.connecting.minutes))
	for _, m := range t.connecting.minutes {
		changed[place{m.trunk, m.at}] = true
		if m.now != nil {
			yield(m.trunk, m.at, m.now)
		}
	}
	for _, on := range t.feed.connected.list {
		for at, m := range on.minutes {
			if !changed[place{on, at}] {
				yield(on, at, m)
			}
		}
	}
}

// fold puts what lies before the first minute that is kept into the numbers of the trunks.
func (t *Tally) fold() {
	w := &t.connecting
	t.eachMinute(func(on *Trunk, at int64, m *minute) {
		if at < w.from && m.sum != 0 {
			t.touch(on)
			on.nextBefore += m.sum
		}
	})
	w.minutes = slices.DeleteFunc(w.minutes, func(m minuteChange) bool { return m.at < w.from })
}

// Trunks are the trunks whose line in the ledger changes, or is new.
func (t *Tally) Trunks() []*Trunk {
	return slices.DeleteFunc(slices.Clone(t.connecting.touched), func(on *Trunk) bool { return on.stored && on.nextBefore == on.before })
}

// Minutes are the minutes that change; data is nil for one that nothing is left of.
func (t *Tally) Minutes(yield func(trunk, at int64, data []byte) error) error {
	var buf []byte
	for _, m := range t.connecting.minutes {
		data := []byte(nil)
		if m.now != nil {
			buf = m.now.append(buf[:0])
			data = buf
		}
		if err := yield(m.trunk.ID, m.at, data); err != nil {
			return err
		}
	}
	return nil
}

// apply makes the working copy visible; Store.mu is held.
func (w *connecting) apply(c *concurrency) {
	if !w.settled {
		return
	}
	c.list = append(c.list, w.fresh...)
	for _, on := range w.touched {
		on.before, on.stored = on.nextBefore, true
	}
	for _, m := range w.minutes {
		c.weight += m.now.weight() - m.trunk.minutes[m.at].weight()
		if m.now == nil {
			delete(m.trunk.minutes, m.at)
		} else {
			m.trunk.minutes[m.at] = m.now
		}
	}
	if w.from > c.from {
		c.forget(w.from)
	}
	moved := w.from != c.from || w.end != c.end
	c.from, c.end = w.from, w.end
	c.look(moved)
	for _, on := range w.touched {
		on.touched = false
	}
}

// forget drops the minutes before one.
func (c *concurrency) forget(from int64) {
	for _, t := range c.list {
		for at, m := range t.minutes {
			if at < from {
				c.weight -= m.weight()
				delete(t.minutes, at)
			}
		}
	}
}

// discard forgets the working copy.
func (w *connecting) discard(c *concurrency) {
	for _, on := range w.touched {
		on.touched = false
	}
	for _, on := range w.fresh {
		delete(c.byName, on.Name)
		delete(c.byID, on.ID)
	}
}
