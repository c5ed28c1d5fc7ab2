package match

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"sort"
	"strings"
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
	twins   int // the index of its twins
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

	key    uint64
	nodes  []*node
	sorted []*node // the same, by what twins have in common
	twins  []twins
	recent [2][]*twins // of each book: twins with calls that may be near the next one
}

// twins are the calls of one book that only their starts tell apart, by start. The first ones were seen.
type twins struct {
	calls []*node
	seen  int
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
	return Error(fmt.Sprintf("too many calls between the same two numbers follow each other within %s, "+
		"so they can't be told apart: see that caller and callee are read from the right columns, "+
		"or choose a shorter --tolerance", m.settings.Tolerance))
}

// follows says whether a call belongs to the cluster of an earlier one.
func (m *matcher) follows(at, last time.Time) bool {
	return at.Sub(last) <= m.settings.Tolerance ||
		slices.ContainsFunc(m.repeated, func(r repeated) bool { return r.has(at) && r.has(last) })
}

// near yields calls that start within the tolerance of an instant, of calls by start that aren't after it: at most the
// last one, with which the others before it belong together, and those that an hour that clocks repeat brings near.
func (m *matcher) near(calls []*node, at time.Time) iter.Seq[*node] {
	return func(yield func(*node) bool) {
		tolerance := m.settings.Tolerance
		if n := len(calls); n == 0 || at.Sub(calls[n-1].at) <= tolerance && !yield(calls[n-1]) {
			return
		}
		for _, r := range m.repeated {
			if !r.has(at) {
				continue
			}
			first := sort.Search(len(calls), func(i int) bool { return at.Sub(calls[i].at) <= r.by+tolerance })
			for _, c := range calls[first:] {
				if at.Sub(c.at) < r.by-tolerance {
					break
				}
				if r.has(c.at) && !yield(c) {
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
	c.joinTwins()
	fits, err := c.findFits()
	if err != nil {
		return err
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

// joinTwins finds the twins, and joins those of them that are near each other.
func (c *cluster) joinTwins() {
	c.sorted, c.twins = append(c.sorted[:0], c.nodes...), c.twins[:0]
	slices.SortStableFunc(c.sorted, compareTwins)
	for i, n := range c.sorted {
		if i == 0 || compareTwins(c.sorted[i-1], n) != 0 {
			c.twins = append(c.twins, twins{calls: c.sorted[i:i]})
		}
		n.twins = len(c.twins) - 1
		t := &c.twins[n.twins]
		for twin := range c.near(t.calls, n.at) {
			twin.join(n)
		}
		t.calls = append(t.calls, n)
	}
}

// compareTwins compares all that twins have in common.
func compareTwins(a, b *node) int {
	without := func(n *node) int64 {
		if n.NoDuration {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(a.side, b.side), cmp.Compare(a.Duration, b.Duration), cmp.Compare(without(a), without(b)),
		strings.Compare(a.Price, b.Price), cmp.Compare(a.Direction, b.Direction), strings.Compare(a.Caller, b.Caller),
		strings.Compare(a.Callee, b.Callee))
}

// findFits finds the sets of twins of the two books that may be the same calls, and the rank of each pair of sets.
func (c *cluster) findFits() (map[fit]int, error) {
	fits := make(map[fit]int)
	c.recent[left], c.recent[right] = c.recent[left][:0], c.recent[right][:0]
	for _, n := range c.nodes {
		others := slices.DeleteFunc(c.recent[1-n.side], func(t *twins) bool {
			return !c.follows(n.at, t.calls[t.seen-1].at)
		})
		c.recent[1-n.side] = others
		for _, t := range others {
			for other := range c.near(t.calls[:t.seen], n.at) {
				f := fit{n.set(), other.set()}
				if n.side == right {
					f = fit{other.set(), n.set()}
				}
				l, r := &f[left].Call, &f[right].Call
				if _, known := fits[f]; !known && c.sameParties(l, r) && c.sameDirection(l, r) {
					fits[f] = c.rank(l, r)
				}
			}
		}
		if len(fits) > mostFits {
			return nil, c.tooMany()
		}
		own := &c.twins[n.twins]
		if own.seen++; !slices.Contains(c.recent[n.side], own) {
			c.recent[n.side] = append(c.recent[n.side], own)
		}
	}
	return fits, nil
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
