package web

import (
	"fmt"
	"time"
)

// bar is what began in one step of a chart.
type bar struct {
	start           time.Time
	calls, failures int64
}

// barsOf adds a feed's activity up to the bars of a span. The last one is that of now,
// and fills up.
func barsOf(all []Activity, s span, now time.Time) []bar {
	first := now.UTC().Truncate(s.Step).Add(s.Step - s.Length)
	bars := make([]bar, s.Length/s.Step)
	for i := range bars {
		bars[i].start = first.Add(time.Duration(i) * s.Step)
	}
	for _, a := range all {
		since := time.Time(a.Start).Sub(first)
		if i := int(since / s.Step); since >= 0 && i < len(bars) {
			bars[i].calls += a.Calls
			bars[i].failures += a.Failures
		}
	}
	return bars
}

// barsText says in two sentences what bars show that aren't all empty.
func barsText(bars []bar, s span) string {
	var calls, failures int64
	var most bar
	for _, b := range bars {
		calls, failures = calls+b.calls, failures+b.failures
		if b.calls > most.calls {
			most = b
		}
	}
	return fmt.Sprintf("%s began in the last %s, %s. Most in %s: %s, from %s.", countedText(calls, "call", "calls"), spanText(s.Length),
		failedText(failures, calls), spanText(s.Step), countText(most.calls), minuteText(most.start))
}

func failedText(failures, calls int64) string {
	if failures == 0 {
		return "none failed"
	}
	return countText(failures) + " failed (" + percentText(failures, calls) + ")"
}

// percentText is a share that isn't nothing, to a tenth of a percent.
func percentText(part, whole int64) string {
	percent := 100 * float64(part) / float64(whole)
	if percent < 0.1 {
		return "less than 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", percent)
}

func countedText(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return countText(n) + " " + many
}

// minuteText is a time of day, in UTC.
func minuteText(t time.Time) string { return t.UTC().Format("15:04") }
