package wavix

import (
	"slices"
)

const (
	// matchSlack is how many rows may be elsewhere than where they must be if rows only
	// ever come in and keep their order: some are taken away, rows of the same second may
	// change places, and some come in while pages are read.
	matchSlack = 64
	// fewStrays is how many rows of a page may be known from another part of the list.
	fewStrays = 16
)

// dayMatcher finds the rows of a page in a log. Its memory is used again.
type dayMatcher struct {
	last   map[uint32]int32 // the last row of the page with a fingerprint
	before []int32          // the row before it with the same one, -1: none
	pairs  []dayPair
	tails  []int
	chain  []dayPair
}

// dayPair is a row of the page and a row of the log, by its index, that are the same, and
// the pair before it in the longest chain that ends here.
type dayPair struct {
	row, index int32
	previous   int
}

// load takes a page's rows and returns how many are there twice.
func (m *dayMatcher) load(rows []uint32) int {
	if m.last == nil {
		m.last = make(map[uint32]int32, len(rows))
	}
	clear(m.last)
	m.before = m.before[:0]
	for i, row := range rows {
		previous, twice := m.last[row]
		if !twice {
			previous = -1
		}
		m.before = append(m.before, previous)
		m.last[row] = int32(i)
	}
	return len(rows) - len(m.last)
}

// compare looks for the rows of a page, which begins at a place, in a chunk of the log whose
// first row has an index and must be from one place to another.
func (m *dayMatcher) compare(c *dayChunk, index, at, low, high int) {
	for i, row := range c.rows {
		r, found := m.last[row]
		for ; found && r >= 0; r = m.before[r] {
			if first := at + int(r) - i; first >= low && first <= high {
				m.pairs = append(m.pairs, dayPair{row: r, index: int32(index + i)})
			}
		}
	}
}

// lonely says whether a pair, the only one, may be a mere likeness: rows next to it in the
// log aren't on the page, though they would have to be unless many came in between.
func (l *dayLog) lonely(p dayPair, rows int) (at int, lonely bool) {
	i, row := l.find(int(p.index))
	c := &l.chunks[i]
	return c.at, row > 0 && int(p.row) > fewStrays || row+1 < len(c.rows) && rows-int(p.row) > fewStrays+1
}

// longest finds the longest chain of pairs that ascends both in the page and in the log,
// without a place in it where many rows of the log are gone.
func (m *dayMatcher) longest() []dayPair {
	m.tails = m.tails[:0]
	for i := range m.pairs {
		p := &m.pairs[i]
		at, _ := slices.BinarySearchFunc(m.tails, p.row, func(tail int, row int32) int { return int(m.pairs[tail].row - row) })
		p.previous = -1
		if at > 0 {
			p.previous = m.tails[at-1]
		}
		if at == len(m.tails) {
			m.tails = append(m.tails, i)
		} else {
			m.tails[at] = i
		}
	}
	m.chain = m.chain[:0]
	if len(m.tails) > 0 {
		for i := m.tails[len(m.tails)-1]; i >= 0; i = m.pairs[i].previous {
			m.chain = append(m.chain, m.pairs[i])
		}
	}
	slices.Reverse(m.chain)
	return unbroken(m.chain)
}

// unbroken is the longest part of a chain in which no more than a few rows are gone
// between two pairs.
func unbroken(chain []dayPair) []dayPair {
	best, from := chain[:0], 0
	for i := range chain {
		if i > from && chain[i].index-chain[i-1].index > matchSlack+1 {
			from = i
		}
		if i+1-from > len(best) {
			best = chain[from : i+1]
		}
	}
	return best
}

// verdict on the rows of a page, given what part of the log it covers.
type dayVerdict struct {
	fresh []int // rows that are new
	moved []int // indexes of rows outside of the part that the page shows within it
	stray int   // rows that are known from elsewhere
	gone  int   // rows of the part that the page doesn't have
}

// judge tells the rows of a page apart: those known from the part of the log from one
// index up to another and a little beyond, and the others.
func (m *dayMatcher) judge(rows, from, to int) dayVerdict {
	const near, inside = 1, 2
	how := make([]uint8, rows)
	v := dayVerdict{gone: to - from, fresh: make([]int, 0, rows)}
	matched := 0
	last := -1
	for _, p := range m.pairs { // ascending by index
		i := int(p.index)
		if how[p.row] == 0 {
			matched++
			how[p.row] = 4
		}
		switch {
		case i >= from && i < to:
			how[p.row] |= inside
			if i != last {
				v.gone--
			}
		case i >= from-matchSlack && i < to+matchSlack:
			how[p.row] |= near
		}
		last = i
	}
	for _, p := range m.pairs {
		if i := int(p.index); how[p.row]&(near|inside) == near && (i < from || i >= to) && i >= from-matchSlack && i < to+matchSlack {
			v.moved = append(v.moved, i)
		}
	}
	v.moved = slices.Compact(v.moved)
	for i, h := range how {
		if h&(near|inside) != 0 {
			continue
		}
		v.fresh = append(v.fresh, i)
		if h != 0 {
			v.stray++
		}
	}
	return v
}

// daySight is a page in the order of the log.
type daySight struct {
	rows  []uint32
	times []int64
	// at is the place of the first row, total what the answer said.
	at, total int
	// request is that of the answer, since that from which on places are as they are now.
	request, since int64
	// now is the time, in unix seconds.
	now int64
	// reversed says that the rows are the page's from the last to the first.
	reversed bool
}

// placing is what became of a page.
type placing uint8

const (
	placed  placing = iota
	nowhere         // all of its rows are new, and the log doesn't show where they belong
	astray          // its rows have another order than before
)

// dayPlaced is what placing a page led to.
type dayPlaced struct {
	verdict placing
	fresh   []int // rows of the page that are new
	met     bool  // some were known before this read
	// doubtful is where the rows are believed to be that the page may be before or after.
	doubtful int
}

// place puts a page into the log: the rows between the first and the last that are known
// are replaced by what the page shows there.
func (m *dayMatcher) place(l *dayLog, s *daySight) dayPlaced {
	l.reach(s.at+len(s.rows), s.total, s.request)
	c := dayChunk{rows: slices.Clone(s.rows), at: s.at, total: s.total, seen: s.request, read: s.now}
	c.twice = m.load(s.rows)
	c.first, c.last = l.order(s)
	m.pairs = m.pairs[:0]
	m.candidates(l, s)
	chain := m.longest()
	switch len(chain) {
	case 0:
		return m.float(l, s, c)
	case 1:
		if at, lonely := l.lonely(chain[0], len(s.rows)); lonely {
			return dayPlaced{verdict: nowhere, doubtful: at}
		}
	}
	from, to := int(chain[0].index), int(chain[len(chain)-1].index)+1
	v := m.judge(len(s.rows), from, to)
	if v.stray > fewStrays || len(v.fresh)-v.gone > l.room() {
		return dayPlaced{verdict: astray, met: true}
	}
	before, after := int(chain[0].row), len(s.rows)-1-int(chain[len(chain)-1].row)
	i, row := l.find(from)
	if old := &l.chunks[i]; before == 0 {
		c.side = old.side
		if row > 0 {
			c.side = old.seen
		}
	}
	l.shift(s.at+int(chain[0].row)-l.chunks[i].at-row, s.total-l.chunks[i].total)
	for _, index := range slices.Backward(v.moved) {
		l.drop(index)
		if index < from {
			from, to = from-1, to-1
		}
	}
	i, _ = l.find(from)
	j, _ := l.find(to - 1)
	met := l.chunks[i].seen < s.since || l.chunks[j].seen < s.since
	at := l.splice(from, to, c)
	l.settle(at, before, after, s.since)
	l.sorted(at, s)
	return dayPlaced{verdict: placed, fresh: v.fresh, met: met}
}

// room is how many rows more than are known the list may have.
func (l *dayLog) room() int { return l.rowsListed() - l.known + matchSlack }

// float puts a page none of whose rows are known where there is room for it.
func (m *dayMatcher) float(l *dayLog, s *daySight, c dayChunk) dayPlaced {
	p := dayPlaced{fresh: make([]int, len(s.rows))}
	for i := range p.fresh {
		p.fresh[i] = i
	}
	if len(s.rows) == 0 {
		return p
	}
	i, doubtful := l.around(s)
	switch {
	case doubtful >= 0:
		p.verdict, p.doubtful = nowhere, l.guesses(s.since)[doubtful]
		return p
	case len(s.rows) > l.room():
		p.verdict = astray
		return p
	}
	index := l.known
	c.gap = s.at
	if i > 0 {
		c.gap = max(0, s.at-l.guesses(s.since)[i-1]-len(l.chunks[i-1].rows))
	}
	if i < len(l.chunks) {
		index = l.indexes()[i]
		next := &l.chunks[i]
		c.gap = min(c.gap, next.gap)
		next.gap, next.side = max(0, next.gap-c.gap-len(s.rows)), 0
	}
	at := l.splice(index, index, c)
	l.settle(at, 0, 0, s.since)
	l.sorted(at, s)
	return p
}

// around finds the chunk before which a page belongs whose rows are all new. Doubtful is a
// chunk that may be on either side of it, -1 if there is none.
func (l *dayLog) around(s *daySight) (before, doubtful int) {
	before = len(l.chunks)
	for i, r := range l.ranges(s) {
		behind, ahead := r.high >= s.at+len(s.rows), r.low+len(l.chunks[i].rows) <= s.at
		if behind == ahead {
			behind, ahead = l.byTime(i, s)
		}
		switch {
		case behind == ahead, ahead && before < i:
			return 0, i
		case behind:
			before = min(before, i)
		}
	}
	return before, -1
}

// byTime says whether a chunk's rows started after all of a page's, or before, if the day
// is in the order of time.
func (l *dayLog) byTime(chunk int, s *daySight) (after, before bool) {
	if !l.timed || len(s.times) == 0 || s.times[0] == noTime || s.times[len(s.times)-1] == noTime {
		return false, false
	}
	c := &l.chunks[chunk]
	if c.first > s.times[len(s.times)-1] || c.last != noTime && c.last < s.times[0] {
		return c.first > s.times[len(s.times)-1], c.last != noTime && c.last < s.times[0]
	}
	for i := chunk + 1; i < len(l.chunks); i++ {
		if next := l.chunks[i].first; next != noTime {
			return false, next < s.times[0]
		}
	}
	return false, false
}

// settle corrects what is known of both sides of a chunk that is a page which took in so
// many new rows before and after those that were known.
func (l *dayLog) settle(at, before, after int, since int64) {
	c := &l.chunks[at]
	c.gap = max(0, c.gap-before)
	if at == 0 {
		c.gap = max(0, c.at)
	} else {
		l.chunks[at-1].meets(c, since)
	}
	if at+1 < len(l.chunks) {
		next := &l.chunks[at+1]
		next.gap = max(0, next.gap-after)
		if after > 0 {
			next.side = 0
		}
		c.meets(next, since)
	}
	l.carry(at, since)
}

// meets takes note of what two neighbours that were both seen have between them.
func (c *dayChunk) meets(next *dayChunk, since int64) {
	if c.seen < since || next.seen < since {
		return
	}
	between := next.at - c.at - len(c.rows)
	next.gap = min(next.gap, max(0, between))
	if between == 0 && (c.seen <= next.seen || c.total == next.total) {
		next.side = max(c.seen, next.seen)
	}
}

// carry moves the neighbours of a chunk that stand side by side with it to where they must
// be since it was seen. Those beyond aren't: late rows may have come in between.
func (l *dayLog) carry(at int, since int64) {
	c := &l.chunks[at]
	if at+1 < len(l.chunks) && l.chunks[at+1].side >= since && l.chunks[at+1].seen >= since {
		next := &l.chunks[at+1]
		next.at, next.total, next.seen = c.at+len(c.rows), c.total, c.seen
	}
	if at > 0 && c.side >= since && l.chunks[at-1].seen >= since {
		left := &l.chunks[at-1]
		left.at, left.total, left.seen = c.at-len(left.rows), c.total, c.seen
	}
}

// candidates compares a page with the chunks that may hold rows of it.
func (m *dayMatcher) candidates(l *dayLog, s *daySight) {
	index := 0
	for i, r := range l.ranges(s) {
		c := &l.chunks[i]
		low, high := r.low-matchSlack, r.high+matchSlack
		if low < s.at+len(s.rows) && high+len(c.rows) > s.at {
			m.compare(c, index, s.at, low, high)
		}
		index += len(c.rows)
	}
}

// placeRange is where the first row of a chunk can be.
type placeRange struct{ low, high int }

// ranges are where the chunks can be when a page is seen: as far behind the place where they
// were seen as rows have come in since, and, by how many rows are unknown before those that
// were seen where they are, between these.
func (l *dayLog) ranges(s *daySight) []placeRange {
	all, index := l.lags(s.since), 0
	for i := range all {
		c, r := &l.chunks[i], &all[i]
		low, high := c.at, c.at+max(0, s.total-c.total)
		r.low, r.high = r.low+index, r.high+index
		switch {
		case c.seen >= s.since || max(low, r.low) > min(high, r.high):
			r.low, r.high = low, high
		default:
			r.low, r.high = max(low, r.low), min(high, r.high)
		}
		index += len(c.rows)
	}
	return all
}

// lags are how many rows before a chunk may be unknown: between those of the nearest chunks that were seen since a request.
func (l *dayLog) lags(since int64) []placeRange {
	all, index, lag := make([]placeRange, len(l.chunks)), 0, 0
	for i := range l.chunks {
		if c := &l.chunks[i]; c.seen >= since {
			lag = c.at - index
		}
		all[i].low = lag
		index += len(l.chunks[i].rows)
	}
	lag = l.rowsListed() - l.known
	for i := len(l.chunks) - 1; i >= 0; i-- {
		c := &l.chunks[i]
		index -= len(c.rows)
		if c.seen >= since {
			lag = c.at - index
		}
		all[i].low, all[i].high = min(all[i].low, lag), max(all[i].low, lag)
	}
	return all
}

// order takes note of whether a page's rows are in the order of their start, and returns
// when the first and the last started.
func (l *dayLog) order(s *daySight) (first, last int64) {
	for _, at := range s.times {
		if at == noTime {
			continue
		}
		if at < last {
			l.timed = false
		}
		last = at
	}
	if n := len(s.times); n > 0 {
		l.timed = l.timed && last != noTime
		return s.times[0], s.times[n-1]
	}
	return noTime, noTime
}

// sorted takes note of whether a chunk, which is a page, and its neighbours are in the
// order of their start.
func (l *dayLog) sorted(at int, s *daySight) {
	c := &l.chunks[at]
	if at > 0 && c.first != noTime && l.chunks[at-1].first > c.first {
		l.timed = false
	}
	if at+1 < len(l.chunks) && len(s.times) > 0 {
		if next := l.chunks[at+1].first; next != noTime && next < s.times[len(s.times)-1] {
			l.timed = false
		}
	}
}
