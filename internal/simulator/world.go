package simulator

import (
	"fmt"
	"math"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// World is the calls of one feed. It is safe for concurrent use.
type World struct {
	s Settings
	arrivals

	kinds, prefixes, tariffs, delays table
	// trunks draws from the trunks of each family, incident from the kinds of
	// incidents by family and direction.
	trunks                               map[int]table
	incident                             map[incidentOf]table
	revised, duplicated, malformed, noID share
	incidents                            share

	outages atomic.Pointer[[]outage]
	cache   cache
}

// incidentOf is what a call keeps while its trunk fails.
type incidentOf struct {
	family    int
	direction cdr.Direction
}

// NewWorld makes a world. An error says which setting is wrong.
func NewWorld(s Settings) (*World, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	if len(s.Flaws) == 0 {
		s.Flaws = Flaws()
	}
	s.Seed ^= hashOf(s.Mix.Name)
	if s.CacheRows == 0 {
		s.CacheRows = 1_000_000
	}
	w := &World{
		s: s, arrivals: newArrivals(&s),
		revised: shareOf(s.Revised), duplicated: shareOf(s.Duplicated), malformed: shareOf(s.Malformed),
		noID: shareOf(s.NoID), incidents: shareOf(s.Incidents),
		cache: newCache(s.CacheRows),
	}
	w.outages.Store(&[]outage{})
	w.buildTables()
	if w.perBlock() > math.MaxUint16/2 {
		return nil, fmt.Errorf("simulated world: %d calls in a second are too many", int(s.PerSecond))
	}
	return w, nil
}

func (w *World) buildTables() {
	m := w.s.Mix
	w.kinds = weigh(m.Kinds, func(k *Kind) int { return k.Weight })
	w.prefixes = weigh(m.Prefixes, func(p *Prefix) int { return p.Weight })
	w.tariffs = weigh(m.Tariffs, func(t *Tariff) int { return t.Weight })
	w.delays = weigh(w.s.Delays, func(d *Delay) int { return d.Weight })
	w.trunks = map[int]table{}
	for i := range m.Trunks {
		family := m.Trunks[i].Family
		w.trunks[family] = weigh(m.Trunks, func(t *Trunk) int { return when(t.Family == family, t.Weight) })
	}
	w.incident = map[incidentOf]table{}
	for i := range m.Incident {
		of := incidentOf{m.Incident[i].Family, m.Incident[i].Direction}
		w.incident[of] = weigh(m.Incident, func(k *Kind) int {
			return when(incidentOf{k.Family, k.Direction} == of, k.Weight)
		})
	}
}

// weigh makes the table of a list.
func weigh[T any](list []T, weight func(*T) int) table {
	weights := make([]int, len(list))
	for i := range list {
		weights[i] = weight(&list[i])
	}
	return newTable(weights)
}

func when(yes bool, n int) int {
	if yes {
		return n
	}
	return 0
}

// Mix is what the traffic is made of. It isn't to be changed.
func (w *World) Mix() *Mix { return w.s.Mix }

// FailTrunk makes a trunk fail for the calls that start in [from, to), by its
// label. Tell it before those calls are published, or what was seen changes.
func (w *World) FailTrunk(trunk string, from, to time.Time) {
	o := outage{trunk: trunk, from: from.UnixMilli(), to: to.UnixMilli()}
	for {
		old := w.outages.Load()
		next := append(slices.Clip(*old), o)
		if w.outages.CompareAndSwap(old, &next) {
			break
		}
	}
	w.cache.forget(w.blockOf(o.from), w.blockOf(o.to))
}

// Each calls f for every call that starts in [from, to), published or not, in
// no particular order, until f says false. A zero bound is none; a live world
// needs a bound. The call belongs to f until it returns.
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
