package collector

import "time"

// next says which level's turn it is, given the level of the poll before (-1 if
// there was none). It is always some level's: with nothing due, level 0's.
//
// Of what is due the deepest is taken (counting.md 6). A task under way takes
// turns with what is due above it, so that neither waits for more than a piece
// of the other.
func (p *plan) next(v view, before int, usable, failing func(level int) bool) int {
	under := -1
	for _, t := range p.open {
		if usable(t.Level) {
			under = t.Level
		}
	}
	if under < 0 {
		return max(0, p.deepest(v, len(p.reads)-1, usable, failing))
	}
	if before != under {
		return under
	}
	// The shallowest task under way first, unless something shallower still is due.
	other := under
	for _, t := range p.open {
		if t.Level < other && usable(t.Level) {
			other = t.Level
		}
	}
	if m := p.deepest(v, other-1, usable, failing); m >= 0 {
		return m
	}
	return other
}

// deepest is the deepest level up to top that is due and may be read, -1 if none is.
func (p *plan) deepest(v view, top int, usable, failing func(level int) bool) int {
	for m := top; m >= 0; m-- {
		if usable(m) && p.task(m) == nil && p.wait(m, v, failing) <= p.ladder.early() {
			return m
		}
	}
	return -1
}

// wait is how long a level without a task can wait for its next read.
func (p *plan) wait(level int, v view, failing func(level int) bool) time.Duration {
	return p.due(level, v, failing).Sub(v.now)
}

// due is when a level without a task is to be read again at the latest; one that
// fails is due at once, to be tried again.
func (p *plan) due(level int, v view, failing func(level int) bool) time.Time {
	if failing(level) || level == p.ladder.last() && p.behind(v) {
		return time.Time{}
	}
	base := p.base(level)
	if !p.reads[level].IsZero() {
		// What a failing task has taken on is due in its own time.
		base = latest(p.reads[level], p.deeper(level, func(m int) bool { return !failing(m) }))
	}
	if base.IsZero() {
		return base
	}
	return base.Add(p.ladder.period(level))
}

// relieved says whether a deeper level without a task is due: it will be read
// next, and answers for what this one is late with.
func (p *plan) relieved(level int, v view) bool {
	for m := level + 1; m < len(p.reads); m++ {
		if p.task(m) == nil && p.wait(m, v, func(int) bool { return false }) <= p.ladder.early() {
			return true
		}
	}
	return false
}

// newTask makes the task of a level's read that begins now.
func (p *plan) newTask(level int, v view) task {
	last, deep := p.ladder.last(), p.ladder.reach(p.ladder.last())
	from, relieved := v.now, p.relieved(level, v)
	for m := 0; m <= level; m++ {
		from = earliest(from, v.now.Add(-p.ladder.reach(m)))
		// A read that comes late still owes what was late when the one before began.
		if base := p.base(m); !base.IsZero() && !relieved {
			from = earliest(from, base.Add(-p.ladder.owed(m)))
		}
	}
	if level == last && (p.reads[last].IsZero() || p.behind(v) || from.Before(v.now.Add(-deep))) {
		// Catch-up (counting.md 8), or the first history, whose watermark is the origin.
		from = earliest(from, earliest(v.now, v.watermark).Add(-deep))
	}
	from = latest(from, v.floor)
	if !from.Before(v.now) {
		from = v.now.Add(-overlap)
	}
	return task{Level: level, Wanted: v.now, Join: from, Cursor: from, Old: p.old(from, v), To: v.now}
}

// old is up to where a read that begins at from reads what no later one covers. A
// read on time leaves nothing of that kind: what it reaches furthest was read
// before. One that is late, or catches up, may be the only one to see calls that
// the next deepest read, up to a period later, no longer owes.
func (p *plan) old(from time.Time, v view) time.Time {
	last := p.ladder.last()
	reach := v.now.Add(-p.ladder.reach(last))
	if from.Before(reach.Add(-p.ladder.interval)) {
		return v.now.Add(-p.ladder.owed(last))
	}
	return reach
}

// nextTask is the task of a level: the one under way, or a new one. One of which
// nothing was read begins anew, so that it ends now.
func (p *plan) nextTask(level int, v view) task {
	under := p.task(level)
	if under != nil && under.started() && under.To.After(v.edge) {
		return *under
	}
	t := p.newTask(level, v)
	if under != nil {
		t.Wanted, t.Lost = under.Wanted, under.Lost
	}
	return t
}
