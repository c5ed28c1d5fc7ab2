package history

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/exporters/openmetrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

type series struct {
	labels *metrics.LabelSet
	family int // its metric's number in the catalogue
	grid   grid
}

// timeline writes the samples of one series, which is given its changes in order.
type timeline struct {
	series

	out *openmetrics.Writer
	// value is the sum of all changes.
	value metrics.Value
	// last is when the last sample was written, next when the changes in hand are: 0 before the first.
	last, next int64
}

// startSeries starts a series with a zero at the begin of the range.
func (t *timeline) startSeries(s series) {
	*t = timeline{series: s, out: t.out, value: metrics.NewValue(s.labels.Def)}
	t.out.Series(s.labels)
	t.write(s.grid.from)
}

// addChange adds a change, which comes in order.
func (t *timeline) addChange(c *change) {
	if c.at != t.next {
		t.flush()
		t.repeat(c.at)
		t.next = c.at
	}
	t.value.Add(t.labels.Def, c.n, &c.money)
}

// flush writes the sample that the changes in hand make.
func (t *timeline) flush() {
	if t.next > t.last {
		t.write(t.next)
	}
}

// repeat repeats the value so that Prometheus doesn't lose sight of it, and just before a sample,
// so that its rise lies within a step. Before its first change a series has only the latter: it
// isn't there yet, as it wouldn't be live.
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

// endSeries writes the rest of the series, if one was started, up to the end of the range.
func (t *timeline) endSeries() {
	if t.labels == nil {
		return
	}
	t.flush()
	t.repeat(t.grid.to)
	if t.last < t.grid.to {
		t.write(t.grid.to)
	}
}

func (t *timeline) write(ms int64) {
	t.last = ms
	at := time.UnixMilli(ms)
	if hist := t.value.Hist(); hist != nil {
		t.out.Histogram(at, hist)
	} else {
		t.out.Value(at, t.value.Float(t.labels.Def))
	}
}

// lookback is how long Prometheus shows a sample for, unless a newer one comes.
const lookback = 5 * time.Minute

// grid is where samples lie: at the begin and the end of the range, and between them at multiples
// of the step since 1970, so that histories of adjacent ranges fit together. All of it is in
// milliseconds.
type grid struct {
	from, to int64
	// step is the distance of multiples, hold that of samples which repeat a value.
	step, hold int64
}

func newGrid(from, to time.Time, step time.Duration) grid {
	hold := max(step, lookback.Truncate(step))
	return grid{from: from.UnixMilli(), to: to.UnixMilli(), step: step.Milliseconds(), hold: hold.Milliseconds()}
}

// sampleAt is where what happened at a time is seen first: a sample holds all that happened before it.
func (g grid) sampleAt(t time.Time) int64 {
	return min((t.UnixMilli()/g.step+1)*g.step, g.to)
}

// before is the last multiple before a sample, or the begin of the range.
func (g grid) before(at int64) int64 { return max((at-1)/g.step*g.step, g.from) }
