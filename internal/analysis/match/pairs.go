package match

import (
	"fmt"
	"iter"
	"time"
)

// mostCalls and mostFits bound the calls between two numbers that follow each other within the tolerance, and how many
// pairs these may make.
const mostCalls, mostFits = 20_000, 1 << 20

const left, right = 0, 1 // sides

// node is a call of a cluster. Nodes form sets of calls that are paired, or of which it isn't known which are the same.
type node struct {
	entry

	at   time.Time // by the left clock
	next *node     // towards the node that stands for the set; nil: this one does
	// size is how many calls of each book the set has; unclear says that they can't be told apart.
	size    [2]int
	unclear bool
	// equals counts the calls of the set that this one is surely the same as; partner is one of them.
	equals  int
	partner *node
}

// set is the node that stands for the set.
func (n *node) set() *node {
	for n.next != nil {
		if n.next.next != nil {
			n.next = n.next.next
		}
		n = n.next
	}
	return n
}

// join joins two sets.
func (n *node) join(o *node) {
	if a, b := n.set(), o.set(); a != b {
		b.next = a
		a.size[left], a.size[right] = a.size[left]+b.size[left], a.size[right]+b.size[right]
	}
}

// cluster is the calls between two numbers of which each follows another within the tolerance, by start.
type cluster struct {
	*matcher

	key   uint64
	nodes []*node
}

// fit is a call of each book, which stand for their twins.
type fit [2]*node

// ranks is how many ranks of evidence there are. The first one says the most for a pair: duration and price fit. Then
// only the duration does, and then only the start.
const ranks = 3

// pairCalls pairs all calls.
func (m *matcher) pairCalls() error {
	c := &cluster{matcher: m}
	err := m.each(m.corrected, func(key uint64, at time.Time, e *entry) error {
		if last := len(c.nodes) - 1; last >= 0 && (key != c.key || !c.follows(at, c.nodes[last].at)) {
			if err := c.finish(); err != nil {
				return err
			}
		}
		n := &node{entry: *e, at: at}
		n.size[e.side] = 1
		c.key, c.nodes = key, append(c.nodes, n)
		if len(c.nodes) > mostCalls {
			return m.tooMany()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return c.finish()
}

func (m *matcher) tooMany() error {
	return Error(fmt.Sprintf("more than %d calls between the same two numbers follow each other within %s, "+
		"so they can't be told apart: see that caller and callee are read from the right columns, "+
		"or choose a shorter --tolerance", mostCalls, m.settings.Tolerance))
}

// repeatedBy is by how much two times may differ in addition to the tolerance, since both are in an hour that clocks
// repeat.
func (m *matcher) repeatedBy(a, b time.Time) time.Duration {
	for _, r := range m.repeated {
		if !a.Before(r.from) && a.Before(r.to) && !b.Before(r.from) && b.Before(r.to) {
			return r.by
		}
	}
	return 0
}

// follows says whether a call belongs to the cluster of an earlier one.
func (m *matcher) follows(at, last time.Time) bool {
	return at.Sub(last) <= m.settings.Tolerance || m.repeatedBy(at, last) > 0
}

// near yields each two calls whose starts are within the tolerance.
func (c *cluster) near() iter.Seq2[*node, *node] {
	return func(yield func(a, b *node) bool) {
		for i, b := range c.nodes {
			for j := i - 1; j >= 0; j-- {
				a := c.nodes[j]
				apart := b.at.Sub(a.at)
				if apart > c.settings.Tolerance {
					if apart > c.reach {
						break
					}
					apart = (apart - c.repeatedBy(a.at, b.at)).Abs()
				}
				if apart <= c.settings.Tolerance && !yield(a, b) {
					return
				}
			}
		}
	}
}

// finish pairs the calls of the cluster and empties it.
func (c *cluster) finish() error {
	if err := c.findSets(); err != nil {
		return err
	}
	for _, n := range c.nodes {
		if err := c.count(n); err != nil {
			return err
		}
	}
	c.nodes = c.nodes[:0]
	return nil
}

// findSets joins calls that may be the same, those for which the most speaks first. A set whose books have as many
// calls is complete: weaker evidence doesn't join it with others.
func (c *cluster) findSets() error {
	for a, b := range c.near() {
		if a.isTwin(b) {
			a.join(b)
		}
	}
	fits := make(map[fit]int) // the rank of each pair that may be the same call
	for l, r := range c.near() {
		if l.side == right {
			l, r = r, l
		}
		if l.side != r.side && c.sameParties(&l.Call, &r.Call) && c.sameDirection(&l.Call, &r.Call) {
			if fits[fit{l.set(), r.set()}] = c.rank(&l.Call, &r.Call); len(fits) > mostFits {
				return c.tooMany()
			}
		}
	}
	for rank := range ranks {
		var open []fit
		for f, of := range fits {
			l, r := f[left].set(), f[right].set()
			if of == rank && l.size[left] > l.size[right] && r.size[right] > r.size[left] {
				open = append(open, f)
			}
		}
		for _, f := range open {
			f[left].join(f[right])
		}
	}
	c.tellApart(fits)
	return nil
}

// isTwin says whether only its start tells a call from another one of the same book.
func (n *node) isTwin(o *node) bool {
	return n.side == o.side && n.Duration == o.Duration && n.NoDuration == o.NoDuration && n.Price == o.Price &&
		n.Direction == o.Direction && n.Caller == o.Caller && n.Callee == o.Callee
}

// tellApart finds the partners. In a set of one call of each book they are these two. In a larger set
// each call must have just one whose duration is equal to the last digit, or rounded by the tariff.
func (c *cluster) tellApart(fits map[fit]int) {
	for f := range fits {
		l, r := f[left], f[right]
		set := l.set()
		isPair := set.size == [2]int{1, 1}
		if set == r.set() && (isPair || c.isEqual(&l.Call, &r.Call)) {
			l.equals, r.equals, l.partner, r.partner = l.equals+1, r.equals+1, r, l
		}
	}
	for _, n := range c.nodes {
		if n.equals != 1 {
			n.set().unclear = true
		}
	}
}

// isEqual says whether durations are equal to the last digit, or rounded by the tariff.
func (m *matcher) isEqual(l, r *Call) bool {
	t := m.result.Tariff
	return m.haveDurations(l, r) && (l.Duration == r.Duration || t != nil && t.round(l.Duration) == r.Duration)
}

// rank is how much speaks for a pair.
func (m *matcher) rank(l, r *Call) int {
	switch {
	case m.class(l, r) == Duration:
		return ranks - 1
	case m.prices && l.Price != r.Price:
		return 1
	}
	return 0
}

// sameParties says whether two calls may be between the same numbers.
func (m *matcher) sameParties(l, r *Call) bool {
	return (m.hidden[0] || sameNumber(l.Caller, r.Caller)) && (m.hidden[1] || sameNumber(l.Callee, r.Callee))
}

// sameDirection says whether directions agree, where both books have one.
func (m *matcher) sameDirection(l, r *Call) bool {
	agree := agreement(l.Direction, r.Direction)
	return agree == 0 || (agree < 0) == m.clock.opposite
}

func (m *matcher) haveDurations(l, r *Call) bool {
	return m.durations && !l.NoDuration && !r.NoDuration
}

// class is what the durations and prices of a pair come to.
func (m *matcher) class(l, r *Call) Class {
	differ := m.haveDurations(l, r) && (l.Duration-r.Duration).Abs() > DurationTolerance
	switch {
	case differ && m.isEqual(l, r):
		return Rounded
	case differ:
		return Duration
	case m.prices && l.Price != r.Price:
		return Price
	}
	return Same
}

// count adds a call to the result, together with its partner.
func (c *cluster) count(n *node) error {
	class, calls, set := [...]Class{left: OnlyLeft, right: OnlyRight}[n.side], [2]*Call{}, n.set()
	calls[n.side] = &n.Call
	switch {
	case set.size[left]+set.size[right] == 1:
	case set.unclear:
		class = Ambiguous
	case n.side == right:
		return nil // the left one counts it
	default:
		l, r := calls[left], &n.partner.Call
		class, calls[right] = c.class(l, r), r
		if c.counts != nil && c.haveDurations(l, r) {
			c.counts.add(l.Duration, r.Duration)
		}
	}
	if c.counts != nil || n.at.Before(c.settings.From) || !n.at.Before(c.settings.To) {
		return nil
	}
	c.result.Classes[class].add(calls)
	if c.settings.Visit == nil {
		return nil
	}
	return c.settings.Visit(class, calls[left], calls[right])
}
