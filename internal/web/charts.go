package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A chart's measures in the units of its viewBox. Every span's number of bars divides plotWidth.
const (
	plotLeft, plotTop     = 90, 20
	plotWidth, plotHeight = 1152, 260
	// leastHeight keeps one failure among thousands of calls visible.
	leastHeight = 5
)

// chartsView is the charts section of the page.
type chartsView struct {
	Charts  []chart
	Idle    string // names the feeds without calls; empty: none
	Unknown bool   // the activity can't be read
}

// chart is a feed's chart, and the same in words and figures.
type chart struct {
	ID, Source, Feed, Text string
	Bars                   []bar
	Top, Middle            string // labels of the scale
}

// bar is a step of a chart, its failures drawn over the lower part of its calls.
type bar struct {
	Start                                 Time
	Calls, Failures                       int64
	X, Width, CallsHeight, FailuresHeight int
	Labelled                              bool // on the time axis
}

// Y is the top of a rect.
func (bar) Y(height int) int { return plotTop + plotHeight - height }

// Middle is where the label is centred.
func (b bar) Middle() int { return b.X + b.Width/2 }

func chartsOf(status Status, c choice, activity []Activity) (v chartsView) {
	byFeed := make(map[[2]string][]Activity)
	for _, a := range activity {
		key := [2]string{a.Source, a.Feed}
		byFeed[key] = append(byFeed[key], a)
	}
	var idle []string
	for _, source := range status.Sources {
		for _, feed := range source.Feeds {
			if feed.Snapshot || !c.matches(source, feed) {
				continue
			}
			one := newChart(byFeed[[2]string{source.Name, feed.Feed}], c.Span, time.Time(status.Now))
			one.ID, one.Source, one.Feed = source.Name+"."+feed.Feed, source.Name, feed.Feed
			if one.Text == "" {
				idle = append(idle, source.Name+" "+feed.Feed)
			} else {
				v.Charts = append(v.Charts, one)
			}
		}
	}
	if len(idle) > 0 {
		v.Idle = "No calls started in the last " + spanText(c.Span.Length) + ": " + strings.Join(idle, ", ") + "."
	}
	return v
}

// newChart sums a feed's activity by the steps of a span; the last one is that of now. Without calls its Text is empty.
func newChart(all []Activity, s span, now time.Time) chart {
	first := now.UTC().Truncate(s.Step).Add(s.Step - s.Length)
	bars := make([]bar, s.Length/s.Step)
	for i := range bars {
		bars[i].Start = Time(first.Add(time.Duration(i) * s.Step))
	}
	for _, a := range all {
		since := a.Start.Sub(first)
		if i := int(since / s.Step); since >= 0 && i < len(bars) {
			bars[i].Calls += a.Calls
			bars[i].Failures += a.Failures
		}
	}
	var calls, failures int64
	most := bars[0]
	for _, b := range bars {
		calls, failures = calls+b.Calls, failures+b.Failures
		if b.Calls > most.Calls {
			most = b
		}
	}
	if calls == 0 {
		return chart{}
	}
	top := scaleEnd(most.Calls)
	for i := range bars {
		b, width := &bars[i], plotWidth/len(bars)
		b.X, b.Width = plotLeft+i*width, width*7/8
		b.CallsHeight, b.FailuresHeight = barHeight(b.Calls, top), barHeight(b.Failures, top)
		b.Labelled = time.Time(b.Start).Truncate(s.Label).Equal(time.Time(b.Start))
	}
	return chart{Bars: bars, Top: scaleText(top), Middle: scaleText(top / 2), Text: fmt.Sprintf(
		"%s started in the last %s; %s. Busiest %s: %s, from %s.", countedText(calls, "call", "calls"), spanText(s.Length),
		failedText(failures, calls), spanText(s.Step), countedText(most.Calls, "call", "calls"), timeText(most.Start))}
}

// barHeight is the height of a number on a scale.
func barHeight(n, top int64) int {
	if n <= 0 {
		return 0
	}
	return min(max(int(float64(n)/float64(top)*plotHeight+0.5), leastHeight), plotHeight)
}

// scaleEnd is the next round number with a whole half.
func scaleEnd(n int64) int64 {
	for power := int64(1); power < 1e18; power *= 10 {
		for _, digit := range []int64{2, 4, 6, 8, 10} {
			if digit*power >= n {
				return digit * power
			}
		}
	}
	return n
}

// scaleText is a number in thousands or millions.
func scaleText(n int64) string {
	switch v := float64(n); {
	case n >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case n >= 1e3:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	default:
		return strconv.FormatInt(n, 10)
	}
}

func failedText(failures, calls int64) string {
	if failures == 0 {
		return "none failed"
	}
	return fmt.Sprintf("%s failed (%.1f %%)", countText(failures), 100*float64(failures)/float64(calls))
}

func countedText(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return countText(n) + " " + many
}

// timeText is a time of day in UTC.
func timeText(t Time) string { return time.Time(t).UTC().Format("15:04") }
