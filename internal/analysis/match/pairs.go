package match

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"slices"
	"time"
)

const (
	// mostCalls and mostEdges bound the calls between two numbers that follow each other within the tolerance, and how
	// many pairs these may make.
	mostCalls, mostEdges = 20_000, 1 << 20
)

type side int

const (
	left side = iota
	right
)

// matcher joins two books.
type matcher struct {
	ctx         context.Context //nolint:containedctx // of one Run
	settings    Settings
	left, right *Book
	masking     [2]masking // of callers and callees
	hidden      [2]bool    // one book has none of them

	clock             *clock
	durations, prices bool // both books have them
	repeated          []repeated
	counts            *tariffCount // while the tariff is looked for
	result            *Result
}

// keyedCall is a call with the hash of its numbers.
type keyedCall struct {
	Call

	key uint64
}

// sortedCalls yields the calls of a book by numbers and start.
func (b *Book) sortedCalls() iter.Seq2[keyedCall, error] {
	return func(yield func(keyedCall, error) bool) {
		const head = 2 * 8
		for entry, err := range b.calls.All() {
			var c keyedCall
			if err == nil && len(entry) < head {
				err = errStored
			}
			if err == nil {
				c.key = binary.BigEndian.Uint64(entry)
				c.Call, _, err = parseCall(entry[head:])
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// merge goes through the calls of both books by numbers and, by the corrected clock once it is known, by start.
func (m *matcher) merge(use func(s side, key uint64, c *Call) error) error {
	var next [2]func() (keyedCall, error, bool)
	var head [2]keyedCall
	var at [2]time.Time
	var has [2]bool
	advance := func(s side) error {
		var err error
		if head[s], err, has[s] = next[s](); err != nil {
			return err
		}
		if at[s] = head[s].Start; s == right {
			at[s] = m.corrected(at[s])
		}
		return nil
	}
	for s, b := range [...]*Book{left: m.left, right: m.right} {
		pull, stop := iter.Pull2(b.sortedCalls())
		defer stop()
		next[s] = pull
		if err := advance(side(s)); err != nil {
			return err
		}
	}
	for n := 0; has[left] || has[right]; n++ {
		s := left
		first := cmp.Or(cmp.Compare(head[right].key, head[left].key), at[right].Compare(at[left]))
		if !has[left] || has[right] && first < 0 {
			s = right
		}
		if err := use(s, head[s].key, &head[s].Call); err != nil {
			return err
		}
		if n%1000 == 0 && m.ctx.Err() != nil {
			return m.ctx.Err()
		}
		if err := advance(s); err != nil {
			return err
		}
	}
	return nil
}

// corrected is a right start by the left clock.
func (m *matcher) corrected(start time.Time) time.Time {
	if m.clock == nil {
		return start
	}
	return start.Add(-m.clock.offsetAt(start))
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

// node is a call of a cluster.
type node struct {
	Call

	at    time.Time // by the left clock
	group int
}

// group are calls of one book that can't be told apart.
type group struct {
	of   side
	size int
	left int // calls without a partner yet
	// unclear: a call of it has a partner, and which isn't known.
	unclear bool
	partner int // node of the other book, of a group of one call
	node    int // the first
}

// cluster are the calls between two numbers of which each follows another within the tolerance.
type cluster struct {
	*matcher

	nodes  [2][]node
	groups []group
	edges  []edge
	key    uint64
	last   time.Time
	reach  time.Duration // how far apart two calls may be
}

// edge is two groups that may be the same calls.
type edge struct {
	left, right int           // groups
	rank        int           // in ranks
	duration    time.Duration // by which they differ
	start       time.Duration // as above
}

// ranks are the classes of a pair, in the order of what speaks for it. For the last one only the starts do.
var ranks = [...]Class{Same, Price, Rounded, Duration}

// walk pairs all calls.
func (m *matcher) walk() error {
	c := &cluster{matcher: m}
	err := m.merge(func(s side, key uint64, call *Call) error {
		n := node{Call: *call, at: call.Start}
		if s == right {
			n.at = m.corrected(n.at)
		}
		if key != c.key || !c.follows(n.at) {
			if err := c.finish(); err != nil {
				return err
			}
			c.key = key
		}
		c.last = n.at
		if c.nodes[s] = append(c.nodes[s], n); len(c.nodes[left])+len(c.nodes[right]) > mostCalls {
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

// follows says whether a call belongs to the cluster.
func (c *cluster) follows(at time.Time) bool {
	return at.Sub(c.last) <= c.settings.Tolerance || c.repeatedBy(at, c.last) > 0
}

// repeatedBy is by how much two times may differ in addition to the tolerance, since both are in an
// hour that clocks repeat.
func (m *matcher) repeatedBy(a, b time.Time) time.Duration {
	for _, r := range m.repeated {
		if !a.Before(r.from) && a.Before(r.to) && !b.Before(r.from) && b.Before(r.to) {
			return r.by
		}
	}
	return 0
}

// apart is how far apart two starts are.
func (c *cluster) apart(a, b *node) time.Duration {
	apart := a.at.Sub(b.at).Abs()
	if by := c.repeatedBy(a.at, b.at); by > 0 {
		apart = min(apart, (apart - by).Abs())
	}
	return apart
}

// finish pairs the calls of the cluster and empties it.
func (c *cluster) finish() error {
	if len(c.nodes[left])+len(c.nodes[right]) == 0 {
		return nil
	}
	c.groups, c.edges, c.reach = c.groups[:0], c.edges[:0], c.settings.Tolerance
	for _, r := range c.repeated {
		c.reach = max(c.reach, c.settings.Tolerance+r.by)
	}
	c.findGroups(left)
	c.findGroups(right)
	if err := c.findEdges(); err != nil {
		return err
	}
	c.pair()
	err := c.count()
	c.nodes[left], c.nodes[right] = c.nodes[left][:0], c.nodes[right][:0]
	return err
}

// findGroups finds calls of one book between the same numbers, with starts within the tolerance of each other and the
// same duration and price.
func (c *cluster) findGroups(s side) {
	nodes := c.nodes[s]
	slices.SortFunc(nodes, func(a, b node) int {
		return cmp.Or(compareTwins(&a, &b), a.at.Compare(b.at), cmp.Compare(a.ID, b.ID))
	})
	for i := range nodes {
		n := &nodes[i]
		n.group = -1
		for j := i - 1; j >= 0 && compareTwins(&nodes[j], n) == 0 && n.at.Sub(nodes[j].at) <= c.reach; j-- {
			if c.apart(n, &nodes[j]) > c.settings.Tolerance {
				continue
			}
			if n.group >= 0 && n.group != nodes[j].group {
				c.mergeGroups(nodes[:i], nodes[j].group, n.group)
				continue
			}
			if n.group < 0 {
				n.group = nodes[j].group
				c.groups[n.group].size++
			}
			if c.reach == c.settings.Tolerance {
				break // the others are in the same one
			}
		}
		if n.group < 0 {
			n.group = len(c.groups)
			c.groups = append(c.groups, group{of: s, size: 1, node: i, partner: -1})
		}
	}
}

func compareTwins(a, b *node) int {
	return cmp.Or(cmp.Compare(a.Duration, b.Duration), cmp.Compare(a.Price, b.Price),
		cmp.Compare(a.Direction, b.Direction),
		cmp.Compare(a.Caller, b.Caller), cmp.Compare(a.Callee, b.Callee))
}

func (c *cluster) mergeGroups(nodes []node, from, into int) {
	for i := range nodes {
		if nodes[i].group == from {
			nodes[i].group = into
		}
	}
	c.groups[into].size += c.groups[from].size
	c.groups[from].size = 0
}

// findEdges finds which groups may be the same calls.
func (c *cluster) findEdges() error {
	order := [2][]*node{}
	for s := range c.nodes {
		for i := range c.nodes[s] {
			order[s] = append(order[s], &c.nodes[s][i])
		}
		slices.SortFunc(order[s], func(a, b *node) int { return a.at.Compare(b.at) })
	}
	seen := make(map[[2]int]int)
	from := 0
	for _, l := range order[left] {
		for from < len(order[right]) && l.at.Sub(order[right][from].at) > c.reach {
			from++
		}
		for _, r := range order[right][from:] {
			if r.at.Sub(l.at) > c.reach {
				break
			}
			apart := c.apart(l, r)
			same := c.sameParties(&l.Call, &r.Call) && c.sameDirection(&l.Call, &r.Call)
			if apart > c.settings.Tolerance || !same {
				continue
			}
			e := edge{left: l.group, right: r.group, start: apart}
			e.rank, e.duration = c.rank(&l.Call, &r.Call)
			if at, is := seen[[2]int{e.left, e.right}]; is {
				c.edges[at].start = min(c.edges[at].start, apart)
				continue
			}
			if seen[[2]int{e.left, e.right}] = len(c.edges); len(c.edges) == mostEdges {
				return c.tooMany()
			}
			c.edges = append(c.edges, e)
		}
	}
	return nil
}

// class is what the durations and prices of a pair come to.
func (m *matcher) class(l, r *Call) Class {
	differ := m.durations && !l.NoDuration && !r.NoDuration && (l.Duration-r.Duration).Abs() > DurationTolerance
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

func (m *matcher) rank(l, r *Call) (rank int, duration time.Duration) {
	class := m.class(l, r)
	if m.durations && !l.NoDuration && !r.NoDuration && class != Rounded {
		duration = (l.Duration - r.Duration).Abs()
	}
	return slices.Index(ranks[:], class), duration
}

// pair pairs groups; the pairs with the strongest evidence come first. Groups with only their starts
// as evidence are paired if neither has a choice.
func (c *cluster) pair() {
	for i := range c.groups {
		c.groups[i].left = c.groups[i].size
	}
	slices.SortFunc(c.edges, func(a, b edge) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.duration, b.duration), cmp.Compare(a.start, b.start),
			cmp.Compare(a.left, b.left), cmp.Compare(a.right, b.right))
	})
	choices := make(map[int]int)
	for i, e := range c.edges {
		if ranks[e.rank] != Duration {
			c.pairGroups(e, false)
			continue
		}
		for _, e := range c.edges[i:] {
			if c.groups[e.left].left > 0 && c.groups[e.right].left > 0 {
				choices[e.left]++
				choices[e.right]++
			}
		}
		for _, e := range c.edges[i:] {
			c.pairGroups(e, choices[e.left] > 1 || choices[e.right] > 1)
		}
		break
	}
}

func (c *cluster) pairGroups(e edge, unclear bool) {
	l, r := &c.groups[e.left], &c.groups[e.right]
	switch n := min(l.left, r.left); {
	case n == 0:
	case unclear:
		l.unclear, r.unclear = true, true
	case l.size == 1 && r.size == 1:
		l.partner, r.partner, l.left, r.left = r.node, l.node, 0, 0
	default:
		l.left, r.left, l.unclear, r.unclear = l.left-n, r.left-n, true, true
	}
}

// count adds the calls of the cluster to the result.
func (c *cluster) count() error {
	for s := range c.nodes {
		for i := range c.nodes[s] {
			n := &c.nodes[s][i]
			if err := c.countNode(side(s), n, &c.groups[n.group]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *cluster) countNode(s side, n *node, g *group) error {
	within := !n.at.Before(c.settings.From) && n.at.Before(c.settings.To)
	var l, r *Call
	if s == left {
		l = &n.Call
	} else {
		r = &n.Call
	}
	class := [...]Class{left: OnlyLeft, right: OnlyRight}[s]
	switch {
	case g.unclear, s == left && g.size > 1:
		class = Ambiguous
	case g.partner >= 0 && s == right:
		return nil // the left one counts it
	case g.partner >= 0:
		r = &c.nodes[right][g.partner].Call
		if class = c.class(l, r); c.counts != nil && !l.NoDuration && !r.NoDuration {
			c.counts.add(l.Duration, r.Duration)
		}
	}
	if !within || c.counts != nil {
		return nil
	}
	sides := &c.result.Classes[class]
	if l != nil {
		sides.Left.add(l)
	}
	if r != nil {
		sides.Right.add(r)
	}
	if c.settings.Visit == nil {
		return nil
	}
	return c.settings.Visit(class, l, r)
}
