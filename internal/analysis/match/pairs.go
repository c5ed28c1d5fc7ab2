package match

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// mostCalls and mostEdges bound the calls between two numbers that follow each other within the tolerance, and how many
// pairs these may make.
const mostCalls, mostEdges = 20_000, 1 << 20

const left, right = 0, 1 // sides

// node is a call of a cluster.
type node struct {
	*entry

	at time.Time // by the left clock
	// twin leads to the call that stands for a group: calls of one book that can't be told apart.
	twin *node
	// size is how many calls a group has, alone how many of them have no partner yet.
	size, alone int
	// unclear: a call of the group has a partner, but it isn't known which call. partner is set only in
	// a group of one call.
	unclear bool
	partner *node
	choices int
}

func (n *node) group() *node {
	for n.twin != nil {
		n = n.twin
	}
	return n
}

// cluster is the calls between two numbers of which each follows another within the tolerance, by start.
type cluster struct {
	*matcher

	key   uint64
	nodes []*node
}

// edge is two groups that may be the same calls.
type edge struct {
	left, right *node
	rank        int           // in ranks
	duration    time.Duration // by which they differ
	start       time.Duration // as above
}

// ranks are the classes of a pair, in the order of what speaks for it. For the last one only the starts do.
var ranks = [...]Class{Same, Price, Rounded, Duration}

// pairCalls pairs all calls.
func (m *matcher) pairCalls() error {
	c := &cluster{matcher: m}
	err := m.each(m.corrected, func(key uint64, at time.Time, e *entry) error {
		if n := len(c.nodes); n > 0 && (key != c.key || !c.follows(at, c.nodes[n-1].at)) {
			if err := c.finish(); err != nil {
				return err
			}
		}
		c.key, c.nodes = key, append(c.nodes, &node{entry: e, at: at, size: 1})
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

// near yields each two calls whose starts are within the tolerance, and by how much they differ.
func (c *cluster) near() iter.Seq2[[2]*node, time.Duration] {
	return func(yield func([2]*node, time.Duration) bool) {
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
				if apart <= c.settings.Tolerance && !yield([2]*node{a, b}, apart) {
					return
				}
			}
		}
	}
}

// finish pairs the calls of the cluster and empties it.
func (c *cluster) finish() error {
	for n := range c.near() {
		a, b := n[0].group(), n[1].group()
		if a != b && compareTwins(a, b) == 0 {
			b.twin, a.size = a, a.size+b.size
		}
	}
	for _, n := range c.nodes {
		n.alone = n.size
	}
	edges, err := c.edges()
	if err != nil {
		return err
	}
	pair(edges)
	for _, n := range c.nodes {
		if err := c.count(n); err != nil {
			return err
		}
	}
	c.nodes = c.nodes[:0]
	return nil
}

// compareTwins is 0 for calls of one book that only their starts tell apart.
func compareTwins(a, b *node) int {
	return cmp.Or(cmp.Compare(a.side, b.side), cmp.Compare(a.Duration, b.Duration), cmp.Compare(a.Price, b.Price),
		cmp.Compare(a.Direction, b.Direction), cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Callee, b.Callee))
}

func compareNodes(a, b *node) int {
	return cmp.Or(compareTwins(a, b), a.at.Compare(b.at), cmp.Compare(a.ID, b.ID))
}

// edges are which groups may be the same calls, the strongest evidence first.
func (c *cluster) edges() ([]*edge, error) {
	found := make(map[[2]*node]*edge)
	for n, apart := range c.near() {
		l, r := n[0], n[1]
		if l.side == right {
			l, r = r, l
		}
		if l.side == r.side || !c.sameParties(&l.Call, &r.Call) || !c.sameDirection(&l.Call, &r.Call) {
			continue
		}
		groups := [2]*node{l.group(), r.group()}
		e := found[groups]
		if e == nil {
			e = &edge{left: groups[left], right: groups[right], start: apart}
			class := c.class(&l.Call, &r.Call)
			if e.rank = slices.Index(ranks[:], class); class != Rounded && c.haveDurations(&l.Call, &r.Call) {
				e.duration = (l.Duration - r.Duration).Abs()
			}
			found[groups] = e
		}
		if e.start = min(e.start, apart); len(found) > mostEdges {
			return nil, c.tooMany()
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b *edge) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.duration, b.duration), cmp.Compare(a.start, b.start),
			compareNodes(a.left, b.left), compareNodes(a.right, b.right))
	}), nil
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
	switch t := m.result.Tariff; {
	case differ && t != nil && t.round(l.Duration) == r.Duration:
		return Rounded
	case differ:
		return Duration
	case m.prices && l.Price != r.Price:
		return Price
	}
	return Same
}

// pair pairs groups. Groups with only their starts as evidence are paired if neither has a choice.
func pair(edges []*edge) {
	by := slices.IndexFunc(edges, func(e *edge) bool { return ranks[e.rank] == Duration })
	if by < 0 {
		by = len(edges)
	}
	for _, e := range edges[:by] {
		e.join()
	}
	for _, e := range edges[by:] {
		if e.left.alone > 0 && e.right.alone > 0 {
			e.left.choices++
			e.right.choices++
		}
	}
	for _, e := range edges[by:] {
		e.join()
	}
}

// join pairs what has no partner yet of two groups.
func (e *edge) join() {
	l, r := e.left, e.right
	n := min(l.alone, r.alone)
	if n == 0 {
		return
	}
	if l.choices > 1 || r.choices > 1 {
		l.unclear, r.unclear = true, true
		return
	}
	l.alone, r.alone = l.alone-n, r.alone-n
	if l.size > 1 || r.size > 1 {
		l.unclear, r.unclear = true, true
		return
	}
	l.partner, r.partner = r, l
}

// count adds a call to the result, together with its partner.
func (c *cluster) count(n *node) error {
	class, calls, g := [...]Class{left: OnlyLeft, right: OnlyRight}[n.side], [2]*Call{}, n.group()
	calls[n.side] = &n.Call
	switch {
	case g.unclear, n.side == left && g.size > 1:
		class = Ambiguous
	case g.partner == nil:
	case n.side == right:
		return nil // the left one counts it
	default:
		l, r := calls[left], &g.partner.Call
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
