package sim

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// CallRecords are a tenant's call records: participants, sessions, streams, and when each version
// was published. Everything about a record follows from its call's place in its world, which is
// part of its id. It is safe for concurrent use.
type CallRecords struct {
	versions Versions
	share    float64
	sources  []*recordSource
}

// CallRecordSettings describe a tenant's call records. They need one of the worlds, or two
// different ones.
type CallRecordSettings struct {
	// Calls are calls that exist in call records only. Its mix is CallRecordsMix.
	Calls *simulator.World
	// Routed is the tenant's Direct Routing. Its calls have records too; their ids are the rows'
	// correlation ids.
	Routed *simulator.World
	// RoutedShare is the share of those calls that have a record; zero means all.
	RoutedShare float64
	// Versions say how records grow; zero means UsualVersions.
	Versions Versions
}

// Versions say how a record grows.
type Versions struct {
	// First is how long after its end a routed call's record is published. For other calls their
	// world decides.
	First []simulator.Delay
	// GapMin and GapMax limit the time between two versions. The last version except Later is
	// published within Final of the call's end, or at once if the first wasn't.
	GapMin, GapMax, Final time.Duration
	// Later is the share of records that get another version between LaterMin and LaterMax after
	// the call's end. It has another session and new measurements of quality.
	Later              float64
	LaterMin, LaterMax time.Duration
	// Young is the share of records that are listed and notified, but can't be read by their id for
	// up to YoungFor.
	Young    float64
	YoungFor time.Duration
}

// UsualVersions are minutes to an hour apart, and final within 80 minutes.
func UsualVersions() Versions {
	return Versions{
		First: recordDelays(), GapMin: 2 * time.Minute, GapMax: 25 * time.Minute, Final: 80 * time.Minute,
		Later: 0.02, LaterMin: 3 * time.Hour, LaterMax: 20 * time.Hour,
		Young: 0.1, YoungFor: 5 * time.Minute,
	}
}

// QuickVersions are seconds apart, and final within three minutes: for the demo.
func QuickVersions() Versions {
	return Versions{
		First: simulator.QuickDelays(), GapMin: 5 * time.Second, GapMax: 40 * time.Second, Final: 3 * time.Minute,
		Later: 0.01, LaterMin: 10 * time.Minute, LaterMax: 40 * time.Minute,
		Young: 0.05, YoungFor: 10 * time.Second,
	}
}

// recordDelays are how long first versions take: at most half an hour for nearly all, at most two
// and a half hours for the rest.
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

// LiveCalls is a world for CallRecords whose calls start at origin and never end, with a number of
// calls a second.
func LiveCalls(seed uint64, origin time.Time, perSecond float64) simulator.Settings {
	s := simulator.Live(seed, CallRecordsMix(), origin, perSecond)
	s.MaxLate, s.Revised = 0, 0
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
			r.sources = append(r.sources, &recordSource{
				records: r, world: world, number: len(r.sources),
				routed: world == s.Routed,
			})
		}
	}
	return r
}

// reach is the longest time between a call's start and its last version.
func (r *CallRecords) reach() time.Duration {
	v := &r.versions
	var first, world time.Duration
	for _, d := range v.First {
		first = max(first, d.Max)
	}
	for _, s := range r.sources {
		world = max(world, s.world.Reach())
	}
	return world + max(v.LaterMax, first+v.Final+maxVersions*v.GapMax)
}

// find makes the plan of the record with an id, if it exists.
func (r *CallRecords) find(id simulator.UUID, p *recordPlan) bool {
	var c simulator.Call
	return slices.ContainsFunc(r.sources,
		func(s *recordSource) bool { return s.world.CallByID(id, &c) && s.plan(&c, p) })
}

// position is where a listing continues: at a place in a source. Sources follow one another; within
// a source, calls before that place start earlier.
type position struct {
	source int
	place  uint64
	start  time.Time
}

// span is a range of starts in milliseconds, both ends included.
type span struct{ low, high int64 }

// listedRecord is a record on a page of the list, in its published version.
type listedRecord struct {
	recordPlan
	version int
	next    position
}

// list returns up to limit records from a position, whose start at an instant is in a span, and
// says whether more follow.
func (r *CallRecords) list(in span, begin position, at time.Time, limit int) (page []listedRecord, more bool) {
	// A routed call's record may have an earlier start than its row.
	from := time.UnixMilli(in.low)
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
			if start := p.start.UnixMilli(); start < in.low || start > in.high {
				return true
			}
			if more = len(page) == limit; !more {
				page = append(page, listedRecord{
					recordPlan: p, version: version,
					next: position{s.number, c.Place() + 1, c.Start},
				})
			}
			return !more
		})
	}
	return page, more
}

// First is the id of the first valid record in a range of starts that is published at an instant,
// or empty.
func (r *CallRecords) First(from, to, at time.Time) string {
	const enough = 100 // hardly any of them is malformed
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
