package web

import (
	"math"
	"testing"
	"time"
)

// now is the clock of these tests.
var now = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// activityAt returns calls that began a given time before now.
func activityAt(ago time.Duration, calls, failures int64) Activity {
	return Activity{Start: now.Add(-ago).Truncate(ActivityStep), Calls: calls, Failures: failures}
}

func TestBars(t *testing.T) {
	bars := newChart([]Activity{
		activityAt(25*time.Hour, 1000, 0), activityAt(13*time.Hour, 1, 0), activityAt(10*time.Minute, 3, 1),
		activityAt(5*time.Minute, 4, 2),
		activityAt(0, 5, 0), activityAt(-15*time.Minute, 9, 9),
	}, now).Bars
	first, last := bars[0], bars[len(bars)-1]
	if len(bars) != 96 || !first.Start.Equal(now.Add(15*time.Minute-24*time.Hour)) || !last.Start.Equal(now) {
		t.Fatalf("%d bars from %v to %v", len(bars), first.Start, last.Start)
	}
	for i, want := range map[int][2]int64{0: {0, 0}, 43: {1, 0}, 94: {7, 3}, 95: {5, 0}} {
		if got := [2]int64{bars[i].Calls, bars[i].Failures}; got != want {
			t.Errorf("bar %d has %v, want %v", i, got, want)
		}
	}
}

// For every number of calls, each bar lies within the plot, its failures within its calls, and both can be seen.
func TestBarsFit(t *testing.T) {
	for _, most := range []int64{1, 3, 999, 1 << 60} {
		c := newChart([]Activity{activityAt(0, most, min(most/3, 1)), activityAt(20*time.Minute, 1, 0)}, now)
		labels := 0
		for i, b := range c.Bars {
			if b.Labelled {
				labels++
			}
			if b.X+barWidth > 1152 || b.FailuresHeight > b.CallsHeight || b.CallsHeight > plotHeight {
				t.Errorf("%d: bar %d is %+v", most, i, b)
			}
			if b.Calls > 0 != (b.CallsHeight > 0) || b.Failures > 0 != (b.FailuresHeight > 0) {
				t.Errorf("%d: bar %d can't be seen: %+v", most, i, b)
			}
		}
		if labels != 6 || c.Bars[95].CallsHeight != plotHeight {
			t.Errorf("%d: %d labels, the highest bar is %+v", most, labels, c.Bars[95])
		}
	}
}

// The calls that an outage has cost are counted from the earliest beginning of a finding.
func TestLostCalls(t *testing.T) {
	failing := func(ago time.Duration) Finding { return Finding{Level: LevelBad, Since: Time{now.Add(-ago)}} }
	activity := []Activity{activityAt(2*time.Hour, 100, 1), activityAt(time.Hour, 10, 5), activityAt(0, 1000, 900)}
	long := Status{Now: Time{now}, Verdict: Verdict{Findings: []Finding{failing(72 * time.Hour)}}}
	got, since := lostCalls(long, activity)
	if got != "906 of 1,110 calls failed" || !since.Equal(now.Add(-ActivityKept)) {
		t.Errorf("of three days only one is known: got %q since %s", got, since)
	}
	for name, test := range map[string]struct {
		findings []Finding
		activity []Activity
		want     string
	}{
		"nothing is wrong": {nil, activity, ""},
		"one finding":      {[]Finding{failing(30 * time.Minute)}, activity, "900 of 1,000 calls failed"},
		"the earliest of two": {
			[]Finding{failing(30 * time.Minute), failing(62 * time.Minute)},
			activity,
			"905 of 1,010 calls failed",
		},
		"no beginning":           {[]Finding{{Level: LevelWarn}}, activity, ""},
		"what can't be told":     {[]Finding{{Level: LevelUnknown, Since: Time{now.Add(-time.Hour)}}}, activity, ""},
		"no feed tells failures": {[]Finding{failing(time.Hour)}, []Activity{activityAt(0, 10, 0)}, ""},
	} {
		status := Status{Now: Time{now}, Verdict: Verdict{Findings: test.findings}}
		if got, _ := lostCalls(status, test.activity); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

func TestSpanText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Hour:                      "0 s",
		0:                               "0 s",
		999 * time.Millisecond:          "0 s",
		59*time.Second + 999999999:      "59 s",
		time.Minute:                     "1 min",
		59*time.Minute + 59*time.Second: "59 min",
		time.Hour:                       "1 h",
		time.Hour + 60*time.Second:      "1 h 1 min",
		47*time.Hour + 59*time.Minute:   "47 h 59 min",
		48 * time.Hour:                  "2 d",
		73*time.Hour + 59*time.Minute:   "3 d 1 h",
		time.Duration(math.MaxInt64):    "106751 d 23 h",
	} {
		if got := spanText(d); got != want {
			t.Errorf("%v: got %q, want %q", d, got, want)
		}
	}
}

func TestCountText(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 999999: "999,999", 1234567: "1,234,567",
		-1: "-1", -1000: "-1,000", math.MaxInt64: "9,223,372,036,854,775,807",
		math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := countText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}
