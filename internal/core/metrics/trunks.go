package metrics

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// AddTrunk adds a trunk to a feed; its number is the number of trunks after that.
func (s *Store) AddTrunk(f *FeedSeries, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.trunks = append(f.trunks, []string{f.source, f.provider, f.feed, name})
}

// SetPeaks sets the peaks of a feed's trunks, by number, 0 for the others; nil shows none. The map
// must not change afterwards.
func (s *Store) SetPeaks(f *FeedSeries, peaks map[int64]int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.peaks = peaks
}

func (b *builder) trunks(f *FeedSeries) {
	if f.peaks == nil {
		return
	}
	for i, labels := range f.trunks {
		b.gauge(PeakConcurrency, labels, float64(f.peaks[int64(i+1)]))
	}
}

// bypassWindow is the trailing window of cdr_media_bypass_ratio.
const bypassWindow = time.Hour

// earlierValue is a counter's value until the second in which a commit raised it.
type earlierValue struct{ until, value int64 }

// noteValue remembers the value before a commit, and forgets what began before the window.
func (s *Series) noteValue(now time.Time) {
	second, after := now.Unix(), now.Add(-bypassWindow).Unix()
	s.earlier = slices.DeleteFunc(s.earlier, func(e earlierValue) bool { return e.until <= after })
	if n := len(s.earlier); n == 0 || s.earlier[n-1].until != second {
		s.earlier = append(s.earlier, earlierValue{second, s.cur.n})
	}
}

// increase is how much a counter rose after a second, as far as this process saw it.
func (s *Series) increase(after int64) int64 {
	for _, e := range s.earlier {
		if e.until > after {
			return s.cur.n - e.value
		}
	}
	return 0
}

// bypassRatios shows the share of bypassed calls of each trunk: of those by which MediaBypassCalls
// rose within the window (counting.md 25).
func (b *builder) bypassRatios(f *FeedSeries) {
	type share struct {
		labels          []string
		bypassed, total int64
	}
	shares, after := make(map[string]*share), b.now.Add(-bypassWindow).Unix()
	for _, s := range f.list {
		if s.earlier == nil {
			continue
		}
		own := s.LabelValues()
		one := shares[own[0]]
		if one == nil {
			one = &share{labels: []string{f.source, f.provider, f.feed, own[0]}}
			shares[own[0]] = one
		}
		n := s.increase(after)
		if one.total += n; own[1] == cdr.True.String() {
			one.bypassed += n
		}
	}
	for _, one := range shares {
		if one.total > 0 {
			b.gauge(MediaBypassRatio, one.labels, float64(one.bypassed)/float64(one.total))
		}
	}
}
