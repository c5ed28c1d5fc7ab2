package plan

import "time"

// maxPasses is how often a range that no later read will cover is read
// (counting.md 9).
const maxPasses = 5

// Step is one piece of a read: what one poll reads.
type Step struct {
	Span
	// LastChance says that no later read will cover it, so it is read until a pass
	// finds nothing new.
	LastChance bool
	// lost is how much time before from the provider no longer keeps.
	lost time.Duration
}

// nextPiece cuts the next piece off a read, at most longest.
func (t *LevelRead) nextPiece(longest time.Duration, v View) Step {
	s := Step{Span: Span{From: t.Cursor}}
	if t.Cursor.After(t.Join) {
		s.From = t.Cursor.Add(-Overlap)
	}
	s.From = Latest(s.From, v.Floor)
	if s.From.Before(v.Edge) {
		// Time before the watermark was read; only the time after it is lost.
		s.From = v.Edge
		s.lost = max(0, v.Edge.Sub(Latest(t.Cursor, v.Watermark)))
	}
	if !s.From.Before(t.To) {
		s.From = t.To.Add(-Overlap) // the floor has passed it: a formality is left
	}
	s.To = Earliest(t.To, s.From.Add(max(longest, 2*Overlap)))
	s.LastChance = Latest(t.Cursor, s.From).Before(t.LastChance)
	if s.LastChance {
		s.To = Earliest(s.To, t.LastChance)
	}
	if t.Pass > 0 && t.End.After(s.From) {
		s.To = Earliest(s.To, t.End)
	}
	return s
}

// Finish records that step s of t was read to its end, found this number of new records,
// and began at a time of the later clock. The read can't have seen calls that started
// after that instant. So stamps move no further than it, and the watermark no further
// than the earlier clock.
func (p *Plan) Finish(t LevelRead, s Step, found int, v View, began time.Time) (watermark time.Time, historyDone bool) {
	watermark = v.Watermark
	earlier := began.Add(-v.Gap)
	t.Lost += s.lost
	top := p.trimFuture(&t, began)
	if s.LastChance && found > 0 && t.Pass+1 < maxPasses {
		t.Pass, t.End = t.Pass+1, s.To
		t.Cursor = Latest(t.Cursor, s.From)
		p.PutRead(t)
		return watermark, false
	}
	t.Cursor, t.Pass, t.End = Earliest(s.To, t.To), 0, time.Time{}
	whole := !t.Join.After(v.Floor) // all that may be read
	if !t.Join.After(v.Watermark) {
		to := Earliest(t.Cursor, earlier)
		if t.Level < p.Ladder.Last() && !whole {
			to = Earliest(to, p.deepestDueAt(v))
		}
		watermark = Latest(watermark, to)
	}
	if t.Cursor.Before(t.To) {
		p.PutRead(t)
	} else {
		p.stampLevels(&t, top, whole, v.Gap)
		if to := Earliest(t.To, earlier); to.After(t.Join) {
			p.Joined = p.Joined.join(t.Join, to)
		}
		historyDone = !t.Join.After(watermark)
	}
	if !p.Joined.From.After(watermark) {
		watermark = Latest(watermark, Earliest(Earliest(p.Joined.To, earlier), p.deepestDueAt(v)))
	}
	return watermark, historyDone
}

// trimFuture removes from a read the time that lay in the future when it was read, because our
// clock was ahead. It returns the deepest level of which it still is a whole read.
func (p *Plan) trimFuture(t *LevelRead, began time.Time) int {
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

// deepestDueAt is when the deepest level is due, by the earlier clock. Shallow reads move the watermark no further: a
// catch-up must still reach all that is owed from before it. Otherwise the floor would rise past calls that are still
// to come while the deepest level keeps failing. If that was never read, the time is before any watermark.
func (p *Plan) deepestDueAt(v View) time.Time {
	last := p.Ladder.Last()
	return p.Levels[last].Read.Add(p.Ladder.Period(last) - v.Gap)
}

// stampLevels stamps the levels of which a finished read is a whole read: those up to top,
// or all if it read everything that may be read. It ends the reads under way that it covers.
func (p *Plan) stampLevels(t *LevelRead, top int, whole bool, gap time.Duration) {
	if whole {
		top = p.Ladder.Last()
	}
	p.Expired += t.Lost
	began := t.Wanted.Add(-gap) // by the earlier clock
	for m := range max(top, t.Level) + 1 {
		l := &p.Levels[m]
		if l.Open != nil && !l.Open.Wanted.After(t.Wanted) {
			l.Open = nil
		}
		switch {
		case m > top:
			continue
		case t.Again && m == t.Level:
			l.Again = Again{From: began.Add(l.Again.Wait), Wait: 2 * l.Again.Wait}
		case !l.Again.At.After(began):
			l.Again = Again{}
		}
		l.Read = Latest(l.Read, t.To)
	}
}

// Lost is how much time the provider no longer kept, reads under way included.
func (p *Plan) Lost() time.Duration {
	sum := p.Expired
	for _, l := range p.Levels {
		if l.Open != nil {
			sum += l.Open.Lost
		}
	}
	return sum
}
