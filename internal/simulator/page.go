package simulator

import "time"

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
}

// Page calls emit for each row of a page, in the world's order, with the version that is visible, and says whether more rows follow. A call
// that is listed twice is emitted twice. What emit is given belongs to it until it returns.
func (w *World) Page(q Query, emit func(*Call, *Version)) (more bool) {
	p := pager{World: w, low: ceilMilli(q.From), high: q.To.UnixMilli(), at: q.At, emit: emit, skip: q.Skip, left: q.Limit, on: q.Lists}
	if !q.ToIncluded {
		p.high = ceilMilli(q.To) - 1
	}
	first, last := w.span(q.From, Earlier(q.To, q.At)) // nothing that starts after At is visible
	for b := first; b <= last && !p.more; b++ {
		if w.s.Order == NewestFirst {
			p.page(last - (b - first))
		} else {
			p.page(b)
		}
	}
	return p.more
}

// Earlier is the first of two times.
func Earlier(a, b time.Time) time.Time {
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

// pager goes through the blocks of a query.
type pager struct {
	*World
	low, high  int64 // both ends are included
	at         time.Time
	emit       func(*Call, *Version)
	skip, left int
	on         uint8
	more       bool
	call       Call
}

// page goes through one block; one that is skipped whole isn't looked into.
func (p *pager) page(n int64) {
	from, to := p.bounds(n)
	b, at := p.block(n), p.at.UnixMilli()
	whole := p.low <= from && to-1 <= p.high && b.last <= at
	if rows := b.rowsOn(p.on); whole && p.skip >= rows {
		p.skip -= rows
		return
	}
	for i := range b.entries {
		e := &b.entries[i]
		start := from + int64(e.start)
		if start < p.low || start > p.high || e.published > at || p.on != 0 && p.on&(1<<e.list) == 0 {
			continue
		}
		for copies := range e.copies {
			if p.skip > 0 {
				p.skip--
				continue
			}
			if p.left == 0 {
				p.more = true
				return
			}
			if p.left--; copies == 0 || p.call.Block != n || p.call.Number != int(e.number) {
				p.fill(&p.call, n, int(e.number))
			}
			p.emit(&p.call, &p.call.versions[p.call.At(p.at)])
		}
	}
}
