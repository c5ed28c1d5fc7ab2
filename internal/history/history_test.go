package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/soak"
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

// totals are the last values of what calls come to, reckoned here.
func totals(calls []cdr.Record) (counted, failures, seconds, buckets map[string]string, money string) {
	n, bad, took := map[string]int{}, map[string]int{}, map[string]int64{}
	in := map[string][]int{}
	var charged cdr.Money
	bounds := metrics.CallDuration.Bounds
	for i := range calls {
		c := &calls[i]
		charged = charged.Add(&c.Charges[0].Amount)
		n[fmt.Sprintf(`direction="outbound",call_type="voip_call",outcome="%s",trunk="%s",late="false"`, c.Outcome, c.Trunk)]++
		if c.Outcome == cdr.Failed {
			bad[fmt.Sprintf(`direction="outbound",trunk="%s",outcome="failed",sip_code="503",reason="timeout",fault_domain="unknown",late="false"`, c.Trunk)]++
			continue
		}
		labels := fmt.Sprintf(`direction="outbound",call_type="voip_call",trunk="%s"`, c.Trunk)
		took[labels+`,country="DE"`] += c.Duration.Microseconds()
		if in[labels] == nil {
			in[labels] = make([]int, len(bounds)+1)
		}
		for b := range in[labels] {
			if b == len(bounds) || c.Duration.Seconds() <= bounds[b] {
				in[labels][b]++
			}
		}
	}
	counted, failures, seconds, buckets = map[string]string{}, map[string]string{}, map[string]string{}, map[string]string{}
	for k, v := range n {
		counted[k] = strconv.Itoa(v)
	}
	for k, v := range bad {
		failures[k] = strconv.Itoa(v)
	}
	for k, v := range took {
		seconds[k] = strconv.FormatFloat(float64(v)/1e6, 'g', -1, 64)
	}
	for k, v := range in {
		for b := range v {
			bound := "+Inf"
			if b < len(bounds) {
				bound = strconv.FormatFloat(bounds[b], 'f', 1, 64)
			}
			buckets[k+`,le="`+bound+`"`] = strconv.Itoa(v[b])
		}
	}
	return counted, failures, seconds, buckets, strconv.FormatFloat(charged.Float(), 'g', -1, 64)
}

// TestSums: whatever the range, the step, the pages and the repeats, the last values are
// what the calls of the range come to, to the last digit, and every sample on the way is
// what began before it.
func TestSums(t *testing.T) {
	for seed := range soak.Seeds(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			from := noon.Add(time.Duration(r.IntN(10_000)) * time.Second)
			to := from.Add(time.Duration(1+r.IntN(400_000)) * time.Second).Add(time.Duration(r.IntN(1000)) * time.Millisecond)
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
			counted, failures, seconds, buckets, money := totals(calls)
			equal(t, "calls", past.ends("cdr_calls_total"), counted)
			equal(t, "failures", past.ends("cdr_call_failures_total"), failures)
			equal(t, "seconds", past.ends("cdr_call_connected_seconds_total"), seconds)
			equal(t, "buckets", past.ends("cdr_call_duration_seconds_bucket"), buckets)
			for _, v := range past.ends("cdr_call_charges_total") {
				if v != money {
					t.Errorf("charges are %s, want %s", v, money)
				}
			}
			g := newGrid(from, to, b.set.Step)
			for trunk := range 3 {
				name := fmt.Sprintf(`{source="acme",provider="fake",feed="call_log",direction="outbound",call_type="voip_call",outcome="answered",trunk="sbc%d",late="false"}`, trunk)
				checkTimes(t, past["cdr_calls_total"+name], g, slices.DeleteFunc(within(calls, from, to), func(c cdr.Record) bool {
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
	if len(all) != 101 || all[`direction="outbound",call_type="overflow",outcome="answered",trunk="overflow",late="false"`] != "200" {
		t.Errorf("%d series: %v", len(all), all)
	}
}

// TestEmpty: a range without calls is a text without series.
func TestEmpty(t *testing.T) {
	b := newBench(t)
	if sum, past := b.read(only(&fakeFeed{}, noon.Add(time.Hour))); sum != (Summary{}) || len(past) != 0 || b.text.String() != "# EOF\n" {
		t.Errorf("%v %v %q", sum, past, b.text.String())
	}
}

// TestAdjacent (counting.md 36, guarantee 3): what goes on with a call, or fails with one, of before the range is counted with that one, so that two ranges
// beside each other come to the same as one.
func TestAdjacent(t *testing.T) {
	f := &fakeFeed{}
	for n, at := range []time.Duration{-10 * time.Minute, time.Minute, -5 * time.Hour, time.Second, -time.Minute, time.Minute, time.Hour} {
		c := call(n, noon.Add(at))
		c.Outcome, c.Duration = cdr.Failed, 0
		switch {
		case n < 4:
			c.CallKey = fmt.Sprint("group ", n/2)
			if n != 2 {
				c.Outcome, c.Duration = cdr.Answered, time.Minute
			}
		case n == 5:
			c.Parent = "call-4"
		}
		f.calls = append(f.calls, c)
	}
	slices.SortFunc(f.calls, func(a, b cdr.Record) int { return a.Start.Compare(b.Start) })
	sums := func(from, to time.Time) (all map[string]float64, sum Summary) {
		b := newBench(t)
		b.set.From = from
		feed := only(f, to)
		feed.Info.Rules.Legs, feed.Info.Rules.Parents = true, true
		sum, past := b.read(feed)
		all = make(map[string]float64)
		for _, metric := range []string{"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_call_charges_total", "cdr_call_outcome_changes_total"} {
			for _, text := range past.ends(metric) {
				value, err := strconv.ParseFloat(text, 64)
				if err != nil {
					t.Fatal(err)
				}
				all[metric] += value
			}
		}
		return all, sum
	}
	before, first := sums(noon.Add(-24*time.Hour), noon)
	after, second := sums(noon, noon.Add(24*time.Hour))
	if first.Calls != 3 || second.Calls != 2 {
		t.Errorf("%d and %d calls, want 3 and 2", first.Calls, second.Calls)
	}
	whole, _ := sums(noon.Add(-24*time.Hour), noon.Add(24*time.Hour))
	for metric, want := range whole {
		if got := before[metric] + after[metric]; fmt.Sprintf("%.6f", got) != fmt.Sprintf("%.6f", want) {
			t.Errorf("%s: %g and %g, want %g", metric, before[metric], after[metric], want)
		}
	}
}
