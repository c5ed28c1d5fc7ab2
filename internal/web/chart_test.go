package web

import (
	"net/http"
	"slices"
	"testing"
	"time"
)

// activityAt is a call or more that began so long before now.
func activityAt(ago time.Duration, calls, failures int64) Activity {
	return Activity{Start: now.Add(-ago).Truncate(ActivityStep), Calls: calls, Failures: failures}
}

func TestBars(t *testing.T) {
	all := []Activity{
		activityAt(25*time.Hour, 1000, 0), activityAt(13*time.Hour, 1, 0), activityAt(61*time.Minute, 7, 0),
		activityAt(55*time.Minute, 3, 1), activityAt(5*time.Minute, 4, 2), activityAt(0, 5, 0), activityAt(-5*time.Minute, 9, 9),
	}
	for name, test := range map[string]struct {
		bars            int
		calls, failures int64
		first           string
	}{
		"1h":  {12, 12, 3, "2026-03-29 11:05:00"},
		"3h":  {36, 19, 3, "2026-03-29 09:05:00"},
		"6h":  {72, 19, 3, "2026-03-29 06:05:00"},
		"12h": {72, 28, 12, "2026-03-29 00:10:00"},
		"24h": {96, 29, 12, "2026-03-28 12:15:00"},
	} {
		bars := newChart(all, spanNamed(t, name), now).Bars
		var calls, failures int64
		for _, b := range bars {
			calls, failures = calls+b.Calls, failures+b.Failures
		}
		if len(bars) != test.bars || calls != test.calls || failures != test.failures || clockText(time.Time(bars[0].Start)) != test.first {
			t.Errorf("%s: %d bars from %s with %d calls, %d failures, want %+v", name, len(bars), clockText(time.Time(bars[0].Start)), calls, failures, test)
		}
		if last := time.Time(bars[len(bars)-1].Start); last.After(now) || !last.Add(spanNamed(t, name).Step).After(now) {
			t.Errorf("%s: now isn't in the last bar, from %v", name, last)
		}
	}
}

func spanNamed(t *testing.T, name string) span {
	t.Helper()
	i := slices.IndexFunc(spans(), func(s span) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no span %s", name)
	}
	return spans()[i]
}

func TestChartText(t *testing.T) {
	for name, test := range map[string]struct {
		all  []Activity
		want string
	}{
		"no calls":    {nil, ""},
		"one call":    {[]Activity{activityAt(0, 1, 0)}, "1 call started in the last 3 h; none failed. Busiest 5 min: 1 call, from 12:00."},
		"the first":   {[]Activity{activityAt(0, 2000, 1), activityAt(5*time.Minute, 2000, 0)}, "4,000 calls started in the last 3 h; 1 failed (0.0 %). Busiest 5 min: 2,000 calls, from 11:55."},
		"all of them": {[]Activity{activityAt(5*time.Minute, 3, 3)}, "3 calls started in the last 3 h; 3 failed (100.0 %). Busiest 5 min: 3 calls, from 11:55."},
	} {
		if got := newChart(test.all, spanNamed(t, "3h"), now).Text; got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// In every span and for every number of calls, each bar lies within the plot, its failures within its calls, and both can be seen.
func TestBarsFit(t *testing.T) {
	for _, s := range spans() {
		for _, most := range []int64{1, 3, 9, 999, 1000, 123456789, 1 << 60} {
			c := newChart([]Activity{activityAt(0, most, min(most/3, 1)), activityAt(20*time.Minute, 1, 0)}, s, now)
			labels := 0
			for i, b := range c.Bars {
				if b.Labelled {
					labels++
				}
				if b.X < plotLeft || b.X+b.Width > plotLeft+plotWidth || i > 0 && b.X <= c.Bars[i-1].X+c.Bars[i-1].Width {
					t.Errorf("%s, %d: bar %d is at %d, %d wide", s.Name, most, i, b.X, b.Width)
				}
				if b.FailuresHeight > b.CallsHeight || b.Y(b.CallsHeight) < plotTop {
					t.Errorf("%s, %d: bar %d is %+v", s.Name, most, i, b)
				}
				if b.Calls > 0 != (b.CallsHeight > 0) || b.Failures > 0 != (b.FailuresHeight > 0) {
					t.Errorf("%s, %d: bar %d can't be seen: %+v", s.Name, most, i, b)
				}
			}
			if labels < 4 || labels > 8 {
				t.Errorf("%s, %d: %d labels", s.Name, most, labels)
			}
		}
	}
}

// The height of a bar is its share of the scale.
func TestBarHeights(t *testing.T) {
	c := newChart([]Activity{activityAt(0, 4, 1), activityAt(30*time.Minute, 2, 2)}, spanNamed(t, "1h"), now)
	if c.Top != "4" || c.Middle != "2" || c.Bars[11].CallsHeight != plotHeight || c.Bars[11].FailuresHeight != plotHeight/4 ||
		c.Bars[5].CallsHeight != plotHeight/2 || c.Bars[5].FailuresHeight != plotHeight/2 || timeText(c.Bars[11].Start) != "12:00" {
		t.Errorf("got %+v", c)
	}
}

func TestScale(t *testing.T) {
	for n, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 4, 5: 6, 7: 8, 9: 10, 10: 10, 11: 20, 21: 40, 81: 100, 100: 100, 601: 800, 1<<63 - 1: 1<<63 - 1} {
		if got := scaleEnd(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
	for v, want := range map[int64]string{0: "0", 1: "1", 500: "500", 1000: "1k", 1500: "1.5k", 3000: "3k", 20000: "20k", 1e6: "1M", 5e8: "500M"} {
		if got := scaleText(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

func TestChoice(t *testing.T) {
	for query, test := range map[string]struct {
		rows []string // nil: all
		span string
	}{
		"":             {nil, "3h"},
		"source=wave":  {[]string{"wave call_log"}, "3h"},
		"feed=pstn":    {[]string{"contoso pstn", "fabrikam pstn"}, "3h"},
		"state=error":  {[]string{"fabrikam direct_routing"}, "3h"},
		"span=24h":     {nil, "24h"},
		"span=25h":     {nil, "3h"},
		"state=nought": {nil, "3h"},
		"state=not_ok&source=contoso&span=1h&x=y": {[]string{"contoso direct_routing"}, "1h"},
	} {
		t.Run(query, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			status := exampleStatus()
			c := choose(request.URL.Query(), status)
			if c.Span.Name != test.span {
				t.Errorf("the span is %s, want %s", c.Span.Name, test.span)
			}
			var rows []string
			for _, source := range status.Sources {
				for _, feed := range source.Feeds {
					if c.matches(source, feed) {
						rows = append(rows, source.Name+" "+feed.Feed)
					}
				}
			}
			if test.rows == nil {
				if c.IsFiltered() || len(rows) != 8 {
					t.Errorf("it leaves something out: %v", rows)
				}
				return
			}
			if !slices.Equal(rows, test.rows) {
				t.Errorf("got %v, want %v", rows, test.rows)
			}
		})
	}
}
