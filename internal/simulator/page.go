package simulator

import (
	"slices"
	"time"
)

// Query selects a page of rows.
type Query struct {
	// From and To are the range of starts; From is included, To only if ToIncluded.
	From, To   time.Time
	ToIncluded bool
	// At is the instant of the request.
	At time.Time
	// Skip rows, then return up to Limit.
	Skip, Limit int
}

// Page calls emit for each row of a page, in the world's order, with the version that is visible,
// and says whether more rows follow. A call that is listed twice is emitted twice. emit may use its
// arguments until it returns.
func (w *World) Page(q Query, emit func(*Call, *Version)) (more bool) {
	low, high, at := ceilMilli(q.From), q.To.UnixMilli(), q.At.UnixMilli() // both ends are included
	if !q.ToIncluded {
		high = ceilMilli(q.To) - 1
	}
	first, last := w.span(q.From, Earlier(q.To, q.At)) // rows that start after At aren't visible
	var c Call
	for b := first; b <= last; b++ {
		n := b
		if w.s.NewestFirst {
			n = last - (b - first)
		}
		for _, e := range w.entries(n) {
			if e.start < low || e.start > high || e.published > at {
				continue
			}
			if q.Skip >= int(e.copies) {
				q.Skip -= int(e.copies)
				continue
			}
			w.fill(&c, n, int(e.number))
			for range int(e.copies) - q.Skip {
				if q.Limit == 0 {
					return true
				}
				q.Limit--
				emit(&c, &c.versions[c.At(q.At)])
			}
			q.Skip = 0
		}
	}
	return false
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

// entry is what lists must know about a call.
type entry struct {
	// start is the call's start, published the publication of its first version, in milliseconds.
	start, published int64
	number           uint16
	copies           uint8
}

// entries finds the entries of a block, or makes them.
func (w *World) entries(block int64) []entry {
	w.mu.Lock()
	defer w.mu.Unlock()
	if known, ok := w.blocks[block]; ok {
		return known
	}
	made := make([]entry, w.count(block))
	var c Call
	for i := range made {
		w.fill(&c, block, i)
		made[i] = entry{c.Start.UnixMilli(), c.versions[0].Published.UnixMilli(), uint16(i), uint8(c.Copies)}
	}
	if w.s.NewestFirst {
		slices.Reverse(made)
	}
	w.blocks[block] = made
	return made
}
