package metrics

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// SelfMetrics holds the exporter's metrics about itself. It is safe for concurrent use.
type SelfMetrics struct {
	now    func() time.Time
	native atomic.Bool
	hook   func() // sets gauges before each snapshot; nil: none

	mu       sync.Mutex
	series   map[*Def]map[string]*selfSeries // by label values, joined
	notified map[string]*Notified            // by source
}

type selfSeries struct {
	labels *LabelSet
	start  time.Time // zero for a gauge
	value  Value
}

// NewSelfMetrics makes the exporter's metrics about itself. Those without a source label start at
// 0.
func NewSelfMetrics(now func() time.Time, native bool) *SelfMetrics {
	o := &SelfMetrics{
		now: now, series: make(map[*Def]map[string]*selfSeries), notified: make(map[string]*Notified),
	}
	o.SetNative(native)
	for _, d := range SelfCatalogue() {
		if d.Base == NoBase {
			o.startAtZero(d)
		}
	}
	return o
}

// SetNative shows histograms with native buckets too, or without.
func (o *SelfMetrics) SetNative(native bool) { o.native.Store(native) }

// OnSnapshot sets the function that sets gauges before each snapshot. Call it before the first
// snapshot.
func (o *SelfMetrics) OnSnapshot(f func()) { o.hook = f }

// Add adds to a counter; microseconds for a counter of time.
func (o *SelfMetrics) Add(d *Def, n int64, labels ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seriesOf(d, labels...).value.Add(d, n, nil)
}

// Observe adds a duration to a histogram; a negative one counts as zero.
func (o *SelfMetrics) Observe(d *Def, took time.Duration, labels ...string) {
	o.Add(d, max(took, 0).Microseconds(), labels...)
}

// Set sets a gauge.
func (o *SelfMetrics) Set(d *Def, v float64, labels ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seriesOf(d, labels...).value.gauge = v
}

// SetTime sets a gauge to a Unix time; the zero time makes an optional gauge absent, and any other 0.
func (o *SelfMetrics) SetTime(d *Def, at time.Time, labels ...string) {
	switch {
	case !at.IsZero():
		o.Set(d, float64(at.UnixMicro())/micros, labels...)
	case d.Optional:
		o.Clear(d, labels...)
	default:
		o.Set(d, 0, labels...)
	}
}

// SetBool sets a gauge to 1 or 0.
func (o *SelfMetrics) SetBool(d *Def, yes bool, labels ...string) {
	v := 0.0
	if yes {
		v = 1
	}
	o.Set(d, v, labels...)
}

// Clear makes a gauge absent.
func (o *SelfMetrics) Clear(d *Def, labels ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.series[d], strings.Join(labels, "\xff"))
}

// Forget removes every series whose first labels are these, for a source or feed that is no longer
// configured.
func (o *SelfMetrics) Forget(labels ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(labels) == 1 {
		delete(o.notified, labels[0])
	}
	for d, all := range o.series {
		for key, s := range all {
			if values := s.labels.Values; d.Base != NoBase && len(values) >= len(labels) &&
				slices.Equal(values[:len(labels)], labels) {
				delete(all, key)
			}
		}
	}
}

// Sample is one value of a gauge.
type Sample struct {
	Labels []string
	Value  float64
}

// Replace sets a gauge to exactly these samples, and adds up samples with the same labels.
func (o *SelfMetrics) Replace(d *Def, samples []Sample) {
	o.mu.Lock()
	defer o.mu.Unlock()
	stay := make(map[*selfSeries]bool, len(samples))
	for _, one := range samples {
		s := o.seriesOf(d, one.Labels...)
		if !stay[s] {
			stay[s], s.value.gauge = true, 0
		}
		s.value.gauge += one.Value
	}
	maps.DeleteFunc(o.series[d], func(_ string, s *selfSeries) bool { return !stay[s] })
}

// seriesOf finds or makes a series. The caller holds the lock.
func (o *SelfMetrics) seriesOf(d *Def, labels ...string) *selfSeries {
	all := o.series[d]
	if all == nil {
		all = make(map[string]*selfSeries)
		o.series[d] = all
	}
	key := strings.Join(labels, "\xff")
	s := all[key]
	if s == nil {
		s = &selfSeries{labels: &LabelSet{Def: d, Values: slices.Clone(labels)}, value: NewValue(d)}
		if d.Kind != Gauge {
			s.start = o.now()
		}
		all[key] = s
	}
	return s
}

// startAtZero makes the series of a metric that exist from the start. The caller holds the lock.
func (o *SelfMetrics) startAtZero(d *Def, base ...string) {
	if len(d.Labels) == 0 && !d.Optional {
		o.seriesOf(d, base...)
	}
	for _, v := range d.Zeros {
		o.seriesOf(d, append(slices.Clip(base), v)...)
	}
}

// Snapshot is every series now.
func (o *SelfMetrics) Snapshot() Snapshot {
	if o.hook != nil {
		o.hook()
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	b := builder{points: make(map[*Def][]Point, len(o.series))}
	for d, all := range o.series {
		for _, s := range all {
			value := s.value.clone()
			b.points[d] = append(b.points[d], value.point(s.labels, s.start, o.native.Load()))
		}
	}
	return b.snapshot(SelfCatalogue())
}
