package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
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

func sideOf(callType string) (side, bool) {
	if callType == Received {
		return received, true
	}
	return placed, callType == Placed
}

// eachRow calls f for every row of the calls that start in [from, to), always in the same order. A
// call's own row comes before its linked rows. f may use the row until it returns.
func (s *Server) eachRow(from, to time.Time, f func(*row)) {
	for of, w := range s.worlds {
		w.Each(from, to, func(c *simulator.Call) bool {
			for _, p := range partsOf(c) {
				r := s.row(side(of), c, p)
				f(&r)
			}
			return true
		})
	}
}

// eachActive calls f for the rows whose call is in progress at an instant, or ended less than
// linger before it.
func (s *Server) eachActive(at time.Time, linger time.Duration, f func(*row)) {
	const longest = 8*time.Hour + maxSetup + maxOffset
	s.eachRow(at.Add(-longest-linger), at.Add(maxSetup), func(r *row) {
		if begin, _, end := r.life(); !begin.After(at) && end.Add(linger).After(at) {
			f(r)
		}
	})
}

// Active is the number of calls in progress at an instant, with an entry each for inbound and
// outbound. A forwarded call counts as two, and so does one between two of the account's numbers.
func (s *Server) Active(at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	s.eachActive(at, 0, func(r *row) { active[r.side.direction()]++ })
	return active
}

func (s *Server) at(p *place) row {
	var c simulator.Call
	s.worlds[p.world].Call(p.call, &c)
	return s.row(p.world, &c, p.part)
}
