package metrics

import "slices"

// trunk has the gauges of a trunk, which the ledger computes from recent calls.
type trunk struct {
	labels []string // labels of both gauges
	bypass []Bypass // oldest first
}

// Bypass counts a trunk's calls that were first seen in one second and whose records say whether
// media bypassed (counting.md 25).
type Bypass struct {
	// Trunk is the trunk's number: 1 is the first that was added.
	Trunk           int64
	Second          int64
	Bypassed, Total int64
}

// AddTrunk adds a trunk to a feed; its number is the number of trunks after that.
func (s *Store) AddTrunk(f *FeedSeries, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.trunks = append(f.trunks, &trunk{labels: []string{f.source, f.provider, f.feed, name}})
}

// SetPeaks sets the peaks of a feed's trunks, by number, 0 for the others; nil shows none. The map
// must not change afterwards.
func (s *Store) SetPeaks(f *FeedSeries, peaks map[int64]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.peaks = peaks
}

// AddBypass adds committed calls, and drops the trunk's calls that have left the window.
func (s *Store) AddBypass(f *FeedSeries, b Bypass) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, before := f.trunks[b.Trunk-1], s.now().Add(-s.options.BypassWindow).Unix()
	t.bypass = append(slices.DeleteFunc(t.bypass, func(old Bypass) bool { return old.Second <= before }), b)
}

func (b *builder) trunks(f *FeedSeries) {
	from := b.now.Add(-b.options.BypassWindow).Unix()
	for i, t := range f.trunks {
		if f.peaks != nil {
			b.gauge(PeakConcurrency, t.labels, float64(f.peaks[int64(i+1)]))
		}
		var bypassed, total int64
		for _, one := range t.bypass {
			if one.Second > from {
				bypassed, total = bypassed+one.Bypassed, total+one.Total
			}
		}
		if total > 0 {
			b.gauge(MediaBypassRatio, t.labels, float64(bypassed)/float64(total))
		}
	}
}
