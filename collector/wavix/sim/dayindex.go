package sim

import (
	"cmp"
	"slices"
	"sort"
	"sync"
	"time"
)

// chunk is how many rows of a day are summed up together.
const chunk = 1024

// place is where a row is made from.
type place struct {
	// published is when the first version was, in milliseconds since 1970; start
	// counts from the day's beginning.
	published int64
	block     int64
	start     uint32
	number    uint16
	world     side
	part      part
	copies    uint8
}

// list is a day's rows of one type, in their order. Which are visible depends on the
// instant; how many of a chunk are is found by halving, so that a page deep in a day
// costs little more than its first.
type list struct {
	rows []place
	// published are the rows' instants, ascending within each chunk.
	published []int64
}

// day is the rows that start in a span.
type day struct {
	from, to int64
	once     sync.Once
	lists    [sides]list
	// held is how many rows are counted as held; the mutex of days guards it.
	held int
}

// build finds the rows.
func (d *day) build(a *Account, order Order, copiesCount bool) {
	from, to := time.UnixMilli(d.from), time.UnixMilli(d.to)
	a.eachRow(from.Add(-maxOffset), to, func(r *row) {
		start := r.start.UnixMilli()
		if start < d.from || start >= d.to {
			return
		}
		p := place{
			published: r.versions[0].published.UnixMilli(), block: r.call.Block, number: uint16(r.call.Number),
			start: uint32(start - d.from), world: r.world(), part: r.part, copies: uint8(r.copies),
		}
		times := 1
		if copiesCount {
			times, p.copies = r.copies, 1
		}
		for range times {
			d.lists[r.side].rows = append(d.lists[r.side].rows, p)
		}
	})
	for i := range d.lists {
		d.lists[i].arrange(order)
	}
}

// world is whose call the row is made from.
func (r *row) world() side {
	if r.part == linkedPart {
		return sides - 1 - r.side
	}
	return r.side
}

func (l *list) arrange(order Order) {
	slices.SortFunc(l.rows, func(x, y place) int {
		c := cmp.Compare(x.start, y.start)
		if order == Shuffled {
			c = cmp.Compare(x.shuffled(), y.shuffled())
		}
		return cmp.Or(c, cmp.Compare(x.world, y.world), cmp.Compare(x.block, y.block), cmp.Compare(x.number, y.number), cmp.Compare(x.part, y.part))
	})
	if order == Descending {
		slices.Reverse(l.rows)
	}
	l.published = make([]int64, len(l.rows))
	for i := range l.rows {
		l.published[i] = l.rows[i].published
	}
	for part := range slices.Chunk(l.published, chunk) {
		slices.Sort(part)
	}
}

// shuffled is a number that says nothing of when the call was.
func (p *place) shuffled() uint64 {
	x := (uint64(p.block)<<20 ^ uint64(p.number)<<4 ^ uint64(p.world)<<2 ^ uint64(p.part)) * 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	return x ^ x>>27
}

// visible is how many rows of a part of the published instants are listed at one.
func visible(published []int64, at int64) int {
	if len(published) == 0 || published[0] > at {
		return 0
	}
	if published[len(published)-1] <= at {
		return len(published)
	}
	return sort.Search(len(published), func(i int) bool { return published[i] > at })
}

// count is how many rows are listed at an instant.
func (l *list) count(at int64) int {
	n := 0
	for part := range slices.Chunk(l.published, chunk) {
		n += visible(part, at)
	}
	return n
}

// walk calls f for the rows that are listed at an instant, after skipping some, until
// it says false. It returns how many of those to skip are left.
func (l *list) walk(at int64, skip int, f func(*place) bool) int {
	for first := 0; first < len(l.rows); first += chunk {
		last := min(first+chunk, len(l.rows))
		if n := visible(l.published[first:last], at); n <= skip {
			skip -= n
			continue
		}
		for i := first; i < last; i++ {
			p := &l.rows[i]
			switch {
			case p.published > at:
			case skip > 0:
				skip--
			case !f(p):
				return 0
			}
		}
	}
	return skip
}
