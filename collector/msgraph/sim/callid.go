package sim

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// recordIDs makes the ids of records from the calls' places, and back: by an odd factor,
// which has an inverse, and a number of the world's own.
type recordIDs struct {
	world *simulator.World
	salt  uint64
}

// idFactor is odd.
const idFactor = 0x9e3779b97f4a7c15

func newRecordIDs(w *simulator.World) recordIDs {
	d := w.Draws(0, drawID)
	return recordIDs{world: w, salt: d.Bits()}
}

// of is the id of the record of the call at a place: its first six bytes and the last
// two are the place.
func (n recordIDs) of(place uint64) simulator.UUID {
	d := n.world.Draws(place, drawID)
	id := d.UUID()
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], (place+1)*idFactor^n.salt)
	copy(id[:6], raw[:6])
	copy(id[14:], raw[6:])
	return id
}

// place is that of the call whose record has an id, and whether there can be one.
func (n recordIDs) place(id simulator.UUID) (uint64, bool) {
	var raw [8]byte
	copy(raw[:6], id[:6])
	copy(raw[6:], id[14:])
	place := (binary.BigEndian.Uint64(raw[:])^n.salt)*inverse(idFactor) - 1
	return place, n.of(place) == id
}

// inverse is the number that an odd one becomes 1 with, by Newton's method.
func inverse(odd uint64) uint64 {
	x := odd
	for range 5 {
		x *= 2 - odd*x
	}
	return x
}

// parseUUID reads the text form, in either case.
func parseUUID(text string) (id simulator.UUID, ok bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return id, false
	}
	n, err := hex.Decode(id[:], []byte(strings.ReplaceAll(text, "-", "")))
	return id, err == nil && n == len(id)
}

// identities are the places of routed calls, by the ids of their records: those that
// were given out, and those that somebody asked for. The ids follow from nothing.
type identities struct {
	mu     sync.Mutex
	places map[simulator.UUID]uint64 // guarded by mu
	order  []simulator.UUID          // guarded by mu
	// searched is the instant up to which all were looked for.
	searched time.Time // guarded by mu
}

const (
	// maxIdentities is how many are kept.
	maxIdentities = 500_000
	// searchedCalls is how many calls are looked through for an id at most.
	searchedCalls = 300_000
)

func (n *identities) keep(id simulator.UUID, place uint64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.add(id, place)
}

func (n *identities) add(id simulator.UUID, place uint64) {
	if n.places == nil {
		n.places = map[simulator.UUID]uint64{}
	}
	if _, ok := n.places[id]; ok {
		return
	}
	n.places[id] = place
	n.order = append(n.order, id)
	if len(n.order) > maxIdentities {
		delete(n.places, n.order[0])
		n.order = n.order[1:]
	}
}

// find is the place of a routed call. One that wasn't given out is looked for among the
// newest calls.
func (n *identities) find(s *source, id simulator.UUID, now time.Time) (uint64, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if place, ok := n.places[id]; ok {
		return place, true
	}
	from, left := n.searched, searchedCalls
	if from.IsZero() {
		from = s.newest(now, searchedCalls)
	}
	n.searched = now
	s.world.Each(from, now, func(c *simulator.Call) bool {
		if s.hasRecord(c, c.Versions()[0].Kind) {
			n.add(c.CallID, c.Place())
		}
		if left--; left == 0 {
			n.searched = c.Start
		}
		return left > 0
	})
	place, ok := n.places[id]
	return place, ok
}

// newest is an instant since which about as many calls have started.
func (s *source) newest(now time.Time, calls int) time.Time {
	from, _ := s.world.Span()
	count := 0
	s.world.Each(now.Add(-time.Hour), now, func(*simulator.Call) bool { count++; return true })
	since := now.Add(-retention)
	if count > 0 {
		since = later(since, now.Add(-time.Duration(calls/count+1)*time.Hour))
	}
	return later(from, since)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// find makes the plan of the record with an id, if there is one.
func (r *CallRecords) find(id simulator.UUID, now time.Time, p *plan) bool {
	var c simulator.Call
	for _, s := range r.sources {
		var place uint64
		var ok bool
		if s.routed {
			place, ok = r.known.find(s, id, now)
		} else {
			place, ok = s.ids.place(id)
		}
		if ok && s.world.Call(place, &c) && s.plan(&c, p) && p.id == id {
			return true
		}
	}
	return false
}
