package metrics

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// Delta is by how much one record changes one series.
type Delta struct {
	// Labels is the series' identity: the same pointer each time while the process lives.
	Labels *LabelSet
	// Record is what is being counted. It belongs to whoever commits it.
	Record *cdr.Record
	// N is how much a counter grows, in microseconds if it is of time, or what a histogram
	// observes, in parts of its scale.
	N int64
	// Money is how much a counter of money grows.
	Money cdr.Money
	// Bucket is the classic bucket of what a histogram observes; the last one is +Inf.
	Bucket int
}

// Watch lets a function see each change as it is tallied: by the goroutine that commits,
// under the commit lock, and before it is known whether the commit succeeds. It must be set
// before the first commit.
func (s *Store) Watch(watch func(Delta)) { s.watch = watch }

// About says which record the next changes come from, for who watches.
func (t *Tally) About(r *cdr.Record) { t.record = r }
