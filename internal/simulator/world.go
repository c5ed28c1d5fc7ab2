package simulator

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// World is the calls of one feed. It is safe for concurrent use.
type World struct {
	s Settings
	arrivals

	trunks map[int][]Trunk // by family

	outages atomic.Pointer[[]outage]

	mu sync.Mutex // also held while outages change
	// blocks keep the entries of the blocks used so far, in the world's order: 32 bytes for each
	// call.
	blocks map[int64][]entry
}

// NewWorld makes a world. Settings without a beginning, or with neither an end nor calls per
// second, panic.
func NewWorld(s Settings) *World {
	if s.From.IsZero() || s.To.IsZero() && s.PerSecond <= 0 || !s.To.IsZero() && !s.To.After(s.From) {
		panic(fmt.Sprintf("simulated world: from %s to %s, %g calls per second", s.From, s.To, s.PerSecond))
	}
	s.Seed ^= hashOf(s.Mix.Name)
	w := &World{s: s, arrivals: newArrivals(&s), trunks: map[int][]Trunk{}, blocks: map[int64][]entry{}}
	w.outages.Store(&[]outage{})
	for _, t := range s.Mix.Trunks {
		w.trunks[t.Family] = append(w.trunks[t.Family], t)
	}
	return w
}

// NoCalls is a world without calls, in place of a missing one.
func NoCalls() *World {
	return NewWorld(Settings{Mix: &Mix{}, From: time.Unix(0, 0), To: time.Unix(1, 0)})
}

// Mix is the world's traffic. Don't change it.
func (w *World) Mix() *Mix { return w.s.Mix }

// Each calls f for every call that starts in [from, to), published or not, in no particular order,
// until f returns false. A zero bound means none; a live world needs a bound. f may use the call
// until it returns.
func (w *World) Each(from, to time.Time, f func(*Call) bool) {
	first, last := w.span(from, to)
	var c Call
	for b := first; b <= last; b++ {
		for n := range w.count(b) {
			w.fill(&c, b, n)
			if !from.IsZero() && c.Start.Before(from) || !to.IsZero() && !c.Start.Before(to) {
				continue
			}
			if !f(&c) {
				return
			}
		}
	}
}

// span is the blocks that a range of time touches.
func (w *World) span(from, to time.Time) (first, last int64) {
	first, last = 0, w.lastBlock()
	if !from.IsZero() {
		first = max(first, w.blockOf(from.UnixMilli()))
	}
	if !to.IsZero() {
		last = min(last, w.blockOf(to.UnixMilli()))
	}
	return first, last
}

// Place is where the call is in its world, for Call.
func (c *Call) Place() uint64 { return placeOf(c.Block, c.Number) }

func placeOf(block int64, number int) uint64 { return uint64(block)<<16 | uint64(number) }

// Call makes the call at a place, and says whether it exists.
func (w *World) Call(place uint64, c *Call) bool {
	block, number := int64(place>>16), int(place&0xffff)
	if block < 0 || block > w.lastBlock() || number >= w.count(block) {
		return false
	}
	w.fill(c, block, number)
	return true
}

// CallByID makes the first call with a call id, and says whether it exists.
func (w *World) CallByID(id UUID, c *Call) bool {
	place := (binary.BigEndian.Uint64(id[:])>>16 ^ w.s.Seed) & (1<<48 - 1)
	return w.Call(place, c) && c.CallID == id
}
