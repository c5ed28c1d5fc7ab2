package plan

import "time"

// NextLevel says which level's turn it is, given the level of the poll before (-1 if there was none): of what is due the deepest
// (counting.md 6), and with nothing due level 0. A task under way takes turns with what is due above it, so that neither waits for more than
// a piece of the other.
func (p *Plan) NextLevel(v View, before int, usable, failing func(level int) bool) int {
	var open []int
	for _, t := range p.Open {
		if usable(t.Level) {
			open = append(open, t.Level)
		}
	}
	if len(open) == 0 {
		return max(0, p.deepest(v, len(p.Reads)-1, usable, failing))
	}
	if last := open[len(open)-1]; before != last {
		return last
	}
	// The shallowest task under way, unless something shallower still is due.
	if m := p.deepest(v, open[0]-1, usable, failing); m >= 0 {
		return m
	}
	return open[0]
}

// deepest is the deepest level up to top that is due and may be read, -1 if none is.
func (p *Plan) deepest(v View, top int, usable, failing func(level int) bool) int {
	for m := top; m >= 0; m-- {
		if usable(m) && p.OpenTask(m) == nil && p.Due(m, v, failing).Sub(v.Now) <= p.Ladder.early() {
			return m
		}
	}
	return -1
}

// Due is when a level without a task is to be read again at the latest; one that fails is due at once.
func (p *Plan) Due(level int, v View, failing func(level int) bool) time.Time {
	if failing(level) || level == p.Ladder.Last() && p.behind(v) {
		return time.Time{}
	}
	base := p.base(level)
	if !p.Reads[level].IsZero() {
		// What a failing task has taken on is due in its own time.
		base = Latest(p.Reads[level], p.deeper(level, func(m int) bool { return !failing(m) }))
	}
	if base.IsZero() {
		return base
	}
	return base.Add(p.Ladder.Period(level))
}

// relieved says whether a deeper level without a task is due: it will be read
// next, and answers for what this one is late with.
func (p *Plan) relieved(level int, v View) bool {
	deeper := func(m int) bool { return m > level }
	return p.deepest(v, p.Ladder.Last(), deeper, func(int) bool { return false }) >= 0
}

// newTask makes the task of a level's read that begins now.
func (p *Plan) newTask(level int, v View) Task {
	last, deep := p.Ladder.Last(), p.Ladder.Reach(p.Ladder.Last())
	from, relieved := v.Now, p.relieved(level, v)
	for m := 0; m <= level; m++ {
		from = Earliest(from, v.Now.Add(-p.Ladder.Reach(m)))
		// A read that comes late still owes what was late when the one before began.
		if base := p.base(m); !base.IsZero() && !relieved {
			from = Earliest(from, base.Add(-p.Ladder.Owed(m)))
		}
	}
	if level == last && (p.Reads[last].IsZero() || p.behind(v) || from.Before(v.Now.Add(-deep))) {
		// Catch-up (counting.md 8), or the first history, whose watermark is the origin.
		from = Earliest(from, Earliest(v.Now, v.Watermark).Add(-deep))
	}
	from = Latest(from, v.Floor)
	if !from.Before(v.Now) {
		from = v.Now.Add(-Overlap)
	}
	return Task{Level: level, Wanted: v.Now, Join: from, Cursor: from, Old: p.old(from, v), To: v.Now}
}

// old is up to where a read that begins at from reads what no later one covers. A
// read on time leaves nothing of that kind: what it reaches furthest was read
// before. One that is late, or catches up, may be the only one to see calls that
// the next deepest read, up to a period later, no longer owes.
func (p *Plan) old(from time.Time, v View) time.Time {
	last := p.Ladder.Last()
	reach := v.Now.Add(-p.Ladder.Reach(last))
	if from.Before(reach.Add(-p.Ladder.Interval)) {
		return v.Now.Add(-p.Ladder.Owed(last))
	}
	return reach
}

// NextTask is the task of a level: the one under way, or a new one. One of which
// nothing was read begins anew, so that it ends now.
func (p *Plan) NextTask(level int, v View) Task {
	under := p.OpenTask(level)
	if under != nil && under.started() && under.To.After(v.Edge) {
		return *under
	}
	t := p.newTask(level, v)
	if under != nil {
		t.Wanted, t.Lost = under.Wanted, under.Lost
	}
	return t
}
