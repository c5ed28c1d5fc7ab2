package simulator

import "time"

// Settings describe a world. The zero value of an optional field means that the thing doesn't
// happen.
type Settings struct {
	Seed uint64
	// Mix is the traffic. Required.
	Mix *Mix

	// From is when the first call may start. Required, truncated to milliseconds.
	From time.Time
	// To ends a historical world: exactly Calls calls start in [From, To). Zero makes a live world,
	// whose calls never end.
	To time.Time
	// Calls is the number of calls of a historical world.
	Calls int
	// PerSecond is a live world's calls a second, at any hour.
	PerSecond float64

	// Delays say how long after its end a call is published. If empty, it is published at its end.
	Delays []Delay
	// MaxLate limits the time from a call's start to its first version, except that no call is
	// published before its end. Zero means no limit.
	MaxLate time.Duration
	// Revised is the share of calls that change after publication, RevisedAfter the minimum and
	// maximum time until then.
	Revised                          float64
	RevisedAfterMin, RevisedAfterMax time.Duration
	// Duplicated is the share of calls whose row is listed twice.
	Duplicated float64
	// Malformed is the share of rows that aren't valid.
	Malformed float64
	// NoID is the share of valid rows without an id. They are never revised nor duplicated, and
	// count as calls (counting.md 18).
	NoID float64
	// InProgress is the share of connected calls whose row is listed soon after they began.
	InProgress float64
	// Recorded is the share of recorded calls among connected calls of at least 30 s, RecordedLate
	// the share of those whose recording comes with a later version.
	Recorded, RecordedLate float64

	// NewestFirst lists the latest calls first: new rows move all others. Without it, late rows
	// move those after them.
	NewestFirst bool
}

// Delay is one part of a distribution: uniform between Min and Max.
type Delay struct {
	Weight
	Min, Max time.Duration
}

// UsualDelays are minutes for most calls, hours for some, days for a few.
func UsualDelays() []Delay {
	return []Delay{
		{Weight: 900, Min: time.Minute, Max: 20 * time.Minute},
		{Weight: 85, Min: 20 * time.Minute, Max: 6 * time.Hour},
		{Weight: 15, Min: 6 * time.Hour, Max: 72 * time.Hour},
	}
}

// QuickDelays are seconds for most calls and minutes for some, for people who watch the demo.
func QuickDelays() []Delay {
	return []Delay{
		{Weight: 950, Min: time.Second, Max: 15 * time.Second},
		{Weight: 45, Min: 15 * time.Second, Max: 3 * time.Minute},
		{Weight: 5, Min: 3 * time.Minute, Max: time.Hour},
	}
}

// Historical is a world of exactly n calls that started in [from, to), with the usual delays, revisions and duplicates.
func Historical(seed uint64, mix *Mix, from, to time.Time, n int) Settings {
	return Settings{
		Seed: seed, Mix: mix, From: from, To: to, Calls: n,
		Delays: UsualDelays(), MaxLate: 46 * time.Hour,
		Revised: 0.02, RevisedAfterMin: 10 * time.Minute, RevisedAfterMax: 24 * time.Hour,
		Duplicated: 0.01,
	}
}

// Live is a world whose calls start at origin and never end, with a number of calls a second, quick
// delays.
func Live(seed uint64, mix *Mix, origin time.Time, perSecond float64) Settings {
	return Settings{
		Seed: seed, Mix: mix, From: origin, PerSecond: perSecond,
		Delays: QuickDelays(), MaxLate: 12 * time.Hour,
		Revised: 0.02, RevisedAfterMin: time.Minute, RevisedAfterMax: 10 * time.Minute,
		Duplicated: 0.005,
	}
}

func (s *Settings) longest() time.Duration {
	longest := longestTalk
	for i := range s.Mix.Kinds {
		longest = max(longest, s.Mix.Kinds[i].Fixed, s.Mix.Kinds[i].Ring)
	}
	return longest
}

// Reach is the longest time from a call's start to its last version.
func (w *World) Reach() time.Duration {
	s := &w.s
	if s.MaxLate != 0 {
		return max(s.MaxLate, s.longest())
	}
	delay := time.Duration(0)
	for _, d := range s.Delays {
		delay = max(delay, d.Max)
	}
	return s.longest() + delay + maxVersions*max(s.RevisedAfterMax, time.Millisecond)
}
