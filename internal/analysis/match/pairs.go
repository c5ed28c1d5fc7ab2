package match

import (
	"fmt"
	"iter"
	"slices"
	"sort"
	"time"
)

// mostCalls bounds the calls between two numbers that follow each other within the tolerance, and mostPairs the pairs
// of these that start within it. So a cluster takes some seconds at the most.
const mostCalls, mostPairs = 20_000, 1 << 25

const left, right = 0, 1 // sides

// node is a call of a cluster. Nodes form sets of calls that are paired, or of which it isn't known which are the same.
type node struct {
	entry

	key  uint64 // what numbers that may be the same have in common
	side int
	at   time.Time // by the left clock
	next *node     // towards the node that stands for the set; nil: this one does
	// size is how many calls of each book the set has; unclear says that they can't be told apart.
	size    [2]int
	unclear bool
	// lacks says that its set has more calls of this one's book than of the other one, and twin that another call of
	// its book differs in nothing but the start.
	lacks, twin bool
	near        bool // a call of the other book has its numbers, at about its time
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

// isTwin says whether two calls of one book differ in nothing but their starts.
func (n *node) isTwin(o *node) bool {
	return n.Duration == o.Duration && n.NoDuration == o.NoDuration && n.Price == o.Price &&
		n.Direction == o.Direction && n.Caller == o.Caller && n.Callee == o.Callee
}

// ranks is how many ranks of evidence there are. The first one says the most for a pair: duration and price fit. Then
// only the duration does, and then only the start.
const ranks = 3

// cluster is the calls between two numbers of which each follows another within the tolerance, by start.
type cluster struct {
	*matcher

	nodes []*node
}

// pairCalls pairs all calls.
func (m *matcher) pairCalls() error {
	c := &cluster{matcher: m}
	err := m.each(func(n *node) error {
		if last := len(c.nodes) - 1; last >= 0 && (n.key != c.nodes[last].key || !m.follows(n.at, c.nodes[last].at)) {
			if err := c.finish(); err != nil {
				return err
			}
		}
		n.size[n.side] = 1
		if c.nodes = append(c.nodes, n); len(c.nodes) > mostCalls {
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
	return fmt.Errorf("too many calls between the same two numbers follow each other within %s, "+
		"so they can't be told apart: see that caller and callee are read from the right columns, "+
		"or choose a shorter --tolerance", m.settings.Tolerance)
}

// follows says whether a call belongs to the cluster of an earlier one.
func (m *matcher) follows(at, last time.Time) bool {
	return at.Sub(last) <= m.settings.Tolerance ||
		slices.ContainsFunc(m.repeated, func(r repeated) bool { return r.has(at) && r.has(last) })
}

// near yields the calls before one that start within the tolerance of it, and those that an hour that clocks repeat
// brings near.
func (c *cluster) near(of int) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		at, tolerance := c.nodes[of].at, c.settings.Tolerance
		for i := of - 1; i >= 0 && at.Sub(c.nodes[i].at) <= tolerance; i-- {
			if !yield(c.nodes[i]) {
				return
			}
		}
		for _, r := range c.repeated {
			if !r.has(at) {
				continue
			}
			first := sort.Search(of, func(i int) bool { return at.Sub(c.nodes[i].at) <= r.by+tolerance })
			for _, n := range c.nodes[first:of] {
				if at.Sub(n.at) < r.by-tolerance {
					break
				}
				if r.has(n.at) && !yield(n) {
					return
				}
			}
		}
	}
}

// fits yields the pairs of a left and a right call that may be the same.
func (c *cluster) fits() iter.Seq2[*node, *node] {
	return func(yield func(l, r *node) bool) {
		for i, n := range c.nodes {
			for other := range c.near(i) {
				l, r := n, other
				if n.side == right {
					l, r = other, n
				}
				if l.side != r.side && c.sameParties(l, r) && c.sameDirection(l, r) && !yield(l, r) {
					return
				}
			}
		}
	}
}

// finish pairs the calls of the cluster and empties it.
func (c *cluster) finish() error {
	if err := c.joinTwins(); err != nil {
		return err
	}
	for rank := range ranks {
		c.joinFits(rank)
	}
	c.findPartners()
	for _, n := range c.nodes {
		if err := c.count(n); err != nil {
			return err
		}
	}
	c.nodes = c.nodes[:0]
	return nil
}

// joinTwins joins the calls of one book that differ in nothing but their starts.
func (c *cluster) joinTwins() error {
	pairs := 0
	for i, n := range c.nodes {
		for other := range c.near(i) {
			if pairs++; n.side == other.side && n.isTwin(other) {
				n.twin, other.twin = true, true
				n.join(other)
			}
		}
		if pairs > mostPairs {
			return c.tooMany()
		}
	}
	return nil
}

// joinFits joins calls that may be the same by as much evidence as a rank has. A set whose books have as many calls is
// complete: weaker evidence doesn't join it with others.
func (c *cluster) joinFits(rank int) {
	for _, n := range c.nodes {
		size := &n.set().size
		n.lacks = size[n.side] > size[1-n.side]
	}
	for l, r := range c.fits() {
		if l.lacks && r.lacks && c.rank(l, r) == rank {
			l.join(r)
		}
	}
}

// findPartners finds the partners. In a set of one call of each book they are these two. In a larger set
// each call must have just one whose duration is equal to the last digit, or rounded by the tariff.
func (c *cluster) findPartners() {
	for l, r := range c.fits() {
		set := l.set()
		if set == r.set() && (set.size == [2]int{1, 1} || c.isEqual(&l.Call, &r.Call)) {
			l.equals, r.equals, l.partner, r.partner = l.equals+1, r.equals+1, r, l
		}
	}
	for _, n := range c.nodes {
		if n.equals != 1 || n.twin {
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
func (m *matcher) rank(l, r *node) int {
	switch {
	case m.class(&l.Call, &r.Call) == Duration:
		return ranks - 1
	case m.prices && l.Price != r.Price:
		return 1
	}
	return 0
}

// sameParties says whether two calls may be between the same numbers.
func (m *matcher) sameParties(l, r *node) bool {
	return (m.hidden[0] || sameNumber(l.Caller, r.Caller)) && (m.hidden[1] || sameNumber(l.Callee, r.Callee))
}

// sameDirection says whether directions agree, where both books have one.
func (m *matcher) sameDirection(l, r *node) bool {
	agree := agreement(l.Direction, r.Direction)
	return agree == 0 || (agree < 0) == m.clock.opposite
}

func (m *matcher) haveDurations(l, r *Call) bool {
	return m.durations && !l.NoDuration && !r.NoDuration
}

// class is what the durations and prices of a pair come to. An agreed tariff explains a duration, but no price.
func (m *matcher) class(l, r *Call) Class {
	differ := m.haveDurations(l, r) && (l.Duration-r.Duration).Abs() > DurationTolerance
	rounded, price := differ && m.isEqual(l, r), m.prices && l.Price != r.Price
	switch {
	case rounded && (!price || !m.result.given):
		return Rounded
	case differ && !rounded:
		return Duration
	case price:
		return Price
	}
	return Same
}

// count adds a call to the result, together with its partner.
func (c *cluster) count(n *node) error {
	class, calls, set := OnlyLeft+Class(n.side), [2]*Call{}, n.set()
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
	for side, call := range calls {
		if call != nil {
			c.result.Classes[class][side].addCall(call)
		}
	}
	if c.settings.Visit == nil {
		return nil
	}
	return c.settings.Visit(class, calls[left], calls[right])
}
