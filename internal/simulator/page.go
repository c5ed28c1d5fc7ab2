package simulator

import (
	"cmp"
	"slices"
	"time"
)

// Query asks for a page of rows.
type Query struct {
	// From and To are the range of starts; From is included, To if ToIncluded.
	From, To   time.Time
	ToIncluded bool
	// At is the instant at which the provider is asked.
	At time.Time
	// Skip rows, then give up to Limit.
	Skip, Limit int
	// Lists are those to choose from, a bit for each; zero is all.
	Lists uint8
	// Match says which rows are listed; nil is all. It must make every row to ask.
	Match func(*Call, *Version) bool
}

// Page calls emit for each row of a page, in the world's order, with the version
// that is visible, and says whether more rows follow. A call that is listed twice
// is emitted twice. What emit is given belongs to it until it returns.
func (w *World) Page(q Query, emit func(*Call, *Version)) (more bool) {
	p := newPager(w, &q, emit)
	first, last := w.span(q.From, earlier(q.To, q.At))
	switch w.s.Order {
	case ByStart:
		for b := first; b <= last && !p.more; b++ {
			p.block(b)
		}
	case NewestFirst:
		for b := last; b >= first && !p.more; b-- {
			p.block(b)
		}
	case Shuffled:
		for _, b := range shuffled(first, last) {
			p.block(b)
		}
	case ByPublication:
		p.published(first, last)
	}
	return p.more
}

// Count is the number of rows that a query with neither Skip nor Limit lists.
func (w *World) Count(q Query) int {
	const whole = 1 << 30
	q.Skip, q.Limit = whole, 0
	p := newPager(w, &q, func(*Call, *Version) {})
	first, last := w.span(q.From, earlier(q.To, q.At))
	for b := first; b <= last; b++ {
		p.block(b)
	}
	return whole - p.skip
}

// window is a query's range and instant in milliseconds, both ends included.
type window struct{ low, high, at int64 }

func newWindow(q Query) window {
	w := window{low: ceilMilli(q.From), high: q.To.UnixMilli(), at: q.At.UnixMilli()}
	if !q.ToIncluded {
		w.high = ceilMilli(q.To) - 1
	}
	return w
}

// earlier is the first of two times: nothing that starts after At is visible.
func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func ceilMilli(t time.Time) int64 {
	ms := t.UnixMilli()
	if time.UnixMilli(ms).Before(t) {
		ms++
	}
	return ms
}

// pager walks the blocks of a query.
type pager struct {
	*World
	window
	emit       func(*Call, *Version)
	skip, left int
	on         uint8
	match      func(*Call, *Version) bool
	more       bool
	call       Call
}

func newPager(w *World, q *Query, emit func(*Call, *Version)) pager {
	return pager{
		World: w, window: newWindow(*q), emit: emit, skip: q.Skip, left: q.Limit, on: q.Lists, match: q.Match,
	}
}

// block goes through one block; one that is skipped whole isn't looked into.
func (p *pager) block(n int64) {
	if p.more {
		return
	}
	from, to := p.bounds(n)
	b := p.summary(n)
	whole := p.low <= from && to-1 <= p.high && b.last <= p.at && p.match == nil
	if rows := b.rowsOn(p.on); whole && p.skip >= rows {
		p.skip -= rows
		return
	}
	for _, e := range p.entries(n) {
		if !p.lists(from, e) {
			continue
		}
		if !p.row(n, e) {
			return
		}
	}
}

// lists says whether a call that starts in a block is listed.
func (p *pager) lists(from int64, e entry) bool {
	start := from + int64(e.start)
	return p.low <= start && start <= p.high && e.published <= p.at && (p.on == 0 || p.on&(1<<e.list()) != 0)
}

// row emits a call as often as it is listed, and says whether to go on.
func (p *pager) row(block int64, e entry) bool {
	made := false
	if p.match != nil {
		p.fill(&p.call, block, int(e.number))
		if made = true; !p.match(&p.call, p.version()) {
			return true
		}
	}
	for range e.copies {
		if p.skip > 0 {
			p.skip--
			continue
		}
		if p.left == 0 {
			p.more = true
			return false
		}
		if !made {
			p.fill(&p.call, block, int(e.number))
			made = true
		}
		p.left--
		p.emit(&p.call, p.version())
	}
	return true
}

// version is what is visible of the call in hand.
func (p *pager) version() *Version { return &p.call.versions[p.call.At(time.UnixMilli(p.at))] }

// published goes through the rows of a range as they were published.
func (p *pager) published(first, last int64) {
	type place struct {
		entry
		block int64
	}
	var rows []place
	for n := first; n <= last; n++ {
		from, _ := p.bounds(n)
		for _, e := range p.entries(n) {
			if p.lists(from, e) {
				rows = append(rows, place{e, n})
			}
		}
	}
	slices.SortFunc(rows, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.published, b.published), cmp.Compare(a.block, b.block), cmp.Compare(a.number, b.number))
	})
	for _, r := range rows {
		if !p.row(r.block, r.entry) {
			return
		}
	}
}

// shuffled are blocks in an order that means nothing.
func shuffled(first, last int64) []int64 {
	var blocks []int64
	for b := first; b <= last; b++ {
		blocks = append(blocks, b)
	}
	slices.SortFunc(blocks, func(a, b int64) int { return cmp.Compare(mix64(uint64(a)), mix64(uint64(b))) })
	return blocks
}
