package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// explains expects that the listed records add up to values of /metrics. No secret is printed.
func (e *estate) explains(shown families) {
	e.t.Helper()
	for _, c := range []struct{ selector, metric, labels string }{
		{`cdr_calls_total{outcome="answered",late="true"}`, "cdr_calls_total", "outcome=answered late=true"},
		{`cdr_call_failures_total{direction="outbound"}`, "cdr_call_failures_total", "direction=outbound"},
		{"cdr_call_charges_total", "cdr_call_charges_total", ""},
		{"cdr_call_duration_seconds_sum", "cdr_call_duration_seconds", ""},
		{"cdr_recordings_total", "cdr_recordings_total", ""},
	} {
		want := 0.0
		for _, m := range shown.series(c.metric, strings.Fields(c.labels)...) {
			want += value(m) + m.GetHistogram().GetSampleSum() // one of them is 0
		}
		got, proven := e.explained(c.selector, "--from=76h")
		if float := got.Float(); !proven || float < want-1e-6 || float > want+1e-6 || want == 0 {
			e.t.Errorf("%s: the records add %g, /metrics shows %g, proven: %t", c.selector, float, want, proven)
		}
	}
	x := start(e.t, e.vault, launch{args: []string{
		"explain", "--config.file=" + e.path("config.yaml"), "cdr_recordings_total", "--from=76h",
	}})
	if <-x.done; !strings.Contains(x.log.String(), "Not reading contoso/pstn, contoso/direct_routing") {
		e.t.Errorf("feeds without recordings are read: %s", x.log)
	}
}

// explained is the sum of the records that explain lists, and whether it is proven.
func (s *site) explained(selector string, args ...string) (sum cdr.Money, proven bool) {
	s.t.Helper()
	x := start(s.t, s.vault, launch{args: append([]string{
		"explain", "--config.file=" + s.path("config.yaml"), "--output=jsonl", selector,
	}, args...)})
	<-x.done
	proven = strings.Contains(x.log.String(), "The sum is proven.")
	if exits := map[bool]int{true: 0, false: 1}; x.exit != exits[proven] {
		s.t.Fatalf("%s: exit code %d: %s", selector, x.exit, x.log)
	}
	for line := range strings.Lines(x.out.String()) {
		var entry struct {
			Start, ID, Because string
			Amount             cdr.Money
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Start == "" || entry.ID == "" ||
			entry.Because == "" {
			s.t.Fatalf("%s: %v: %s", selector, err, line)
		}
		sum = sum.Add(&entry.Amount)
	}
	return sum, proven
}

// TestExplainAfterKills: the exporter is killed while it reads history, and while rows come late and
// change. The records of windows that were cut at random still add up to the value of a series.
func TestExplainAfterKills(t *testing.T) {
	t.Parallel()
	set := unfolding(49, sim.DirectRoutingMix(), 400)
	set.Revised = 0.3
	n := newTenant(t, sim.Settings{DirectRouting: world(t, set), PageSize: 50})
	config, at := n.configure(settings{Sources: []source{{PSTN: "-"}}}), []time.Time{n.Pause()}
	run := func() *exporter { return start(t, n.vault, launch{config: config}).serving() }
	x := run()
	eventually(t, "read two pages", func() error {
		x.running()
		if got := n.answered(); got < 2 {
			return fmt.Errorf("%d pages", got)
		}
		return nil
	})
	for range 4 {
		x.kill()
		x = run()
		x.countsFeed(n, n.source(), directRouting, at...)
		n.Advance(12 * time.Hour)
		at = append(at, n.Visible())
	}
	x.countsFeed(n, n.source(), directRouting, at...)
	shown := x.scrape()
	x.stop()

	random := rand.New(rand.NewPCG(50, 51)) //nolint:gosec // a test
	cuts := []string{"400h", "", "", "0s"}
	for i, between := range []int{60, 35} {
		ago := time.Duration(between)*time.Hour - time.Duration(random.Int64N(int64(25*time.Hour)))
		cuts[i+1] = time.Now().Add(-ago).UTC().Format(time.RFC3339Nano)
	}
	const perMetric = 2
	proven, all := 0, 0
	for _, metric := range []string{
		"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_call_duration_seconds",
	} {
		series := shown.series(metric, "feed="+directRouting)
		random.Shuffle(len(series), func(i, j int) { series[i], series[j] = series[j], series[i] })
		for _, m := range series[:perMetric] {
			selector, want := metric, value(m)+m.GetHistogram().GetSampleSum() // one of them is 0
			if m.GetHistogram() != nil {
				selector += "_sum"
			}
			var labels []string
			for name, value := range labelsOf(m) {
				labels = append(labels, fmt.Sprintf("%s=%q", name, value))
			}
			selector += "{" + strings.Join(labels, ",") + "}"
			var sum cdr.Money
			isProven := true
			for i := range cuts[1:] {
				part, is := n.explained(selector, "--from="+cuts[i], "--to="+cuts[i+1])
				sum, isProven = sum.Add(&part), isProven && is
			}
			if all++; isProven {
				proven++
			}
			if got := sum.Float(); isProven && (got < want-1e-6 || got > want+1e-6) || want == 0 {
				t.Errorf("%s: the records add %g, /metrics shows %g", selector, got, want)
			}
		}
	}
	if t.Logf("%d of %d series are proven", proven, all); proven < all/2 {
		t.Error("too few")
	}
}
