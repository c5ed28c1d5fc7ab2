package metrics

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options are the user's settings of the metrics.
type Options struct {
	// ZeroFor is how long a new series shows 0 before its value.
	ZeroFor time.Duration
	// SeriesLimit is the number of label sets per metric and feed.
	SeriesLimit int
	// Native exposes native histograms in addition to the classic buckets.
	Native bool
}

// Store has the series that come from records. Reads are concurrent; the ledger's commit lock
// orders writers.
type Store struct {
	now func() time.Time

	mu      sync.RWMutex
	options Options       // guarded by mu for readers; the commit lock orders writers
	feeds   []*FeedSeries // the active ones
	changes Changes       // of the current commit
}

// NewStore makes an empty store. now is the clock for snapshots.
func NewStore(options Options, now func() time.Time) *Store {
	return &Store{
		options: options, now: now,
		changes: Changes{fresh: make(map[string]*Series), counts: make(map[*Def]int)},
	}
}

// Reconfigure sets new options. A higher limit doesn't unfold series.
func (s *Store) Reconfigure(options Options) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = options
}

// NewFeed makes the series of a feed; revealed says that its first history was read.
func NewFeed(source, provider, feed string, revealed bool) *FeedSeries {
	return &FeedSeries{
		source: source, provider: provider, feed: feed, revealed: revealed,
		byKey: make(map[string]*Series), counts: make(map[*Def]int),
	}
}

// Active sets whether a feed is configured; only configured feeds are exposed.
func (s *Store) Active(f *FeedSeries, active bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if active && !slices.Contains(s.feeds, f) {
		s.unseen(f) // while it was hidden, nobody could see the 0 of a new series
	}
	s.feeds = slices.DeleteFunc(s.feeds, func(o *FeedSeries) bool { return o == f })
	if active {
		s.feeds = append(s.feeds, f)
	}
}

// Replace replaces a feed's series by those that were loaded again, if they are active.
func (s *Store) Replace(old, now *FeedSeries) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old != nil {
		for key, series := range now.byKey {
			if was := old.byKey[key]; was != nil {
				series.earlier, series.since = was.earlier, was.since // its 0 has been shown since then
			}
		}
	}
	if i := slices.Index(s.feeds, old); i >= 0 {
		s.feeds[i] = now
	}
}

// Stored is one series in the ledger's form.
type Stored struct {
	ID     int64
	Metric string
	// LabelValues are the values after the base labels.
	LabelValues []string
	Start       time.Time
	Shown       bool
	Value       string
}

// Load adds a series from the ledger.
func (s *Store) Load(f *FeedSeries, d *Def, row Stored) error {
	if more := len(row.LabelValues) - len(d.Labels); more != 0 && (more != 1 || !d.OperatorLabels) {
		return fmt.Errorf("load series of %s: %d label values, want %d", d.Name, len(row.LabelValues), len(d.Labels))
	}
	v, err := parseValue(d, row.Value)
	if err != nil {
		return fmt.Errorf("load series %d: %w", row.ID, err)
	}
	series := f.newSeries(d, row.LabelValues)
	series.ID, series.Start, series.Shown, series.since, series.cur = row.ID, row.Start, row.Shown, s.now(), v
	s.mu.Lock()
	defer s.mu.Unlock()
	f.addSeries(series)
	return nil
}

// Unseen begins zero_for again, because nothing was shown for a while.
func (s *Store) Unseen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.feeds {
		s.unseen(f)
	}
}

func (s *Store) unseen(f *FeedSeries) {
	for _, series := range f.list {
		if !series.Shown {
			series.since = s.now()
		}
	}
}

// Due are the series whose zero_for has passed: the ledger records that, then calls Show
// (counting.md 21).
func (s *Store) Due() []*Series {
	s.mu.RLock()
	defer s.mu.RUnlock()
	until := s.now().Add(-s.options.ZeroFor)
	var due []*Series
	for _, f := range s.feeds {
		if !f.revealed {
			continue
		}
		for _, series := range f.list {
			if !series.Shown && !series.since.After(until) {
				due = append(due, series)
			}
		}
	}
	return due
}

// Show makes the values of series visible, after the ledger has recorded it.
func (s *Store) Show(series []*Series) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range series {
		one.Shown = true
	}
}

// Reveal shows all of a feed's series at once, with a start time, after the ledger has recorded
// that its first history was read (counting.md 20).
func (s *Store) Reveal(f *FeedSeries, start time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.revealed = true
	for _, series := range f.list {
		series.Start, series.Shown = start, true
	}
}

// Counts are the numbers of series by configured feed and metric, with the labels of SeriesCount.
func (s *Store) Counts() []Sample {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []Sample
	for _, f := range s.feeds {
		byMetric := make(map[string]int)
		for _, series := range f.list {
			byMetric[series.Labels.Def.Name]++
		}
		for metric, n := range byMetric {
			all = append(all, Sample{Labels: []string{f.source, f.feed, metric}, Value: float64(n)})
		}
	}
	return all
}

// Snapshot is every series that may be shown now.
func (s *Store) Snapshot() Snapshot {
	s.mu.RLock()
	defer s.mu.RUnlock()
	b := builder{points: make(map[*Def][]Point), now: s.now(), options: s.options}
	for _, f := range s.feeds {
		if f.revealed {
			b.feed(f)
		}
	}
	return b.snapshot(Catalogue())
}

type builder struct {
	points  map[*Def][]Point
	now     time.Time
	options Options
}

func (b *builder) feed(f *FeedSeries) {
	for d, n := range f.counts {
		b.points[d] = slices.Grow(b.points[d], n)
	}
	for _, series := range f.list {
		d := series.Labels.Def
		if d == RecentAttempts {
			b.attemptGauges(f, series)
			continue
		}
		value := &series.cur
		if !series.Shown { // zero_for hasn't passed
			value = new(NewValue(d))
		}
		b.points[d] = append(b.points[d], value.point(series.Labels, series.Start, b.options.Native))
	}
	b.trunks(f)
	b.bypassRatios(f)
}

func (b *builder) gauge(d *Def, values []string, v float64) {
	b.points[d] = append(b.points[d], Point{Labels: &LabelSet{Def: d, Values: values}, Value: v})
}

func (b *builder) snapshot(defs []*Def) Snapshot {
	var snap Snapshot
	for _, d := range defs {
		if points := b.points[d]; len(points) > 0 {
			snap.Families = append(snap.Families, Family{Def: d, Points: points})
		}
	}
	slices.SortFunc(snap.Families, func(a, b Family) int { return strings.Compare(a.Def.Name, b.Def.Name) })
	return snap
}
