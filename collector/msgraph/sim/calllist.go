package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// position is where a listing stands: behind one call. Calls are in the order of their
// starts, then by source and place.
type position struct {
	Start  int64  `json:"s"`
	Source int    `json:"n"`
	Place  uint64 `json:"p"`
}

func (p *position) compare(o *position) int {
	return cmp.Or(cmp.Compare(p.Start, o.Start), cmp.Compare(p.Source, o.Source), cmp.Compare(p.Place, o.Place))
}

// span is a range of starts in milliseconds, both ends included.
type span struct {
	Low  int64 `json:"l"`
	High int64 `json:"h"`
}

func (s span) has(t time.Time) bool {
	ms := t.UnixMilli()
	return s.Low <= ms && ms <= s.High
}

// listedRecord is a record on a page, with the version that is published.
type listedRecord struct {
	plan
	version int
	at      position
}

// release is the version that is listed.
func (l *listedRecord) release() *release { return &l.all[l.version] }

// list gives up to limit records whose start, as it is known at an instant, is in a
// span, after a position, and says whether more follow.
func (r *CallRecords) list(in span, after *position, at time.Time, limit int) (page []listedRecord, more bool) {
	for _, s := range r.sources {
		page = append(page, s.list(in, after, at, limit+1)...)
	}
	slices.SortFunc(page, func(a, b listedRecord) int { return a.at.compare(&b.at) })
	if len(page) > limit {
		return page[:limit], true
	}
	return page, false
}

// list gives a source's records.
func (s *source) list(in span, after *position, at time.Time, limit int) (page []listedRecord) {
	// A start that moves lies behind the call's own; that of a routed call's record may lie
	// before the row's.
	from := time.UnixMilli(in.Low).Add(-maxShift)
	to := earliest(time.UnixMilli(in.High).Add(mostSetup), at)
	if after != nil {
		from = later(from, time.UnixMilli(after.Start))
	}
	var p plan
	s.world.Each(from, to, func(c *simulator.Call) bool {
		here := position{c.Start.UnixMilli(), s.number, c.Place()}
		if after != nil && here.compare(after) <= 0 || !s.plan(c, &p) {
			return true
		}
		version := p.at(at)
		if version < 0 || !in.has(p.all[version].start) {
			return true
		}
		if s.routed {
			s.records.known.keep(p.id, p.place)
		}
		page = append(page, listedRecord{plan: p, version: version, at: here})
		return len(page) < limit
	})
	return page
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// newestRecords are up to n records that are found by their ids at an instant, those whose calls
// started last, in no particular order.
func (r *CallRecords) newestRecords(at time.Time, n int) (ids []simulator.UUID) {
	var p plan
	for to := at; len(ids) < n && at.Sub(to) < retention; to = to.Add(-time.Hour) {
		for _, s := range r.sources {
			s.world.Each(to.Add(-time.Hour), to, func(c *simulator.Call) bool {
				if s.plan(c, &p) && p.flaw == simulator.NoFlaw && p.readAt(at) >= 0 {
					ids = append(ids, p.id)
					if s.routed {
						r.known.keep(p.id, p.place)
					}
				}
				return len(ids) < n
			})
		}
	}
	return ids
}
