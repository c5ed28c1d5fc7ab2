package sim

import (
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// retention is how long Graph keeps call records.
const retention = 30 * 24 * time.Hour

// CallRecords is a tenant's call records: who took part, in which sessions, over which
// streams, and what became known of it when. Everything about a record follows from
// its call's place in its world, so nothing is kept. It is safe for concurrent use.
type CallRecords struct {
	versions Versions
	share    float64
	sources  []*source
	known    identities
}

// CallRecordSettings say what a tenant's call records are. At least one of the worlds is
// needed.
type CallRecordSettings struct {
	// Calls are those that nothing but call records tells of. Its mix is CallRecordsMix.
	Calls *simulator.World
	// Routed is the tenant's Direct Routing: its calls have records too, whose ids are
	// the rows' correlation ids. FailTrunk changes them as it changes the rows.
	Routed *simulator.World
	// RoutedShare is the part of those calls that have a record; all if zero.
	RoutedShare float64
	// Versions say how records grow; UsualVersions if zero.
	Versions Versions
}

// Versions say how what is known of a call grows.
type Versions struct {
	// First says how long after its end a routed call's record is published. That of
	// other calls is a matter of their world.
	First []simulator.Delay
	// GapMin and GapMax are between two versions. The last is published within Final of
	// the call's end, but for Later, or at once if the first wasn't.
	GapMin, GapMax, Final time.Duration
	// Later is the share of records that get one more version, between LaterMin and
	// LaterMax after the call's end: another session, and quality measured anew.
	Later              float64
	LaterMin, LaterMax time.Duration
	// Young is the share of records that are listed and told of, but not found by their
	// id for up to YoungFor.
	Young    float64
	YoungFor time.Duration
	// Moved is the share of records whose start is too late in early versions.
	Moved float64
	// Episodes is the share of ten-minute spans in which networks are bad.
	Episodes float64
}

// UsualVersions are minutes to an hour apart, and final within 80 minutes.
func UsualVersions() Versions {
	return Versions{
		First: recordDelays(), GapMin: 2 * time.Minute, GapMax: 25 * time.Minute, Final: 80 * time.Minute,
		Later: 0.02, LaterMin: 3 * time.Hour, LaterMax: 20 * time.Hour,
		Young: 0.1, YoungFor: 5 * time.Minute, Moved: 0.03, Episodes: 0.03,
	}
}

// QuickVersions are seconds apart, and final within three minutes: what one watches in
// the demo.
func QuickVersions() Versions {
	return Versions{
		First: simulator.QuickDelays(), GapMin: 5 * time.Second, GapMax: 40 * time.Second, Final: 3 * time.Minute,
		Later: 0.01, LaterMin: 10 * time.Minute, LaterMax: 40 * time.Minute,
		Young: 0.05, YoungFor: 10 * time.Second, Moved: 0.03, Episodes: 0.1,
	}
}

// recordDelays are how long first versions take: half an hour at most for nearly all, two
// and a half hours at most.
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

// LiveCalls is a world for CallRecords whose calls began at origin and go on, at a number
// of calls in a second averaged over the day.
func LiveCalls(seed uint64, origin time.Time, perSecond float64) simulator.Settings {
	s := simulator.Live(seed, CallRecordsMix(), origin, perSecond)
	s.MaxLate, s.Revised, s.Incidents = 0, 0, 0
	return s
}

// HistoricalCallRecords are the records of exactly n calls that started in [from, to).
func HistoricalCallRecords(seed uint64, from, to time.Time, n int) (*CallRecords, error) {
	world, err := simulator.NewWorld(HistoricalCalls(seed, from, to, n))
	if err != nil {
		return nil, err
	}
	return NewCallRecords(CallRecordSettings{Calls: world})
}

// LiveCallRecords are the records of calls that began at origin and go on, with versions
// in quick succession.
func LiveCallRecords(seed uint64, origin time.Time, perSecond float64) (*CallRecords, error) {
	world, err := simulator.NewWorld(LiveCalls(seed, origin, perSecond))
	if err != nil {
		return nil, err
	}
	return NewCallRecords(CallRecordSettings{Calls: world, Versions: QuickVersions()})
}

// NewCallRecords makes the records of worlds of calls. An error says which setting is wrong.
func NewCallRecords(s CallRecordSettings) (*CallRecords, error) {
	if s.Versions.isZero() {
		s.Versions = UsualVersions()
	}
	set(&s.RoutedShare, 1)
	if err := s.validate(); err != nil {
		return nil, err
	}
	r := &CallRecords{versions: s.Versions, share: s.RoutedShare}
	for _, world := range []*simulator.World{s.Calls, s.Routed} {
		if world == nil {
			continue
		}
		r.sources = append(r.sources, &source{
			records: r, world: world, number: len(r.sources), routed: world == s.Routed, ids: newRecordIDs(world),
		})
	}
	return r, nil
}

func (v *Versions) isZero() bool { return len(v.First) == 0 && v.GapMax == 0 && v.Final == 0 }

func (s *CallRecordSettings) validate() error {
	if s.Calls == nil && s.Routed == nil || s.Calls == s.Routed {
		return errors.New("simulated call records: one world of calls is needed, and another for routed ones")
	}
	if s.Calls != nil {
		kinds := s.Calls.Mix().Kinds
		for i := range kinds {
			if _, ok := kinds[i].Detail.(*shape); !ok {
				return fmt.Errorf("simulated call records: kind %s isn't one of CallRecordsMix", kinds[i].Wire)
			}
		}
	}
	v := &s.Versions
	for name, share := range map[string]float64{
		"routed": s.RoutedShare, "later": v.Later, "young": v.Young, "moved": v.Moved, "episodes": v.Episodes,
	} {
		if share < 0 || share > 1 {
			return fmt.Errorf("simulated call records: share of %s: %g is not within 0 and 1", name, share)
		}
	}
	if v.GapMin <= 0 || v.GapMax < v.GapMin || v.LaterMax < v.LaterMin || v.YoungFor < 0 {
		return errors.New("simulated call records: gaps, later and young need a least that isn't over the most")
	}
	return nil
}

// reach is how long after a call's start its last version is published at most.
func (r *CallRecords) reach() time.Duration {
	v := &r.versions
	first := time.Duration(0)
	for _, d := range v.First {
		first = max(first, d.Max)
	}
	reach := time.Duration(0)
	for _, s := range r.sources {
		reach = max(reach, s.world.Reach())
	}
	return reach + max(v.LaterMax, first+v.Final+maxVersions*v.GapMax) + maxShift
}
