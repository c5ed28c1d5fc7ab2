package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const retention = 30 * 24 * time.Hour

// CallRecords are a tenant's call records: who took part, in which sessions and over which streams, and when what of it was published. Everything
// about a record follows from its call's place in its world, which its id says. It is safe for concurrent use.
type CallRecords struct {
	versions Versions
	share    float64
	sources  []*recordSource
}

// CallRecordSettings say what a tenant's call records are. One of the worlds is needed, or two different ones.
type CallRecordSettings struct {
	// Calls are those that appear nowhere but in call records. Its mix is CallRecordsMix.
	Calls *simulator.World
	// Routed is the tenant's Direct Routing: its calls have records too, whose ids are the rows' correlation ids.
	Routed *simulator.World
	// RoutedShare is the part of those calls that have a record; all if zero.
	RoutedShare float64
	// Versions say how records grow; UsualVersions if zero.
	Versions Versions
}

// Versions say how a record grows.
type Versions struct {
	// First says how long after its end a routed call's record is published. That of other calls is a matter of their world.
	First []simulator.Delay
	// GapMin and GapMax are between two versions. The last is published within Final of the call's end, but for Later, or at once if the first
	// wasn't.
	GapMin, GapMax, Final time.Duration
	// Later is the share of records that get one more version, between LaterMin and LaterMax after the call's end: another session, and quality
	// measured anew.
	Later              float64
	LaterMin, LaterMax time.Duration
	// Young is the share of records that are listed and notified, but not found by their id for up to YoungFor.
	Young    float64
	YoungFor time.Duration
	// Moved is the share of records whose start is too late in early versions.
	Moved float64
}

// UsualVersions are minutes to an hour apart, and final within 80 minutes.
func UsualVersions() Versions {
	return Versions{
		First: recordDelays(), GapMin: 2 * time.Minute, GapMax: 25 * time.Minute, Final: 80 * time.Minute,
		Later: 0.02, LaterMin: 3 * time.Hour, LaterMax: 20 * time.Hour,
		Young: 0.1, YoungFor: 5 * time.Minute, Moved: 0.03,
	}
}

// QuickVersions are seconds apart, and final within three minutes: for the demo.
func QuickVersions() Versions {
	return Versions{
		First: simulator.QuickDelays(), GapMin: 5 * time.Second, GapMax: 40 * time.Second, Final: 3 * time.Minute,
		Later: 0.01, LaterMin: 10 * time.Minute, LaterMax: 40 * time.Minute,
		Young: 0.05, YoungFor: 10 * time.Second, Moved: 0.03,
	}
}

// recordDelays are how long first versions take: half an hour at most for nearly all, two and a half hours at most.
func recordDelays() []simulator.Delay {
	return []simulator.Delay{
		{Weight: 900, Min: 5 * time.Minute, Max: 30 * time.Minute},
		{Weight: 90, Min: 30 * time.Minute, Max: time.Hour},
		{Weight: 10, Min: time.Hour, Max: 150 * time.Minute},
	}
}

// HistoricalCalls is a world for CallRecords of exactly n calls that started in [from, to).
func HistoricalCalls(seed uint64, from, to time.Time, n int) simulator.Settings {
	s := simulator.Historical(seed, CallRecordsMix(), from, to, n)
	s.Delays, s.MaxLate, s.Revised = recordDelays(), 0, 0
	return s
}

// LiveCalls is a world for CallRecords whose calls began at origin and go on, at a number of calls in a second.
func LiveCalls(seed uint64, origin time.Time, perSecond float64) simulator.Settings {
	s := simulator.Live(seed, CallRecordsMix(), origin, perSecond)
	s.MaxLate, s.Revised, s.Incidents = 0, 0, 0
	return s
}

// HistoricalCallRecords are the records of exactly n calls that started in [from, to).
func HistoricalCallRecords(seed uint64, from, to time.Time, n int) *CallRecords {
	return NewCallRecords(CallRecordSettings{Calls: simulator.NewWorld(HistoricalCalls(seed, from, to, n))})
}

// NewCallRecords makes the records of worlds of calls.
func NewCallRecords(s CallRecordSettings) *CallRecords {
	if v := &s.Versions; len(v.First) == 0 && v.GapMax == 0 && v.Final == 0 {
		s.Versions = UsualVersions()
	}
	r := &CallRecords{versions: s.Versions, share: cmp.Or(s.RoutedShare, 1)}
	for _, world := range []*simulator.World{s.Calls, s.Routed} {
		if world != nil {
			r.sources = append(r.sources, &recordSource{records: r, world: world, number: len(r.sources), routed: world == s.Routed})
		}
	}
	return r
}

// reach is how long after a call's start its last version is published at most.
func (r *CallRecords) reach() time.Duration {
	v := &r.versions
	var first, world time.Duration
	for _, d := range v.First {
		first = max(first, d.Max)
	}
	for _, s := range r.sources {
		world = max(world, s.world.Reach())
	}
	return world + max(v.LaterMax, first+v.Final+maxVersions*v.GapMax) + maxShift
}

// find makes the plan of the record with an id, if there is one.
func (r *CallRecords) find(id simulator.UUID, p *recordPlan) bool {
	var c simulator.Call
	return slices.ContainsFunc(r.sources, func(s *recordSource) bool { return s.world.CallByID(id, &c) && s.plan(&c, p) })
}

// position is where a listing goes on: at a place of a source, whose calls before that start earlier. The sources come one after the other.
type position struct {
	source int
	place  uint64
	start  time.Time
}

// span is a range of starts in milliseconds, both ends included.
type span struct{ low, high int64 }

// listedRecord is a record on a page of the list, in the version that is published.
type listedRecord struct {
	recordPlan
	version int
	next    position
}

// list gives up to limit records whose start, as it is known at an instant, is in a span, from a position on, and says whether more follow.
func (r *CallRecords) list(in span, begin position, at time.Time, limit int) (page []listedRecord, more bool) {
	// An early version may say a later start than the call's own, and a routed call's record an earlier one than its row.
	from := time.UnixMilli(in.low).Add(-maxShift)
	to := simulator.Earlier(time.UnixMilli(in.high).Add(mostSetup), at)
	var p recordPlan
	for _, s := range r.sources[begin.source:] {
		if s.number > begin.source {
			begin = position{}
		}
		s.world.Each(later(from, begin.start), to, func(c *simulator.Call) bool {
			if c.Place() < begin.place || !s.plan(c, &p) {
				return true
			}
			version := p.published(at)
			if version < 0 {
				return true
			}
			if start := p.versions[version].start.UnixMilli(); start < in.low || start > in.high {
				return true
			}
			if more = len(page) == limit; !more {
				page = append(page, listedRecord{recordPlan: p, version: version, next: position{s.number, c.Place() + 1, c.Start}})
			}
			return !more
		})
	}
	return page, more
}

// First is the id of the first valid record in a range of starts that is published at an instant; empty if there is none.
func (r *CallRecords) First(from, to, at time.Time) string {
	const enough = 100 // of which hardly any is malformed
	page, _ := r.list(span{from.UnixMilli(), to.UnixMilli()}, position{}, at, enough)
	for i := range page {
		if page[i].flaw == simulator.NoFlaw {
			return page[i].id.String()
		}
	}
	return ""
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
