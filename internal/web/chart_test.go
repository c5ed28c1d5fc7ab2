package web

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// activityAt is a call or more that began so long before now.
func activityAt(ago time.Duration, calls, failures int64) Activity {
	return Activity{Start: Time(now.Add(-ago).Truncate(ActivityStep)), Calls: calls, Failures: failures}
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
		bars := barsOf(all, spanOf(name), now)
		var calls, failures int64
		for _, b := range bars {
			calls, failures = calls+b.calls, failures+b.failures
		}
		if len(bars) != test.bars || calls != test.calls || failures != test.failures || clockText(bars[0].start) != test.first {
			t.Errorf("%s: %d bars from %s with %d calls, %d failures, want %+v", name, len(bars), clockText(bars[0].start), calls, failures, test)
		}
		if last := bars[len(bars)-1].start; last.After(now) || !last.Add(spanOf(name).Step).After(now) {
			t.Errorf("%s: now isn't in the last bar, from %v", name, last)
		}
	}
}

func TestBarsText(t *testing.T) {
	for name, test := range map[string]struct {
		bars []bar
		want string
	}{
		"one call":    {[]bar{{now, 1, 0}}, "1 call began in the last 3 h, none failed. Most in 5 min: 1, from 12:00."},
		"the first":   {[]bar{{now, 2000, 0}, {now.Add(time.Minute), 2000, 1}}, "4,000 calls began in the last 3 h, 1 failed (less than 0.1 %). Most in 5 min: 2,000, from 12:00."},
		"all of them": {[]bar{{now, 0, 0}, {now.Add(5 * time.Minute), 3, 3}}, "3 calls began in the last 3 h, 3 failed (100.0 %). Most in 5 min: 3, from 12:05."},
	} {
		if got := barsText(test.bars, spanOf("3h")); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// Everything that the library draws is known to the style sheet, in every span and for
// every number.
func TestDraw(t *testing.T) {
	for _, s := range spans() {
		for _, most := range []int64{0, 1, 3, 9, 999, 1000, 123456789, 1 << 60} {
			bars := barsOf([]Activity{activityAt(0, most, min(most/3, 1)), activityAt(10*time.Minute, 1, 0)}, s, now)
			d, err := draw(bars, s)
			if err != nil {
				t.Fatalf("%s, %d: %v", s.Name, most, err)
			}
			var drawn []string
			for _, shape := range d.Shapes {
				if !strings.HasPrefix(shape.Path, "M") || strings.ContainsAny(shape.Path, "\n<") {
					t.Errorf("%s, %d: the path of %s is %.20q", s.Name, most, shape.Class, shape.Path)
				}
				drawn = append(drawn, shape.Class)
			}
			classes := []string{"axis", "grid", "calls"}
			if most >= 3 {
				classes = append(classes, "failed") // however few
			}
			for _, class := range classes {
				if !slices.Contains(drawn, class) || !strings.Contains(pageCSS, "\n."+class+" {") {
					t.Errorf("%s, %d: no %s in %v", s.Name, most, class, drawn)
				}
			}
			if n := len(d.Texts); n < 3+4 || n > 3+8 {
				t.Errorf("%s, %d: %d texts: %v", s.Name, most, n, d.Texts)
			}
		}
	}
}

// Failures lie below, and are as high as their share.
func TestDrawGolden(t *testing.T) {
	d, err := draw(barsOf([]Activity{activityAt(0, 4, 1), activityAt(30*time.Minute, 2, 2)}, spanOf("1h"), now), spanOf("1h"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, shape := range d.Shapes {
		text.WriteString(shape.Class + " " + shape.Path + "\n")
	}
	for _, label := range d.Texts {
		text.WriteString(label.X + " " + label.Y + " " + label.Text + "\n")
	}
	checkGolden(t, "chart.txt", text.String())
}

func TestDrawAtOnce(t *testing.T) {
	bars := barsOf([]Activity{activityAt(0, 4, 1)}, spanOf("24h"), now)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if _, err := draw(bars, spanOf("24h")); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestCeiling(t *testing.T) {
	for n, want := range map[int64]int64{0: 2, 1: 2, 2: 2, 3: 4, 5: 6, 7: 8, 9: 10, 10: 10, 11: 20, 21: 40, 81: 100, 100: 100, 601: 800, 1<<63 - 1: 1<<63 - 1} {
		if got := ceiling(n); got != want {
			t.Errorf("%d: got %d, want %d", n, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 1: "1", 500: "500", 1000: "1k", 3000: "3k", 20000: "20k", 1e6: "1M", 5e8: "500M"} {
		if got := scaleText(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

// A look at the page costs no more, however many feeds there are.
func TestChartsAreBounded(t *testing.T) {
	var status Status
	var all []Activity
	for i := range 30 {
		source := strings.Repeat("x", i+1)
		status.Sources = append(status.Sources, Source{Name: source, Feeds: []Feed{{Feed: "f", State: StateOK}}})
		all = append(all, Activity{Source: source, Feed: "f", Start: Time(now), Calls: 1})
	}
	page, err := newPage(DefaultMetricsPath, nil)
	if err != nil {
		t.Fatal(err)
	}
	status.Now = Time(now)
	v := page.charts(content{status: status, choice: choose(nil, status), activity: all})
	if len(v.Charts) != maxCharts || v.Hidden != "6 more feeds aren't drawn: filter to see others." {
		t.Errorf("%d charts, %q", len(v.Charts), v.Hidden)
	}
}

func TestParseDrawingRefusesWhatItDoesNotKnow(t *testing.T) {
	for name, svg := range map[string]string{
		"another colour":  `<svg><path d="M 0 0" style="fill:rgb(9,9,9)"/></svg>`,
		"another element": `<svg><script>alert(1)</script></svg>`,
		"no end":          `<svg><text x="1" y="2">`,
		"no XML":          `<svg><path d=x/></svg>`,
	} {
		if d, err := parseDrawing([]byte(svg)); err == nil {
			t.Errorf("%s: got %+v", name, d)
		}
	}
}

func FuzzParseDrawing(f *testing.F) {
	for _, seed := range []string{
		`<svg><path d="M 0 0` + "\n" + `L 1 1" style="stroke:none;fill:rgb(4,0,0)"/><text x="1" y="2" style="">08:00</text></svg>`,
		`<svg><path style="fill"/></svg>`, `<text>&lt;</text>`, ``,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, svg []byte) {
		d, err := parseDrawing(svg)
		if err != nil {
			return
		}
		for _, shape := range d.Shapes {
			if _, known := map[string]bool{"axis": true, "grid": true, "label": true, "failed": true, "calls": true}[shape.Class]; !known {
				t.Errorf("the class %q", shape.Class)
			}
		}
	})
}

func TestChoice(t *testing.T) {
	for query, test := range map[string]struct {
		rows []string
		link string
	}{
		"":             {[]string{"contoso pstn", "contoso direct_routing", "contoso call_records", "fabrikam pstn", "fabrikam direct_routing", "office call_log", "office active_calls", "wave call_log"}, "./"},
		"source=wave":  {[]string{"wave call_log"}, "./?source=wave"},
		"feed=pstn":    {[]string{"contoso pstn", "fabrikam pstn"}, "./?feed=pstn"},
		"state=error":  {[]string{"fabrikam direct_routing"}, "./?state=error"},
		"span=24h":     {nil, "./?span=24h"},
		"span=3h":      {nil, "./"},
		"state=nought": {nil, "./"},
		"state=trouble&source=contoso&span=1h&x=y": {[]string{"contoso direct_routing"}, "./?source=contoso&span=1h&state=trouble"},
	} {
		t.Run(query, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/?"+query, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			status := exampleStatus()
			c := choose(request.URL.Query(), status)
			if got := c.link(); got != test.link {
				t.Errorf("the link is %q, want %q", got, test.link)
			}
			var rows []string
			for _, source := range status.Sources {
				for _, feed := range source.Feeds {
					if c.takes(source, feed) {
						rows = append(rows, source.Name+" "+feed.Feed)
					}
				}
			}
			if test.rows == nil {
				if c.filters() || len(rows) != 8 {
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
