package sim

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// scenario is what a call has in addition to its own row; a plain call has nothing. It is the Wire
// of a mix's kind.
type scenario string

const (
	// selfParent is a row that names itself as its parent, which means none. otherParent names a
	// parent that isn't listed.
	selfParent  scenario = "self parent"
	otherParent scenario = "other parent"
	// ownNumber is a placed call to one of the account's own numbers: it is also listed as
	// received, with the same id.
	ownNumber scenario = "own number"
	// forwarded is a received call that went on to the telephone network. It has a placed leg,
	// whose parent it is, and a fee. The leg is answered, or fails.
	forwarded       scenario = "forwarded"
	forwardedInVain scenario = "forwarded in vain"
)

func (s scenario) isForwarded() bool { return s == forwarded || s == forwardedInVain }

// part selects one of a call's rows.
type part uint8

const (
	ownPart part = iota
	// linkedPart is the leg of a forwarded call, or the received row of a call between own numbers.
	linkedPart
	// twinPart is another call that equals one without an id.
	twinPart
)

// partsOf are the rows that a call has.
func partsOf(c *simulator.Call) []part {
	list := make([]part, 1, 3)
	if s := scenarioOf(c); s == ownNumber || s.isForwarded() {
		list = append(list, linkedPart)
	}
	if c.NoID && styleOf(c.ID)%3 == 0 && scenarioOf(c) != otherParent { // two rows with one parent make one call
		list = append(list, twinPart)
	}
	return list
}

func scenarioOf(c *simulator.Call) scenario { return scenario(c.Versions()[0].Kind.Wire) }

// row is one row of a type's list, as a separate call. A version's Connection is the fee for
// forwarding.
type row struct {
	simulator.Call
	scenario
	side, world side
	part        part
	// origin is the id of the call that the row is made from.
	origin simulator.UUID
	// parent is zero if the row has none; child says that the parent is the call's own row, of the
	// other type.
	parent simulator.UUID
	child  bool
	hasFee bool
}

const (
	// maxOffset is the longest time between a call and the start of a linked row.
	maxOffset = 5 * time.Second
	// maxSetup is the longest setup before a call's start, maxRing the longest ringing of a failed
	// call.
	maxSetup = 20 * time.Second
	maxRing  = 45 * time.Second
)

var (
	noTrunk = simulator.Trunk{}
	target  = simulator.Prefix{Weight: 3, Digits: "+141555501", Random: 2, Country: "US", Place: "United States"}
)

// row makes one of a call's rows.
func (s *Server) row(of side, c *simulator.Call, p part) row {
	r := row{Call: *c, scenario: scenarioOf(c), side: of, world: of, part: p, origin: c.ID}
	r.hasFee = r.isForwarded() && p != linkedPart
	switch r.scenario {
	case selfParent:
		if !c.NoID {
			r.parent = c.ID
		}
	case otherParent:
		r.parent = c.CallID
	case ownNumber:
		r.Prefix = &s.worlds[of].Mix().Own
	default:
	}
	versions := r.Versions()
	for i := range versions {
		if !r.hasFee {
			versions[i].Connection = simulator.Price{}
		}
	}
	switch {
	case p == twinPart:
		// It is exactly equal, but may be listed later.
		versions[0].Published = versions[0].Published.Add(time.Duration(styleOf(c.ID)>>8%900) * time.Second)
	case p == linkedPart && r.scenario == ownNumber:
		r.mirror()
	case p == linkedPart:
		r.leg()
	}
	return r
}

// link turns the row into one of the other type, with one version, and returns that version with a
// separate copy of the kind.
func (r *row) link(of side) simulator.Version {
	v := r.Versions()[0]
	k := *v.Kind
	k.Direction, k.CallType = of.direction(), of.String()
	v.Kind, v.Incomplete, v.Usage = &k, false, simulator.Price{Known: true}
	r.side, r.Trunk, r.Flaw, r.Copies = of, &noTrunk, simulator.NoFlaw, 1
	return v
}

// mirror makes the received row of a call between own numbers. It costs nothing, and appears later
// in the list.
func (r *row) mirror() {
	v := r.link(received)
	v.Published = v.Published.Add(time.Duration(styleOf(r.ID)>>8%600) * time.Second)
	r.SetVersions(v)
}

// leg makes the placed row of a forwarded call, listed with its parent or later.
func (r *row) leg() {
	style, v := styleOf(r.CallID), r.link(placed)
	listed, talk := v.Published, v.Duration
	offset := time.Second + time.Duration(style%4)*time.Second
	r.parent, r.child, r.ID, r.NoID = r.ID, true, r.CallID, false
	r.Prefix, r.Start = &target, r.Start.Add(offset)
	v.Kind.Phrase, v.Kind.Outcome, v.Duration = "failed", cdr.Failed, 0
	if r.scenario == forwarded {
		v.Kind.Phrase, v.Kind.Outcome = "answered", cdr.Answered
		v.Duration = max(time.Second, talk-offset)
		if talk == 0 {
			v.Duration = time.Duration(20+style>>8%300) * time.Second
		}
		v.Usage.Amount = simulator.Amount(1300 * minutes(v.Duration))
	}
	if v.Published = r.Start.Add(v.Duration); v.Published.Before(listed) {
		v.Published = listed
	}
	r.SetVersions(v)
}

// minutes are the started minutes.
func minutes(d time.Duration) int64 { return int64((d + time.Minute - 1) / time.Minute) }

// life is when a row's call began, was answered (zero if never) and ended.
func (r *row) life() (begin, answered, end time.Time) {
	style, v := styleOf(r.ID)>>20, &r.Versions()[0]
	within := func(most time.Duration) time.Duration {
		return time.Second + time.Duration(style%uint64(most-time.Second)).Truncate(time.Millisecond)
	}
	if v.Kind.Outcome.Connected() {
		return r.Start.Add(-within(maxSetup)), r.Start, r.End(v)
	}
	return r.Start, time.Time{}, r.Start.Add(within(maxRing))
}

// styleOf is a number derived from an id, to choose the row's style.
func styleOf(id simulator.UUID) uint64 {
	return simulator.Scatter(binary.LittleEndian.Uint64(id[:8]) ^ binary.LittleEndian.Uint64(id[8:])*0x9e3779b97f4a7c15)
}
