package history

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/long"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// within are the calls of a range.
func within(calls []cdr.Record, from, to time.Time) []cdr.Record {
	var all []cdr.Record
	for i := range calls {
		if c := calls[i]; !c.Start.Before(from) && c.Start.Before(to) {
			all = append(all, c)
		}
	}
	return all
}

// totals are the last values of what calls come to, by metric and labels, reckoned here.
func totals(calls []cdr.Record) map[string]string {
	sums := make(map[string]int64) // in millionths
	bounds := metrics.CallDuration.Bounds
	for i := range calls {
		c := &calls[i]
		sums["cdr_call_charges_total "] += int64(c.Charges[0].Amount.Float()*1e4+0.5) * 100
		on := fmt.Sprintf(`trunk=%q`, c.Trunk)
		sums[fmt.Sprintf(`cdr_calls_total direction="outbound",call_type="voip_call",outcome="%s",%s,late="false"`,
			c.Outcome, on)] += 1e6
		if c.Outcome == cdr.Failed {
			sums[`cdr_call_failures_total direction="outbound",`+on+`,outcome="failed",sip_code="503",`+
				`reason="timeout",fault_domain="unknown",late="false"`] += 1e6
			continue
		}
		labels := ` direction="outbound",call_type="voip_call",` + on
		sums["cdr_call_connected_seconds_total"+labels+`,country="DE"`] += c.Duration.Microseconds()
		for b := range len(bounds) + 1 {
			bound := "+Inf"
			if b < len(bounds) {
				bound = strconv.FormatFloat(bounds[b], 'f', 1, 64)
			}
			count := int64(1e6)
			if b < len(bounds) && c.Duration.Seconds() > bounds[b] {
				count = 0
			}
			sums["cdr_call_duration_seconds_bucket"+labels+`,le="`+bound+`"`] += count
		}
	}
	all := make(map[string]string)
	for key, sum := range sums {
		all[key] = strconv.FormatFloat(float64(sum)/1e6, 'g', -1, 64)
	}
	return all
}

// TestSums: for any range, step, pages and repeats, the last values equal the sums of the
// range's calls to the last digit. Each earlier sample is the sum of the calls that began
// before it.
func TestSums(t *testing.T) {
	for seed := range long.Seeds(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			from := noon.Add(time.Duration(r.IntN(10_000)) * time.Second)
			to := from.Add(time.Duration(1+r.IntN(400_000)) * time.Second).
				Add(time.Duration(r.IntN(1000)) * time.Millisecond)
			f := &fakeFeed{
				calls: callsIn(r, from.Add(-time.Hour), to.Add(time.Hour), 1+r.IntN(3000)), page: 1 + r.IntN(300),
				repeat: r.IntN(4), newest: r.IntN(2) == 0,
			}
			b := newBench(t)
			b.set.From = from
			b.set.Step = []time.Duration{time.Second, 30 * time.Second, time.Minute, 7 * time.Minute}[r.IntN(4)]
			sum, past := b.read(only(f, to))
			calls := within(f.calls, from, to)
			if sum.Calls != len(calls) {
				t.Errorf("%d calls, want %d", sum.Calls, len(calls))
			}
			got := make(map[string]string)
			for _, metric := range []string{
				"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total",
				"cdr_call_duration_seconds_bucket", "cdr_call_charges_total",
			} {
				for labels, value := range past.ends(metric) {
					if metric == "cdr_call_charges_total" { // of one series
						labels = ""
					}
					got[metric+" "+labels] = value
				}
			}
			if want := totals(calls); !maps.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			g := newGrid(from, to, b.set.Step)
			for trunk := range 3 {
				name := fmt.Sprintf(`{source="acme",provider="fake",feed="call_log",direction="outbound",`+
					`call_type="voip_call",outcome="answered",trunk="sbc%d",late="false"}`, trunk)
				checkTimes(t, past["cdr_calls_total"+name], g,
					slices.DeleteFunc(within(calls, from, to), func(c cdr.Record) bool {
						return c.Outcome != cdr.Answered || c.Trunk != fmt.Sprintf("sbc%d", trunk)
					}))
			}
		})
	}
}

// checkTimes expects each sample to be what began before it, or by the end all; one at the
// begin that is 0, one at the end, one just before each rise, and from the first rise on
// one at least as often as Prometheus forgets.
func checkTimes(t *testing.T, points []point, g grid, calls []cdr.Record) {
	t.Helper()
	if len(calls) == 0 {
		return
	}
	if first, last := points[0], points[len(points)-1]; first != (point{g.from, "0"}) || last.at != g.to {
		t.Fatalf("it goes from %v to %v, the range from %d to %d", first, last, g.from, g.to)
	}
	next := 0
	for i, p := range points {
		for next < len(calls) && (calls[next].Start.UnixMilli() < p.at || p.at == g.to) {
			next++
		}
		if p.at == g.from {
			next = 0
		}
		if p.value != strconv.Itoa(next) {
			t.Fatalf("at %d it is %s, want %d", p.at, p.value, next)
		}
		if i == 0 {
			continue
		}
		was := points[i-1]
		if p.at <= was.at || p.at != g.to && p.at%g.step != 0 {
			t.Fatalf("a sample at %d after one at %d", p.at, was.at)
		}
		if p.value != was.value && p.at-was.at > g.step || was.value != "0" && p.at-was.at > g.hold {
			t.Fatalf("from %v to %v is too far", was, p)
		}
	}
}

// TestGrid: what happens at a time is seen at the next multiple of the step, or by the end.
func TestGrid(t *testing.T) {
	g := newGrid(noon.Add(10*time.Second), noon.Add(10*time.Minute+30*time.Second), time.Minute)
	for name, tc := range map[string]struct{ after, want time.Duration }{
		"the begin":            {10 * time.Second, time.Minute},
		"just before one":      {time.Minute - time.Millisecond, time.Minute},
		"on one":               {time.Minute, 2 * time.Minute},
		"in the last, cut one": {10*time.Minute + 29*time.Second, 10*time.Minute + 30*time.Second},
	} {
		if got := time.UnixMilli(g.sampleAt(noon.Add(tc.after))).Sub(noon); got != tc.want {
			t.Errorf("%s: seen after %s, want %s", name, got, tc.want)
		}
	}
	for step, hold := range map[time.Duration]time.Duration{
		time.Second: 5 * time.Minute, 40 * time.Second: 280 * time.Second, time.Minute: 5 * time.Minute,
		7 * time.Minute: 7 * time.Minute,
	} {
		if got := newGrid(noon, noon, step).hold; got != hold.Milliseconds() {
			t.Errorf("with %s a value is repeated after %d ms", step, got)
		}
	}
}

// TestTogether: several feeds lie in one text, each metric in one piece, and each feed ends
// where its own range does.
func TestTogether(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	long := &fakeFeed{calls: callsIn(r, noon, noon.Add(6*time.Hour), 300), page: 50}
	short := &fakeFeed{calls: callsIn(r, noon, noon.Add(6*time.Hour), 300), page: 50}
	b := newBench(t)
	other := only(short, noon.Add(time.Hour))
	other.Source = "desk"
	_, past := b.read(only(long, noon.Add(6*time.Hour)), other)
	seen := make(map[string]bool)
	for line := range strings.Lines(b.text.String()) {
		if kind, found := strings.CutPrefix(line, "# TYPE "); found {
			name := strings.Fields(kind)[0]
			if seen[name] {
				t.Errorf("%s comes twice", name)
			}
			seen[name] = true
		}
	}
	if !seen["cdr_calls"] || !seen["cdr_call_duration_seconds"] || !strings.HasSuffix(b.text.String(), "\n# EOF\n") {
		t.Errorf("families %v", seen)
	}
	for name, points := range past {
		want := noon.Add(6 * time.Hour)
		if strings.Contains(name, `source="desk"`) {
			want = noon.Add(time.Hour)
		}
		if last := points[len(points)-1].at; last != want.UnixMilli() {
			t.Errorf("%s ends at %d", name, last)
		}
	}
}

// TestOverflow (counting.md 22): past the limit open labels are folded, and the sum stays.
func TestOverflow(t *testing.T) {
	f := &fakeFeed{page: 100}
	for i := range 300 {
		c := call(4*i+1, noon.Add(time.Duration(i)*time.Minute))
		c.Trunk = fmt.Sprintf("trunk%d", i)
		f.calls = append(f.calls, c)
	}
	sum, past := newBench(t).read(only(f, noon.Add(6*time.Hour)))
	if sum.Folded == 0 {
		t.Error("nothing is said of it")
	}
	all := past.ends("cdr_calls_total")
	if len(all) != 101 ||
		all[`direction="outbound",call_type="overflow",outcome="answered",trunk="overflow",late="false"`] != "200" {
		t.Errorf("%d series: %v", len(all), all)
	}
}

// TestEmpty: a range without calls is a text without series.
func TestEmpty(t *testing.T) {
	b := newBench(t)
	if sum, past := b.read(only(&fakeFeed{}, noon.Add(time.Hour))); sum != (Summary{}) || len(past) != 0 ||
		b.text.String() != "# EOF\n" {
		t.Errorf("%v %v %q", sum, past, b.text.String())
	}
}

// legFeed is a feed whose calls have several records, which settle in ten minutes.
func legFeed(f *fakeFeed, to time.Time) Feed {
	feed := only(f, to)
	feed.Info.Rules.Legs, feed.Info.Rules.Parents, feed.Info.Settle, feed.Info.WholeAfter = true, true, 10*time.Minute,
		4*time.Hour
	return feed
}

// oneLeg is the n-th record, of a call that others may share; it was answered, or it failed. It took a minute.
func oneLeg(n int, key string, at time.Duration, answered bool) cdr.Record {
	c := call(n, noon.Add(at))
	c.CallKey, c.Trunk, c.Outcome, c.Duration, c.SIPCode, c.Reason = key, "sbc", cdr.Failed, 0, cdr.KnownInt(503),
		"timeout"
	if answered {
		c.Outcome, c.Duration, c.SIPCode, c.Reason = cdr.Answered, time.Minute, cdr.Int{}, ""
	}
	c.End = c.Start.Add(c.Duration)
	return c
}

// sumsOf are the sums of some metrics in a range.
func sumsOf(t *testing.T, f *fakeFeed, from, to time.Time) (all map[string]float64, sum Summary) {
	t.Helper()
	b := newBench(t)
	b.set.From = from
	sum, past := b.read(legFeed(f, to))
	all = make(map[string]float64)
	for _, metric := range []string{
		"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total",
		"cdr_trunk_connected_seconds_total", "cdr_call_duration_seconds_sum",
		"cdr_call_legs_total", "cdr_call_charges_total", "cdr_call_outcome_changes_total",
	} {
		for _, text := range past.ends(metric) {
			value, err := strconv.ParseFloat(text, 64)
			require.NoError(t, err)
			all[metric] += value
		}
	}
	return all, sum
}

// TestAdjacent (counting.md 36, guarantee 3): a call belongs to the range in which it begins, with
// all its legs, so that two adjacent ranges give the same as one. Its legs and their charges belong
// to where they begin.
func TestAdjacent(t *testing.T) {
	child := oneLeg(5, "", time.Minute, true)
	child.Parent = "call-4"
	f := &fakeFeed{calls: []cdr.Record{
		oneLeg(0, "goes on", -8*time.Minute, false), oneLeg(1, "goes on", time.Minute, true),
		oneLeg(2, "goes on for long", -5*time.Hour, true), oneLeg(3, "goes on for long", -90*time.Minute, true),
		oneLeg(9, "goes on for long", time.Second, true),
		oneLeg(4, "", -time.Minute, false), child,
		oneLeg(6, "", time.Hour, false),
		oneLeg(7, "over the end", 24*time.Hour-time.Minute, false),
		oneLeg(8, "over the end", 24*time.Hour+time.Minute, true),
		oneLeg(10, "after the end", 24*time.Hour, true), oneLeg(11, "before the begin", -24*time.Hour-time.Minute,
			false), oneLeg(12, "before the begin", -24*time.Hour, true),
	}}
	slices.SortFunc(f.calls, func(a, b cdr.Record) int { return a.Start.Compare(b.Start) })
	from, to := noon.Add(-24*time.Hour), noon.Add(24*time.Hour)
	before, first := sumsOf(t, f, from, noon)
	after, second := sumsOf(t, f, noon, to)
	if first.Calls != 3 || second.Calls != 2 || first.Unfinished != 0 || second.Unfinished != 0 {
		t.Errorf("%+v and %+v, want 3 and 2 calls", first, second)
	}
	whole, _ := sumsOf(t, f, from, to)
	if got := [...]float64{
		whole["cdr_calls_total"], whole["cdr_call_failures_total"],
		whole["cdr_call_connected_seconds_total"], whole["cdr_call_legs_total"],
	}; got != [...]float64{5, 1, 360, 10} {
		t.Errorf("calls, failures, seconds and legs are %v", got)
	}
	for metric, want := range whole {
		if got := before[metric] + after[metric]; fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", want) {
			t.Errorf("%s: %g and %g, want %g", metric, before[metric], after[metric], want)
		}
	}
}

// What can't count yet, since its legs may still come or one of them goes on, is said, if it began in the range.
func TestCallsThatWait(t *testing.T) {
	open := oneLeg(2, "goes on", 20*time.Minute, true)
	open.Provisional = true
	f := &fakeFeed{calls: []cdr.Record{
		oneLeg(0, "whole", 10*time.Minute, true), oneLeg(1, "goes on", 15*time.Minute, false), open,
		oneLeg(3, "settles", 55*time.Minute, true),
		oneLeg(4, "after the range", 61*time.Minute, true),
	}}
	for _, c := range []struct {
		name    string
		now     time.Duration
		waiting bool
		want    Summary
	}{
		{"early", 63 * time.Minute, false, Summary{Calls: 1, Unfinished: 2}},
		{"with those that wait", 63 * time.Minute, true, Summary{Calls: 3}},
		{"later", 10 * time.Hour, false, Summary{Calls: 3}},
	} {
		b := newBench(t)
		b.set.Now, b.set.CountWaiting = func() time.Time { return noon.Add(c.now) }, c.waiting
		if sum, _ := b.read(legFeed(f, noon.Add(time.Hour))); sum != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, sum, c.want)
		}
	}
}

// TestCallsThatWaitByArrival: in a file or a table with a key too, only the calls that have just ended wait, although
// older ones are on the same page.
func TestCallsThatWaitByArrival(t *testing.T) {
	f := &fakeFeed{page: 1000}
	for n := range 100 {
		f.calls = append(f.calls, oneLeg(n, fmt.Sprint("call ", n), time.Duration(n)*time.Minute, true))
	}
	b := newBench(t)
	b.set.Now = func() time.Time { return noon.Add(101 * time.Minute) }
	feed := legFeed(f, noon.Add(101*time.Minute))
	feed.Info.Rules.ByArrival = true
	if sum, _ := b.read(feed); sum != (Summary{Calls: 91, Unfinished: 9}) {
		t.Errorf("%+v, want 91 calls and 9 that wait", sum)
	}
}

// TestPartiesOfCalls: a call of several records still has its numbers and its user when it counts, for tickets and
// lists of callers.
func TestPartiesOfCalls(t *testing.T) {
	f := &fakeFeed{calls: []cdr.Record{oneLeg(0, "one", time.Minute, true), oneLeg(1, "two", 2*time.Minute, true)}}
	for i := range f.calls {
		r := &f.calls[i]
		r.CallerNumber, r.CalleeNumber, r.UserName = "+493012345678", "+442071838750", "Ada"
	}
	b, calls := newBench(t), 0
	b.set.Parties = true
	b.set.OnFact = func(_ *Feed, fact *facts.Fact) {
		if r := fact.Record; fact.Kind == facts.Call {
			calls++
			if r.CallerNumber != "+493012345678" || r.CalleeNumber != "+442071838750" || r.UserName != "Ada" {
				t.Errorf("%s: from %q of %q to %q", r.ID, r.CallerNumber, r.UserName, r.CalleeNumber)
			}
		}
	}
	if b.read(legFeed(f, noon.Add(time.Hour))); calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

// A call whose legs lie in different pieces of what is read is one call.
func TestCallsOverPieces(t *testing.T) {
	f := &fakeFeed{}
	for n := range 240 { // each begins three minutes before a time at which a piece may end
		at := time.Duration(n/2)*12*time.Minute + time.Duration(n%2)*6*time.Minute - 3*time.Minute
		f.calls = append(f.calls, oneLeg(n, fmt.Sprint("call ", n/2), at, n%2 == 1))
	}
	got, sum := sumsOf(t, f, noon.Add(-time.Hour), noon.Add(24*time.Hour))
	if sum.Calls != 120 || got["cdr_call_failures_total"] != 0 || got["cdr_call_outcome_changes_total"] != 0 {
		t.Errorf("%d calls, %v", sum.Calls, got)
	}
}

// Guarantee 3: what a history makes of a day is what the counters say of it, whatever the order in
// which the exporter read the legs.
func TestHistoryEqualsCounters(t *testing.T) {
	for seed := range long.Seeds(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			f := &fakeFeed{page: 1 + r.IntN(30), newest: r.IntN(2) == 0}
			for n := range 300 {
				key := ""
				if r.IntN(4) > 0 {
					key = fmt.Sprint("call ", n/4)
				}
				c := oneLeg(n, key, time.Duration(n/4)*5*time.Minute+time.Duration(r.IntN(240))*time.Second,
					r.IntN(2) == 0)
				c.Party, c.NoOutcome = cdr.Party(r.IntN(5)), r.IntN(5) == 0
				c.Direction, c.Trunk = cdr.Direction(1+r.IntN(3)), []string{"", "a", "b"}[r.IntN(3)]
				f.calls = append(f.calls, c)
			}
			to := noon.Add(24 * time.Hour)
			b := newBench(t)
			slices.SortFunc(f.calls, func(a, b cdr.Record) int { return a.Start.Compare(b.Start) })
			_, past := b.read(legFeed(f, to))
			got := make(map[string]string)
			for _, metric := range legMetrics {
				for labels, value := range past.ends(metric) {
					got[metric+labels] = value
				}
			}
			r.Shuffle(len(f.calls), func(i, j int) { f.calls[i], f.calls[j] = f.calls[j], f.calls[i] })
			if want := countersOf(t, f, r); !maps.Equal(got, want) {
				t.Errorf("the history has %v, the counters %v", got, want)
			}
		})
	}
}

// legMetrics are those that are compared.
var legMetrics = []string{
	"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total",
	"cdr_trunk_connected_seconds_total", "cdr_call_legs_total",
	"cdr_calls_by_country_total",
}

// countersOf is what an exporter counts that reads the records of a feed as they come, a page at a time.
func countersOf(t *testing.T, f *fakeFeed, r *rand.Rand) map[string]string {
	t.Helper()
	now := noon.Add(24 * time.Hour)
	l, err := ledger.Open(t.Context(), ledger.Settings{
		Storage: ledger.Storage{Folder: t.TempDir()}, Now: func() time.Time { return now },
		Options: metrics.Options{SeriesLimit: 1000},
	})
	require.NoError(t, err)
	defer l.Close() //nolint:errcheck // the test is over
	info := legFeed(f, now).Info
	state, err := l.Feed(t.Context(), ledger.FeedSpec{Fingerprint: "fake", Settings: counting.Settings{
		Source: "acme", Provider: "fake", Feed: "call_log", Rules: info.Rules, Settle: info.Settle,
		WholeAfter: info.WholeAfter, Lookback: 48 * time.Hour,
		History: 48 * time.Hour, LateAfter: neverLate, Currency: "EUR",
	}})
	require.NoError(t, err)
	commit := func(page *counting.Page) {
		page.ObservedAt = now
		if _, err := state.Commit(t.Context(), page); err != nil {
			t.Fatal(err)
		}
	}
	read := func() {
		commit(&counting.Page{Position: &counting.Position{
			HistoryDone: true, Watermark: now,
			Read: &counting.Read{Began: now},
		}})
	}
	read()
	for rest := f.calls; len(rest) > 0; {
		n := min(len(rest), 1+r.IntN(20))
		page := make([]*cdr.Record, n)
		for i := range page {
			c := rest[i]
			page[i] = &c
		}
		rest = rest[n:]
		commit(&counting.Page{Records: page})
	}
	now = now.Add(info.Settle)
	read()
	all := make(map[string]string)
	for _, family := range l.Store().Snapshot().Families {
		if !slices.Contains(legMetrics, family.Def.Name) {
			continue
		}
		for _, p := range family.Points {
			var labels []string
			for i, name := range family.Def.LabelNames()[3:] {
				if value := p.Labels.Values[3+i]; value != "" {
					labels = append(labels, fmt.Sprintf("%s=%q", name, value))
				}
			}
			all[family.Def.Name+strings.Join(labels, ",")] = strconv.FormatFloat(p.Value, 'g', -1, 64)
		}
	}
	return all
}
