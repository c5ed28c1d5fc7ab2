package wavix

import (
	"slices"
)

const (
	// chunkTop is how many rows a chunk of the log has at most, once it is compacted.
	chunkTop = 1024
	// noTime is the start of a row that has none, or isn't known.
	noTime = 0
)

// dayLog is what is known of the list of a day: a fingerprint of each row that was handed
// on, in the order of the list. It takes 4 bytes a row.
//
// Its order is that of the list, or the reverse (flip), so that the day grows at the log's
// end; rows that come in anywhere else are late ones. A place is how many rows the list has
// before a row, counted from the end at which it doesn't grow: a row's place changes by the
// late rows before it only. Its index is how many rows of the log are before it. So place
// less index is how many rows before it are unknown (its lag), and rows are missing between
// two that were seen where they are just now when their lags differ.
type dayLog struct {
	chunks []dayChunk
	known  int // rows
	flip   bool
	// timed says that every page so far had its rows in the order of their start, oldest
	// first in the log's order.
	timed bool
	// total is what the provider said last, phantom by how much that is more than the list
	// really has.
	total, phantom int
	// ended is the request that saw the end last, at which the log grows, and endTotal the
	// total that came with it.
	ended    int64
	endTotal int
	// size is how many rows a full page has.
	size int
	// clean is the index from which on nothing was missing when the rows at the end had the
	// lag cleanLag; -1: none.
	clean, cleanLag int
	// odd is how many rows the list is said to have that it never shows.
	odd int
	// moved says that late rows came between the last two reads.
	moved bool
	// stayed and shifted count the rows that came in since rows were seen last which, when
	// they were seen again, had kept their place, and had been pushed on.
	stayed, shifted int
	// far is how many rows are listed twice in places far apart.
	far int
	// came is how many more rows the total said than in the read before.
	came int
}

// dayChunk is neighbouring rows of a log.
type dayChunk struct {
	rows []uint32
	// at is the place of the first row when it was last seen, by the request seen, whose
	// answer said total.
	at, total int
	seen      int64
	// gap is how many rows are believed to be missing before the first: a hint.
	gap int
	// side is the request that showed last that nothing is between the first row and the row
	// before it; 0: none did.
	side int64
	// first and last are when the first and the last row started.
	first, last int64
	// read is when the last of its rows was read last, in unix seconds.
	read int64
	// twice is how many of its rows are in it twice.
	twice int
}

func newDayLog(size int, flip bool) *dayLog {
	return &dayLog{size: size, flip: flip, timed: true, clean: -1}
}

// rowsListed is how many rows the list has.
func (l *dayLog) rowsListed() int { return l.total - l.phantom }

// pages is how many pages that is.
func (l *dayLog) pages() int { return pagesOf(l.rowsListed(), l.size) }

// distinct is how many different rows were handed on.
func (l *dayLog) distinct() int {
	n := l.known - l.far
	for i := range l.chunks {
		n -= l.chunks[i].twice
	}
	return n
}

// all says whether every row that was listed when the end was seen last is known.
func (l *dayLog) all() bool { return l.clean == 0 && l.cleanLag == l.odd }

// reach takes note of rows that were seen up to a place: that may be the end.
func (l *dayLog) reach(place, total int, request int64) {
	if place >= total-l.phantom {
		l.ended, l.endTotal = request, total
	}
}

// indexes are those of the first row of each chunk.
func (l *dayLog) indexes() []int {
	all, n := make([]int, len(l.chunks)), 0
	for i := range l.chunks {
		all[i] = n
		n += len(l.chunks[i].rows)
	}
	return all
}

// guesses are where the chunks should be by what was seen since a request: those that were
// seen are there, the others stand beside the nearest of these as if nothing but gaps were
// missing. If none was seen, the last one is where it was.
func (l *dayLog) guesses(since int64) []int {
	const far = 1 << 30
	all, from := make([]int, len(l.chunks)), 2*far
	place := 0
	away := make([]int, len(l.chunks)) // by how many chunks the guess is away from what was seen
	for i := range all {
		c := &l.chunks[i]
		if from++; c.seen >= since {
			place, from = c.at, 0
		} else {
			place += c.gap
		}
		all[i], away[i] = place, from
		place += len(c.rows)
	}
	from = far
	for i := len(all) - 1; i >= 0; i-- {
		c := &l.chunks[i]
		if from++; c.seen >= since || i == len(all)-1 && away[i] >= far {
			place, from = c.at, min(from, far)
			if c.seen >= since {
				from = 0
			}
		} else {
			place -= len(c.rows)
		}
		if from < away[i] {
			all[i] = place
		}
		place -= c.gap
	}
	return all
}

// find returns the chunk that holds a row, by its index, and which of its rows that is.
func (l *dayLog) find(index int) (chunk, row int) {
	for i := range l.chunks {
		if index < len(l.chunks[i].rows) {
			return i, index
		}
		index -= len(l.chunks[i].rows)
	}
	return len(l.chunks), 0
}

// splice replaces the rows from one index up to another by a chunk, and returns where that
// is then.
func (l *dayLog) splice(from, to int, c dayChunk) int {
	i, row := l.find(from)
	j, end := l.find(to)
	var parts []dayChunk
	if row > 0 {
		parts = append(parts, l.chunks[i].part(0, row))
	} else if i < len(l.chunks) && to > from {
		c.gap = l.chunks[i].gap
	}
	at := i + len(parts)
	parts = append(parts, c)
	past := j
	if end > 0 {
		parts = append(parts, l.chunks[j].part(end, len(l.chunks[j].rows)))
		past = j + 1
	}
	l.chunks = slices.Replace(l.chunks, i, past, parts...)
	grown := len(c.rows) - (to - from)
	l.known += grown
	switch {
	case l.clean < 0 || from > l.clean || l.clean == 0 && c.at <= 0:
	case grown != 0:
		l.clean = -1 // were they missing before, or are they new? Then the lag means less
	default:
		l.clean = max(l.clean, to)
	}
	return at
}

// part is some rows of a chunk, by themselves.
func (c *dayChunk) part(from, to int) dayChunk {
	p := *c
	p.rows = slices.Clone(c.rows[from:to])
	if from > 0 {
		p.at, p.first, p.gap, p.side = c.at+from, noTime, 0, c.seen
	}
	if to < len(c.rows) {
		p.last = noTime
	}
	if p.twice > 0 {
		p.twice = twiceIn(p.rows)
	}
	return p
}

// twiceIn counts the rows that are there already.
func twiceIn(rows []uint32) int {
	sorted := slices.Sorted(slices.Values(rows))
	return len(rows) - len(slices.Compact(sorted))
}

// drop takes a row out.
func (l *dayLog) drop(index int) {
	i, row := l.find(index)
	c := &l.chunks[i]
	c.rows = slices.Delete(c.rows, row, row+1)
	if row == 0 {
		c.first = noTime
	}
	l.known--
	if l.clean > index {
		l.clean = -1
	}
	if len(c.rows) == 0 {
		l.chunks = slices.Delete(l.chunks, i, i+1)
	}
}

// compact joins neighbours, so that the log stays small.
func (l *dayLog) compact() {
	kept := l.chunks[:0]
	for _, c := range l.chunks {
		if len(kept) > 0 && kept[len(kept)-1].joins(&c) {
			last := &kept[len(kept)-1]
			last.rows = slices.Concat(last.rows, c.rows)
			last.total, last.seen, last.read = min(last.total, c.total), min(last.seen, c.seen), min(last.read, c.read)
			last.last, last.twice = c.last, last.twice+c.twice
			continue
		}
		kept = append(kept, c)
	}
	clear(l.chunks[len(kept):])
	l.chunks = slices.Clip(kept)
}

// joins says whether the next chunk can become a part of c. A time that is known isn't
// given up, and rows that were read long ago don't make others seem so.
func (c *dayChunk) joins(next *dayChunk) bool {
	const near = 900
	return next.side > 0 && len(c.rows)+len(next.rows) <= chunkTop &&
		(c.first != noTime || next.first == noTime) && max(c.read-next.read, next.read-c.read) <= near
}

// shift takes note of how far a row has moved since it was seen last, while so many rows
// came in.
func (l *dayLog) shift(by, came int) {
	switch {
	case came <= 0:
	case 2*by > came:
		l.shifted += came
	default:
		l.stayed += came
	}
}

// growsElsewhere says whether most rows come in at the other end than the log's. Of rows in
// the order of time the end is known.
func (l *dayLog) growsElsewhere() bool { return !l.timed && l.shifted > l.stayed }

// reverse turns the log around: it turned out that the day grows at the other end.
func (l *dayLog) reverse() {
	l.flip, l.timed, l.stayed, l.shifted = !l.flip, false, 0, 0
	for i := range l.chunks {
		c := &l.chunks[i]
		slices.Reverse(c.rows)
		c.at, c.first, c.last = c.total-l.phantom-c.at-len(c.rows), c.last, c.first
		c.gap, c.side = max(0, c.at), 0
		if i+1 < len(l.chunks) {
			c.gap, c.side = l.chunks[i+1].gap, l.chunks[i+1].side
		}
	}
	slices.Reverse(l.chunks)
	if l.clean != 0 || l.cleanLag != 0 {
		l.clean = -1
	}
}
