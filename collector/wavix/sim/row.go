package sim

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// part is which of a call's rows is meant.
type part uint8

const (
	// ownPart is the call's own row.
	ownPart part = iota
	// linkedPart is the leg of a forwarded call, or the received row of a call
	// between own numbers.
	linkedPart
	// twinPart is another call that can't be told from one without an id.
	twinPart
)

// allParts are the parts of a call that has a linked row, a twin, both or neither.
var allParts = map[[2]bool][]part{
	{}:            {ownPart},
	{true, false}: {ownPart, linkedPart},
	{false, true}: {ownPart, twinPart},
	{true, true}:  {ownPart, linkedPart, twinPart},
}

// partsOf are the rows that a call has. They aren't to be changed.
func partsOf(c *simulator.Call) []part {
	s := scenarioOf(c)
	return allParts[[2]bool{s == ownNumber || s.isForwarded(), c.NoID && styleOf(c.ID)%3 == 0}]
}

// row is one row of a type's list.
type row struct {
	side side
	part part
	call *simulator.Call
	// id is the row's, unless noID. Parent is the row's it belongs to, if hasParent.
	id, parent      simulator.UUID
	noID, hasParent bool
	// childOf says that the parent is the call's own row, which is the other type's.
	childOf bool
	flaw    simulator.Flaw
	copies  int
	start   time.Time
	trunk   string
	country string
	// hasFee says that there is a fee for forwarding, if it is known.
	hasFee    bool
	emergency cdr.Emergency

	versions [3]version
	count    int
}

// version is what may change in a row.
type version struct {
	published   time.Time
	disposition string
	outcome     cdr.Outcome
	duration    time.Duration
	charge, fee simulator.Price
	incomplete  bool
}

// fill makes one of a call's rows. It allocates nothing.
func (a *Account) fill(r *row, of side, c *simulator.Call, p part) {
	*r = row{
		side: of, part: p, call: c, id: c.ID, noID: c.NoID, flaw: c.Flaw, copies: c.Copies,
		start: c.Start, trunk: c.Trunk.Name, country: c.Country(),
	}
	kind, s := c.Versions()[0].Kind, scenarioOf(c)
	r.emergency, r.hasFee = kind.Emergency, s.isForwarded()
	switch s {
	case selfParent:
		r.parent, r.hasParent = c.ID, !c.NoID
	case otherParent:
		r.parent, r.hasParent = c.CallID, true
	case ownNumber:
		r.country = a.worlds[of].Mix().Own.Country
	default:
	}
	for _, v := range c.Versions() {
		r.add(version{
			published: v.Published, disposition: v.Kind.Phrase, outcome: v.Kind.Outcome, duration: v.Duration,
			charge: v.Usage, fee: v.Connection, incomplete: v.Incomplete,
		})
	}
	switch {
	case p == twinPart:
		// It is exactly alike, but may be listed later.
		r.versions[0].published = r.versions[0].published.Add(time.Duration(styleOf(c.ID)>>8%900) * time.Second)
	case p == linkedPart && s == ownNumber:
		r.mirror()
	case p == linkedPart:
		r.leg(s, a.early)
	}
	for i := range r.count {
		if !r.hasFee {
			r.versions[i].fee = simulator.Price{}
		}
	}
}

func (r *row) add(v version) {
	r.versions[r.count] = v
	r.count++
}

// mirror makes the row the received one of a call between own numbers: it costs
// nothing, and is listed when it likes.
func (r *row) mirror() {
	r.side, r.trunk = received, ""
	r.flaw, r.copies = simulator.NoFlaw, 1
	first := r.versions[0]
	r.count = 0
	first.published = first.published.Add(time.Duration(styleOf(r.id)>>8%600) * time.Second)
	first.charge, first.incomplete = simulator.Price{Known: true}, false
	r.add(first)
}

// leg makes the row the placed one of a forwarded call.
func (r *row) leg(s scenario, early bool) {
	parent, style := r.versions[0], styleOf(r.call.CallID)
	r.side, r.trunk, r.country = placed, "", targetCountry
	r.flaw, r.copies, r.hasFee = simulator.NoFlaw, 1, false
	r.id, r.parent, r.noID = r.call.CallID, r.id, false
	r.hasParent, r.childOf = true, true
	offset := time.Second + time.Duration(style%4)*time.Second
	r.start = r.start.Add(offset)
	v := version{disposition: "failed", outcome: cdr.Failed, charge: simulator.Price{Known: true}}
	if s == forwarded {
		v.disposition, v.outcome = "answered", cdr.Answered
		v.duration = max(time.Second, parent.duration-offset)
		if parent.duration == 0 {
			v.duration = time.Duration(20+style>>8%300) * time.Second
		}
		v.charge.Amount = simulator.Amount(1300 * ((v.duration + time.Minute - 1) / time.Minute))
	}
	v.published = r.start.Add(v.duration)
	if !early && v.published.Before(parent.published) {
		v.published = parent.published
	}
	r.count = 0
	r.add(v)
}

// at is the version that is visible at an instant; -1 if there is none yet.
func (r *row) at(t time.Time) int {
	last := -1
	for i := range r.count {
		if !r.versions[i].published.After(t) {
			last = i
		}
	}
	return last
}

// styleOf is a number that an id gives, to draw how its row looks.
func styleOf(id simulator.UUID) uint64 {
	x := binary.LittleEndian.Uint64(id[:8]) ^ binary.LittleEndian.Uint64(id[8:])*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	return x ^ x>>31
}
