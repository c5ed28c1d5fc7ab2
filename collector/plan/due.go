package plan

import (
	"slices"
	"time"
)

// NextLevel returns the level that is read next, given the level of the poll before (-1 if there
// was none): the deepest that is due (counting.md 6), and level 0 if none is. A read under way
// takes turns with shallower levels that are due, so that neither waits for more than a piece of
// the other.
func (p *Plan) NextLevel(v View, before int, usable, failing func(level int) bool) int {
	var open []int
	for m := range p.Levels {
		if p.Levels[m].Open != nil && usable(m) {
			open = append(open, m)
		}
	}
	if len(open) == 0 {
		return max(0, p.deepestDue(v, p.Ladder.Last(), usable, failing))
	}
	if last := open[len(open)-1]; before != last {
		return last
	}
	// The shallowest read under way, unless a still shallower level is due.
	if m := p.deepestDue(v, open[0]-1, usable, failing); m >= 0 {
		return m
	}
	return open[0]
}

// deepestDue is the deepest level up to top that is due and may be read, -1 if none is.
func (p *Plan) deepestDue(v View, top int, usable, failing func(level int) bool) int {
	for m := top; m >= 0; m-- {
		if usable(m) && p.Levels[m].Open == nil && p.Due(m, v, failing).Sub(v.Now) <= p.Ladder.early() {
			return m
		}
	}
	return -1
}

// Due is the time by which a level without a read in progress must be read again; a level that fails is due at once.
func (p *Plan) Due(level int, v View, failing func(level int) bool) time.Time {
	if failing(level) || level == p.Ladder.Last() && p.behind(v) {
		return time.Time{}
	}
	l, base := &p.Levels[level], p.lastRead(level)
	if !l.Read.IsZero() {
		// A read under way that fails doesn't count as one that covers this level.
		base = Latest(l.Read, p.deeperBegun(level, func(m int) bool { return !failing(m) }))
	}
	if base.IsZero() {
		return base
	}
	due := base.Add(p.Ladder.Period(level))
	if !l.Again.At.IsZero() {
		due = Earliest(due, l.Again.At.Add(v.Gap+p.Ladder.early())) // no earlier read counts the call
	}
	return due
}

// Follow schedules an early read for a call that waits for a read once it has settled: of the level
// that covers all times since the call's start, unless that level is read within soon anyway. Such
// reads of a level become rarer, each time half as frequent, until the level is read at its normal time.
func (p *Plan) Follow(start, settled time.Time, soon time.Duration) {
	level, last := 0, p.Ladder.Last()
	for level < last && p.Ladder.Covers(level) < settled.Sub(start) {
		level++
	}
	again := &p.Levels[level].Again
	at := Latest(settled, again.From)
	if p.Ladder.Period(level) <= soon || !again.At.IsZero() && !again.At.After(at) {
		return
	}
	again.At, again.Wait = at, max(again.Wait, soon)
}

// Deeper says whether a deeper level is being read, or will be read early.
func (p *Plan) Deeper(level int) bool {
	return slices.ContainsFunc(p.Levels[level+1:], func(l Level) bool { return l.Open != nil || !l.Again.At.IsZero() })
}

// coveredByDeeper says whether a deeper level without a read under way is due: it will be
// read next and covers what this level is late with.
func (p *Plan) coveredByDeeper(level int, v View) bool {
	deeper := func(m int) bool { return m > level }
	return p.deepestDue(v, p.Ladder.Last(), deeper, func(int) bool { return false }) >= 0
}

// newRead is a level's read that begins now.
func (p *Plan) newRead(level int, v View) LevelRead {
	last, deep := p.Ladder.Last(), p.Ladder.Reach(p.Ladder.Last())
	from, covered := v.EarlierNow(), p.coveredByDeeper(level, v)
	for m := 0; m <= level; m++ {
		from = Earliest(from, v.EarlierNow().Add(-p.Ladder.Reach(m)))
		// A read that comes late still owes what was late when the one before began.
		if base := p.lastRead(m); !base.IsZero() && !covered {
			from = Earliest(from, base.Add(-v.Gap-p.Ladder.Covers(m)))
		}
	}
	if level == last && (p.Levels[last].Read.IsZero() || p.behind(v) || from.Before(v.EarlierNow().Add(-deep))) {
		// Catch-up (counting.md 8), or the first history, whose watermark is the origin.
		from = Earliest(from, Earliest(v.EarlierNow(), v.Watermark).Add(-deep))
	}
	if level < last {
		from = from.Truncate(v.Grain)
	}
	from = Latest(from, v.Floor)
	if !from.Before(v.Now) {
		from = v.Now.Add(-Overlap)
	}
	return LevelRead{
		Level: level, Wanted: v.Now, Join: from, Cursor: from, LastChance: p.lastChanceUntil(from, v),
		To: v.Now, Again: p.isFollowUp(level, v),
	}
}

// isFollowUp says whether a level is due for nothing but Again.
func (p *Plan) isFollowUp(level int, v View) bool {
	base := p.lastRead(level)
	return !p.Levels[level].Again.At.IsZero() && !base.IsZero() &&
		base.Add(p.Ladder.Period(level)).Sub(v.Now) > p.Ladder.early()
}

// lastChanceUntil is up to where a read that begins at from reads what no later read covers.
// For a read on time that is empty, since its furthest part was read before. One that is
// late, or catches up, may be the only one to see calls that the next deepest read, up to a
// period later, no longer reaches.
func (p *Plan) lastChanceUntil(from time.Time, v View) time.Time {
	last := p.Ladder.Last()
	reach := v.EarlierNow().Add(-p.Ladder.Reach(last))
	if from.Before(reach.Add(-p.Ladder.Interval)) {
		return v.EarlierNow().Add(-p.Ladder.Covers(last))
	}
	return reach
}

// NextRead is the read of a level: the open one, or a new one. It replaces an open read
// that hasn't read anything, so that the read ends now.
func (p *Plan) NextRead(level int, v View) LevelRead {
	under := p.Levels[level].Open
	if under != nil && under.started() && under.To.After(v.Edge) {
		return *under
	}
	t := p.newRead(level, v)
	if under != nil {
		t.Wanted, t.Lost, t.Again = under.Wanted, under.Lost, under.Again
	}
	return t
}
