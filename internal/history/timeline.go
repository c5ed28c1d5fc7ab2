package history

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// series is one series of the history.
type series struct {
	labels *metrics.LabelSet
	grid   grid
}

// timeline writes the samples of one series, which is given its changes in order.
type timeline struct {
	series

	out *openmetrics.Writer
	sum amount
	// hist is what was observed: the buckets aren't cumulated.
	hist metrics.HistValue
	// last is when the last sample was written, next when the changes in hand are: 0
	// before the first.
	last, next int64
}

// begin begins a series: with a zero at the begin of the range.
func (t *timeline) begin(s series) {
	out := t.out
	*t = timeline{series: s, out: out}
	if d := s.labels.Def; d.Kind == metrics.Histogram {
		t.hist.Buckets = make([]uint64, len(d.Bounds)+1)
	}
	out.Series(s.labels)
	t.write(s.grid.from)
}

// take takes a change.
func (t *timeline) take(c *change) {
	if c.at != t.next {
		t.flush()
		t.repeat(c.at)
		t.next = c.at
	}
	if c.part > sumPart {
		t.hist.Buckets[c.part-sumPart-1] += uint64(c.n)
		t.hist.Count += uint64(c.n)
		return
	}
	t.sum.add(&c.amount)
}

// flush writes the sample that the changes in hand make.
func (t *timeline) flush() {
	if t.next > t.last {
		t.write(t.next)
	}
}

// repeat repeats the value so that Prometheus doesn't lose sight of it, and just before a
// sample, so that its rise lies within a step. Before its first change a series has only
// the latter: it isn't there yet, as it wouldn't be live.
func (t *timeline) repeat(until int64) {
	before := t.grid.before(until)
	if t.next > 0 {
		for at := t.last + t.grid.hold; at < before; at += t.grid.hold {
			t.write(at)
		}
	}
	if before > t.last {
		t.write(before)
	}
}

// end writes what is left, up to the end of the range.
func (t *timeline) end() {
	t.flush()
	t.repeat(t.grid.to)
	if t.last < t.grid.to {
		t.write(t.grid.to)
	}
}

// write writes a sample.
func (t *timeline) write(ms int64) {
	d, at := t.labels.Def, time.UnixMilli(ms)
	t.last = ms
	switch d.Kind {
	case metrics.Money:
		t.out.Value(at, t.sum.money.Float())
	case metrics.Seconds:
		t.out.Value(at, float64(t.sum.n)/1e6)
	case metrics.Histogram:
		t.hist.Sum = float64(t.sum.n) / float64(d.Scale)
		t.out.Histogram(at, &t.hist)
	case metrics.Counter, metrics.Gauge:
		t.out.Value(at, float64(t.sum.n))
	}
}
