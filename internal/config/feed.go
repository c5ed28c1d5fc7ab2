package config

import "time"

// minInterval is the shortest time between two reads of a feed.
const minInterval = time.Second

// Feed has the keys of every feed of call records. Providers inline it into their own types, which
// set its defaults.
type Feed struct {
	// Interval is how often the feed is read.
	Interval time.Duration `yaml:"interval"`
	// Lookback is how long after its call's start a record may be published and still be found.
	Lookback time.Duration `yaml:"lookback"`
	// LateAfter is how long after its call's end a record counts as late.
	LateAfter time.Duration `yaml:"late_after"`
}

// Validate reports durations that are out of range.
func (f *Feed) Validate(r *Report) {
	r.DurationAtLeast("interval", f.Interval, minInterval)
	r.DurationAtLeast("late_after", f.LateAfter, 0)
	// A shorter lookback would leave gaps between two reads.
	if f.Lookback < max(f.Interval, minInterval) {
		r.Problemf("lookback", "must be at least the interval (%s), is %s",
			formatDuration(max(f.Interval, minInterval)), formatDuration(f.Lookback))
	}
}

// Legs has the additional keys of a feed whose records may be legs of one call (docs/counting.md,
// "When a call counts").
type Legs struct {
	// Settle is how long no new leg must have come before a call counts.
	Settle time.Duration `yaml:"settle"`
	// WholeAfter is how long after its latest time a call waits for missing or open legs.
	WholeAfter time.Duration `yaml:"whole_after"`
}

// SetDefaults implements Defaulter. A provider that knows the time between its records sets Settle
// too.
func (l *Legs) SetDefaults() { l.Settle, l.WholeAfter = time.Minute, 4*time.Hour }

// Validate reports durations that are out of range.
func (l *Legs) Validate(r *Report) {
	r.DurationAtLeast("settle", l.Settle, 0)
	r.DurationAtLeast("whole_after", l.WholeAfter, 0)
}

// KeptFor reports a lookback that is longer than the provider keeps records.
func (f *Feed) KeptFor(r *Report, retention time.Duration) {
	if f.Lookback > retention {
		r.Problemf("lookback", "must be at most %dd, the time for which the provider keeps records",
			int(retention.Hours()/24))
	}
}
