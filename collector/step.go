package collector

import "time"

// maxPasses is how often a range that no later read will cover is read
// (counting.md 9).
const maxPasses = 5

// step is one piece of a task: what one poll reads.
type step struct {
	from, to time.Time
	// old says that no later read will cover it, so it is read until a pass finds
	// nothing new.
	old bool
	// lost is how much time before from the provider no longer keeps.
	lost time.Duration
}

// step cuts the next piece off a task, at most so long.
func (t *task) step(longest time.Duration, v view) step {
	s := step{from: t.Cursor}
	if t.Cursor.After(t.Join) {
		s.from = t.Cursor.Add(-overlap)
	}
	s.from = latest(s.from, v.floor)
	if s.from.Before(v.edge) {
		// What lies before the watermark has been looked for; only the rest is lost.
		s.from = v.edge
		s.lost = max(0, v.edge.Sub(latest(t.Cursor, v.watermark)))
	}
	if !s.from.Before(t.To) {
		s.from = t.To.Add(-overlap) // the floor has passed it: a formality is left
	}
	s.to = earliest(t.To, s.from.Add(max(longest, 2*overlap)))
	s.old = latest(t.Cursor, s.from).Before(t.Old)
	if s.old {
		s.to = earliest(s.to, t.Old)
	}
	if t.Pass > 0 && t.End.After(s.from) {
		s.to = earliest(s.to, t.End)
	}
	return s
}

// progress is what a complete read of a step changes in the ledger.
type progress struct {
	watermark   time.Time
	historyDone bool
}

// finish takes note of a complete read of a step of t that found so many new
// records and began at an instant of the provider's own time. What started after
// that can't have been looked for, so neither watermark nor stamps go further.
func (p *plan) finish(t task, s step, found int, v view, began time.Time) progress {
	t.Lost += s.lost
	top := p.trim(&t, began)
	if s.old && found > 0 && t.Pass+1 < maxPasses {
		t.Pass, t.End = t.Pass+1, s.to
		t.Cursor = latest(t.Cursor, s.from)
		p.putTask(t)
		return progress{watermark: v.watermark}
	}
	t.Cursor, t.Pass, t.End = earliest(s.to, t.To), 0, time.Time{}
	whole := !t.Join.After(v.floor) // all that may be read
	done := progress{watermark: v.watermark}
	if !t.Join.After(v.watermark) {
		to := earliest(t.Cursor, began)
		if t.Level < p.ladder.last() && !whole {
			to = earliest(to, p.bound(v))
		}
		done.watermark = latest(done.watermark, to)
	}
	if t.Cursor.Before(t.To) {
		p.putTask(t)
	} else {
		p.complete(t, top, whole, began)
		done.historyDone = !t.Join.After(done.watermark)
	}
	if !p.joined.From.After(done.watermark) {
		done.watermark = latest(done.watermark, earliest(earliest(p.joined.To, began), p.bound(v)))
	}
	return done
}

// trim takes from a task the time that hadn't come when it was read, because our
// clock was ahead. It returns the deepest level of which it still is a whole read.
func (p *plan) trim(t *task, began time.Time) int {
	ahead := t.To.Sub(began)
	if ahead <= clockSlack {
		return t.Level
	}
	t.To = latest(began, t.Join)
	t.Wanted, t.Cursor = earliest(t.Wanted, t.To), earliest(t.Cursor, t.To)
	top := t.Level
	for top >= 0 && ahead > p.ladder.early() && p.ladder.reach(top)+ahead > p.ladder.reach(t.Level) {
		top--
	}
	return top
}

// bound is how far shallow reads may move the watermark: no further than that
// what is owed from before it lies within a catch-up's reach. Without this a
// deepest level that keeps failing would let the floor rise past calls that are
// still to come.
func (p *plan) bound(v view) time.Time {
	last := p.ladder.last()
	if p.reads[last].IsZero() {
		return v.watermark
	}
	return p.reads[last].Add(p.ladder.reach(last) - p.ladder.owed(last))
}

// complete stamps the levels of which a task that was read to its end is a whole
// read: those up to top, or every one.
func (p *plan) complete(t task, top int, whole bool, began time.Time) {
	if whole {
		top = p.ladder.last()
	}
	for m := 0; m <= top; m++ {
		p.reads[m] = latest(p.reads[m], t.To)
	}
	p.joined = p.joined.join(t.Join, latest(t.Join, earliest(t.To, began)))
	p.unreadable += t.Lost
	p.dropTasks(max(top, t.Level), t.Wanted)
}

// lost is how much time the provider no longer kept, tasks under way included.
func (p *plan) lost() time.Duration {
	sum := p.unreadable
	for i := range p.open {
		sum += p.open[i].Lost
	}
	return sum
}
