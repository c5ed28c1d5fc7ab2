package web

import (
	"fmt"
	"time"
)

// The chart shows the last day in bars of chartStep. Heights and widths are in the units of its viewBox.
const (
	chartStep            = 3 * ActivityStep
	chartBars            = int(ActivityKept / chartStep)
	chartLabel           = 4 * time.Hour
	barWidth, plotHeight = 12, 180
	// leastHeight keeps one failure among thousands of calls visible.
	leastHeight = 5
)

// chart is the calls of the last day.
type chart struct {
	Bars []bar
	// Most is what the highest bar has.
	Most, Calls, Failures int64
	Unknown               bool // the activity can't be read
}

// bar is a step of the chart, its failures drawn over the lower part of its calls.
type bar struct {
	Start                          time.Time // in UTC
	Calls, Failures                int64
	X, CallsHeight, FailuresHeight int
	Labelled                       bool // on the time axis
}

// newChart sums the activity of all feeds; the last bar is that of now.
func newChart(all []Activity, now time.Time) chart {
	first := now.UTC().Truncate(chartStep).Add(chartStep - ActivityKept)
	c := chart{Bars: make([]bar, chartBars)}
	for _, a := range all {
		since := a.Start.Sub(first)
		if i := int(since / chartStep); since >= 0 && i < chartBars {
			c.Bars[i].Calls += a.Calls
			c.Bars[i].Failures += a.Failures
			c.Most, c.Calls, c.Failures = max(c.Most, c.Bars[i].Calls), c.Calls+a.Calls, c.Failures+a.Failures
		}
	}
	for i := range c.Bars {
		b := &c.Bars[i]
		b.Start, b.X = first.Add(time.Duration(i)*chartStep), i*barWidth
		b.CallsHeight, b.FailuresHeight = c.height(b.Calls), c.height(b.Failures)
		b.Labelled = b.Start.Truncate(chartLabel).Equal(b.Start)
	}
	return c
}

func (c *chart) height(n int64) int {
	if n <= 0 {
		return 0
	}
	return max(int(float64(n)/float64(c.Most)*plotHeight+0.5), leastHeight)
}

// Percent is the share of calls that failed.
func (c *chart) Percent() string {
	return fmt.Sprintf("%.1f %%", 100*float64(c.Failures)/float64(max(c.Calls, 1)))
}
