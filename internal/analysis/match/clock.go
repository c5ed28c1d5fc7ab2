package match

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// furthest is how far apart clocks may be, time zones included.
	furthest = 26 * time.Hour
	// neighbours is how many calls of the other book before and behind a call tell of the clocks.
	neighbours = 4
	// samples bounds the differences that are kept, leastSamples is how many a piece of the range needs, pieces how
	// many pieces there are at most.
	samples, leastSamples, pieces = 1 << 16, 100, 64
	// leastPairs is how many pairs must agree on clocks that differ by more than the tolerance.
	leastPairs = 3
	// deviations is by how many standard deviations two counts must differ to be told apart.
	deviations = 3
	// zoneStep is by what time zones differ, and zoneSlack how exactly.
	zoneStep, zoneSlack = 15 * time.Minute, time.Minute
)

// difference is by how much the right start is later than the left one.
type difference struct {
	at, by time.Duration // at: of the left start since an instant
	agree  int           // directions: 1 the same, -1 opposite
}

// clock is how much later the right clock is, over the time of the left one.
type clock struct {
	began  time.Time
	points []difference // in order; between them it drifts evenly
	offset time.Duration
	// opposite: each book has the directions as its own end sees them.
	opposite bool
}

// offsetAt is right minus left at a right start.
func (c *clock) offsetAt(right time.Time) time.Duration {
	if len(c.points) == 0 {
		return c.offset
	}
	at := right.Sub(c.began) - c.offset
	i := sort.Search(len(c.points), func(i int) bool { return c.points[i].at > at })
	a, b := c.points[max(i-1, 0)], c.points[min(i, len(c.points)-1)]
	if a.at == b.at {
		return a.by
	}
	return a.by + time.Duration(float64(b.by-a.by)*float64(at-a.at)/float64(b.at-a.at))
}

// estimateClock finds by how much the clocks differ: what the most calls between the same numbers say.
func (m *matcher) estimateClock() error {
	m.clock.began = m.books[left].first
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // which differences are kept doesn't matter
	var all []difference
	var last [2][]*node
	found, calls := 0, 0 // differences, and left calls that have any
	err := m.each(func(n *node) error {
		for i := range last {
			if len(last[i]) > 0 && last[i][0].key != n.key {
				last[i] = last[i][:0]
			}
		}
		for _, other := range last[1-n.side] {
			l, r := n, other
			if n.side == right {
				l, r = r, l
			}
			by := r.Start.Sub(l.Start)
			if by.Abs() > furthest || !m.sameParties(l, r) {
				continue
			}
			if !l.near {
				l.near = true
				calls++
			}
			d := difference{l.Start.Sub(m.clock.began), by, agreement(l.Direction, r.Direction)}
			if found++; len(all) < samples {
				all = append(all, d)
			} else if at := random.IntN(found); at < samples {
				all[at] = d
			}
		}
		if own := &last[n.side]; len(*own) == neighbours {
			*own = slices.Delete(*own, 0, 1)
		}
		last[n.side] = append(last[n.side], n)
		return nil
	})
	if err != nil {
		return err
	}
	if found == 0 {
		m.settings.Note("no call of one book has the numbers of a call of the other one: " +
			"see that both have caller and callee, and give --country if one has national numbers")
	}
	// A call has a difference to each neighbour, of which one may be the same call.
	err = m.clock.set(all, float64(calls)/float64(max(found, 1)), m.settings.Tolerance)
	if m.clock.opposite {
		m.settings.Note("the books have opposite directions, each as its own end sees them: they are compared that way")
	}
	return err
}

// agreement compares directions where both books have one.
func agreement(a, b cdr.Direction) int {
	way := func(d cdr.Direction) bool { return d == cdr.Inbound || d == cdr.Outbound }
	switch {
	case !way(a) || !way(b):
		return 0
	case a == b:
		return 1
	}
	return -1
}

// set finds the offsets in differences. share is how much of them is right if each left call has its partner.
func (c *clock) set(all []difference, share float64, tolerance time.Duration) error {
	by, support := mode(slices.Clone(all), tolerance, 0, false)
	if support < leastPairs && by.Abs() > tolerance {
		return nil // too few to say so
	}
	if err := zoneError(by, support, share*float64(len(all))); err != nil {
		return err
	}
	agree := 0
	for _, d := range all {
		if (d.by - by).Abs() <= tolerance {
			agree += d.agree
		}
	}
	c.offset, c.opposite = by, agree < 0
	slices.SortFunc(all, func(a, b difference) int { return cmp.Compare(a.at, b.at) })
	near, offsets := by, []time.Duration(nil)
	for piece := range slices.Chunk(all, max(leastSamples, (len(all)+pieces-1)/pieces)) {
		middle := piece[len(piece)/2].at
		by, support := mode(piece, tolerance, near, true)
		if n := len(c.points); n > 0 && (by-near).Abs() >= middle-c.points[n-1].at {
			continue // else starts would change their order
		}
		if support >= max(leastPairs, len(piece)/(4*neighbours)) && (by-c.offset).Abs() < zoneStep {
			c.points, near, offsets = append(c.points, difference{at: middle, by: by}), by, append(offsets, by)
		}
	}
	if slices.Sort(offsets); len(offsets) > 0 {
		c.offset = offsets[len(offsets)/2]
	}
	return nil
}

// mode is the median of the differences that lie most densely, and how many these are; it sorts them. Calls at
// regular times make several places almost as dense; then mode takes the one nearest to near. If known, another place
// must be twice as dense to be taken instead.
func mode(all []difference, width, near time.Duration, known bool) (by time.Duration, support int) {
	slices.SortFunc(all, func(a, b difference) int { return cmp.Compare(a.by, b.by) })
	from, most := make([]int, len(all)), 0 // where the densest span begins that ends with each
	for to := range all {
		from[to] = from[max(to-1, 0)]
		for all[to].by-all[from[to]].by > width {
			from[to]++
		}
		most = max(most, to-from[to]+1)
	}
	for to := range all {
		n := to - from[to] + 1
		if 2*n < most || !known && float64(n) < float64(most)-deviations*math.Sqrt(float64(most)) {
			continue
		}
		middle := all[from[to]+n/2].by
		if support == 0 || cmp.Or(cmp.Compare((middle-near).Abs(), (by-near).Abs()), cmp.Compare(support, n)) < 0 {
			by, support = middle, n
		}
	}
	near = by
	for to := range all { // the chosen span may hold only a part of its place
		n := to - from[to] + 1
		if middle := all[from[to]+n/2].by; n > support && (middle-near).Abs() <= width {
			by, support = middle, n
		}
	}
	return by, support
}

// zoneError says that the clocks differ as time zones do.
func zoneError(by time.Duration, support int, calls float64) error {
	steps := by.Round(zoneStep)
	if steps == 0 || (by-steps).Abs() > zoneSlack || support < leastPairs || float64(2*support) < calls {
		return nil
	}
	return fmt.Errorf("all pairs differ by %d s: the time zone of one book is wrong by %s; "+
		"correct time_zone of its source, or give --set time_zone=… for a file", int64(steps/time.Second), steps)
}
