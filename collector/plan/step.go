package plan

import (
	"slices"
	"time"
)

// maxPasses is how often a range that no later read will cover is read
// (counting.md 9).
const maxPasses = 5

// Step is one piece of a task: what one poll reads.
type Step struct {
	From, To time.Time
	// Old says that no later read will cover it, so it is read until a pass finds
	// nothing new.
	Old bool
	// lost is how much time before from the provider no longer keeps.
	lost time.Duration
}

// step cuts the next piece off a task, at most so long.
func (t *Task) step(longest time.Duration, v View) Step {
	s := Step{From: t.Cursor}
	if t.Cursor.After(t.Join) {
		s.From = t.Cursor.Add(-Overlap)
	}
	s.From = Latest(s.From, v.Floor)
	if s.From.Before(v.Edge) {
		// What lies before the watermark has been looked for; only the rest is lost.
		s.From = v.Edge
		s.lost = max(0, v.Edge.Sub(Latest(t.Cursor, v.Watermark)))
	}
	if !s.From.Before(t.To) {
		s.From = t.To.Add(-Overlap) // the floor has passed it: a formality is left
	}
	s.To = Earliest(t.To, s.From.Add(max(longest, 2*Overlap)))
	s.Old = Latest(t.Cursor, s.From).Before(t.Old)
	if s.Old {
		s.To = Earliest(s.To, t.Old)
	}
	if t.Pass > 0 && t.End.After(s.From) {
		s.To = Earliest(s.To, t.End)
	}
	return s
}

// Finish takes note of a complete read of a step of t that found so many new
// records and began at an instant of the provider's own time. What started after
// that can't have been looked for, so neither watermark nor stamps go further.
func (p *Plan) Finish(t Task, s Step, found int, v View, began time.Time) (watermark time.Time, historyDone bool) {
	watermark = v.Watermark
	t.Lost += s.lost
	top := p.trim(&t, began)
	if s.Old && found > 0 && t.Pass+1 < maxPasses {
		t.Pass, t.End = t.Pass+1, s.To
		t.Cursor = Latest(t.Cursor, s.From)
		p.PutTask(t)
		return watermark, false
	}
	t.Cursor, t.Pass, t.End = Earliest(s.To, t.To), 0, time.Time{}
	whole := !t.Join.After(v.Floor) // all that may be read
	if !t.Join.After(v.Watermark) {
		to := Earliest(t.Cursor, began)
		if t.Level < p.Ladder.Last() && !whole {
			to = Earliest(to, p.Bound(v))
		}
		watermark = Latest(watermark, to)
	}
	if t.Cursor.Before(t.To) {
		p.PutTask(t)
	} else {
		p.complete(t, top, whole, began)
		historyDone = !t.Join.After(watermark)
	}
	if !p.Joined.From.After(watermark) {
		watermark = Latest(watermark, Earliest(Earliest(p.Joined.To, began), p.Bound(v)))
	}
	return watermark, historyDone
}

// trim takes from a task the time that hadn't come when it was read, because our
// clock was ahead. It returns the deepest level of which it still is a whole read.
func (p *Plan) trim(t *Task, began time.Time) int {
	ahead := t.To.Sub(began)
	if ahead <= ClockSlack {
		return t.Level
	}
	t.To = Latest(began, t.Join)
	t.Wanted, t.Cursor = Earliest(t.Wanted, t.To), Earliest(t.Cursor, t.To)
	top := t.Level
	for top >= 0 && ahead > p.Ladder.early() && p.Ladder.Reach(top)+ahead > p.Ladder.Reach(t.Level) {
		top--
	}
	return top
}

// Bound is how far shallow reads may move the watermark: what is owed from before it must lie within a catch-up's reach. Else a deepest level
// that keeps failing would let the floor rise past calls that are still to come.
func (p *Plan) Bound(v View) time.Time {
	last := p.Ladder.Last()
	if p.Reads[last].IsZero() {
		return v.Watermark
	}
	return p.Reads[last].Add(p.Ladder.Reach(last) - p.Ladder.Owed(last))
}

// complete stamps the levels of which a task that was read to its end is a whole
// read: those up to top, or every one.
func (p *Plan) complete(t Task, top int, whole bool, began time.Time) {
	if whole {
		top = p.Ladder.Last()
	}
	for m := 0; m <= top; m++ {
		p.Reads[m] = Latest(p.Reads[m], t.To)
	}
	p.Joined = p.Joined.join(t.Join, Latest(t.Join, Earliest(t.To, began)))
	p.Gone += t.Lost
	top = max(top, t.Level)
	p.Open = slices.DeleteFunc(p.Open, func(o Task) bool { return o.Level <= top && !o.Wanted.After(t.Wanted) })
}

// Lost is how much time the provider no longer kept, tasks under way included.
func (p *Plan) Lost() time.Duration {
	sum := p.Gone
	for i := range p.Open {
		sum += p.Open[i].Lost
	}
	return sum
}
