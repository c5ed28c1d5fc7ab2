package sim

import (
	"encoding/binary"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The types of call, as values of the parameter `type`.
const (
	Placed   = "placed"
	Received = "received"
)

// side is a type of call, and the world with the calls of that type.
type side uint8

const (
	placed side = iota
	received
	sides
)

// String is the type in the spelling of Wavix and of the label.
func (s side) String() string { return [...]string{Placed, Received}[s] }

func (s side) direction() cdr.Direction { return [...]cdr.Direction{cdr.Outbound, cdr.Inbound}[s] }

// The kinds of received calls that went on to the telephone network, by the Wire of a mix's kind. Such a
// call has a fee and a placed row, its leg, which is answered or fails.
const (
	forwarded = "forwarded"
	// ForwardedInVain is a call whose leg fails.
	ForwardedInVain = "forwarded in vain"
)

// row is one row of a type's list, as a separate call. A version's Connection is the fee for
// forwarding.
type row struct {
	simulator.Call
	side side
	// parent is the id of the forwarded call whose leg the row is; zero for all others.
	parent simulator.UUID
	hasFee bool
}

// world is the side of the call that the row is of.
func (r *row) world() side {
	if r.isLeg() {
		return received
	}
	return r.side
}

func (r *row) isLeg() bool { return r.parent != simulator.UUID{} }

const (
	// maxOffset is the longest time between a call and the start of its leg.
	maxOffset = 4 * time.Second
	// maxSetup is the longest setup before a call's start, maxRing the longest ringing of a failed
	// call.
	maxSetup = 20 * time.Second
	maxRing  = 45 * time.Second
)

var (
	noTrunk = simulator.Trunk{}
	target  = simulator.Prefix{Weight: 3, Digits: "+141555501", Random: 2, Country: "US", Place: "United States"}
)

// rows are the rows that a call has: its own, and its leg if it was forwarded. A row that can't be read
// or has no id is nobody's parent.
func rows(of side, c *simulator.Call) []row {
	wire := c.Versions()[0].Kind.Wire
	own := row{Call: *c, side: of, hasFee: wire == forwarded || wire == ForwardedInVain}
	for i := range own.Versions() {
		if v := &own.Versions()[i]; own.hasFee {
			v.Published = v.Published.Add(maxOffset) // the leg is listed with it
		} else {
			v.Connection = simulator.Price{}
		}
	}
	if !own.hasFee || own.NoID || own.Flaw != simulator.NoFlaw {
		return []row{own}
	}
	return []row{own, own.leg()}
}

// leg makes the placed row of a forwarded call. If the call is connected, both end together.
func (r *row) leg() row {
	leg, v := *r, r.Versions()[0]
	kind := *v.Kind
	kind.Direction, kind.CallType = placed.direction(), Placed
	v.Kind, v.Incomplete, v.Usage, v.Connection = &kind, false, simulator.Price{Known: true}, simulator.Price{}
	offset := time.Second + time.Duration(styleOf(r.CallID)%4)*time.Second
	if kind.Wire == forwarded {
		offset = min(offset, v.Duration-time.Second)
		v.Duration -= offset
		v.Usage.Amount = simulator.Amount(1300 * minutes(v.Duration))
	} else {
		kind.Phrase, kind.Outcome, v.Duration = "failed", cdr.Failed, 0
	}
	leg.parent, leg.ID, leg.side, leg.Trunk, leg.Copies, leg.hasFee = r.ID, r.CallID, placed, &noTrunk, 1, false
	leg.Prefix, leg.Start = &target, r.Start.Add(offset)
	leg.SetVersions(v)
	return leg
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

// styleOf is a number derived from an id, to choose what a row has beyond its call.
func styleOf(id simulator.UUID) uint64 {
	return simulator.Scatter(binary.LittleEndian.Uint64(id[:8]) ^ binary.LittleEndian.Uint64(id[8:])*0x9e3779b97f4a7c15)
}

// eachRow calls f for every row of the calls that start in [from, to), always in the same order. A
// call's own row comes before its leg. f may use the row until it returns.
func (s *Server) eachRow(from, to time.Time, f func(*row)) {
	for of, w := range s.worlds() {
		w.Each(from, to, func(c *simulator.Call) bool {
			for _, r := range rows(side(of), c) {
				f(&r)
			}
			return true
		})
	}
}

// eachActive calls f for the rows whose call is in progress at an instant.
func (s *Server) eachActive(at time.Time, f func(*row)) {
	const longest = 8*time.Hour + maxSetup + maxOffset
	s.eachRow(at.Add(-longest), at.Add(maxSetup), func(r *row) {
		if begin, _, end := r.life(); !begin.After(at) && end.After(at) {
			f(r)
		}
	})
}

// Active is the number of calls in progress at an instant, with an entry each for inbound and
// outbound. A forwarded call counts as two.
func (s *Server) Active(at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	s.eachActive(at, func(r *row) { active[r.side.direction()]++ })
	return active
}
