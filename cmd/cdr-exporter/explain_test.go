package main_test

import (
	"encoding/json"
	"strings"
	"testing"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestExplain (issue 48): for every provider, with rows that come twice, the listed records add up to
// the values of /metrics while the exporter runs. No secret is printed.
func TestExplain(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 48, calls: 100, era: pastEra, worlds: func(s *simulator.Settings) { s.Duplicated = 0.1 },
		graph: sim.Settings{PageSize: 100}, ringcentral: rcsim.Settings{Gzip: true}, wavix: wavixsim.Settings{},
	})
	e.hold()
	running := e.start(settings{}).ready()
	shown := running.scrape()
	for _, c := range []struct{ selector, metric, labels string }{
		{"cdr_calls_total", "cdr_calls_total", ""},
		{`cdr_calls_total{outcome="answered",late="true"}`, "cdr_calls_total", "outcome=answered late=true"},
		{`cdr_call_failures_total{direction="outbound"}`, "cdr_call_failures_total", "direction=outbound"},
		{"cdr_call_connected_seconds_total", "cdr_call_connected_seconds_total", ""},
		{"cdr_call_charges_total", "cdr_call_charges_total", ""},
		{"cdr_call_duration_seconds_sum", "cdr_call_duration_seconds", ""},
		{"cdr_call_legs_total", "cdr_call_legs_total", ""},
		{"cdr_recordings_total", "cdr_recordings_total", ""},
	} {
		x := start(t, e.vault, launch{args: []string{
			"explain", "--config.file=" + e.path("config.yaml"), "--from=400h",
			"--output=jsonl", c.selector,
		}})
		x.exited(0)
		var sum cdr.Money
		for line := range strings.Lines(x.out.String()) {
			var entry struct {
				Start, ID, Because string
				Amount             cdr.Money
			}
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Start == "" || entry.ID == "" ||
				entry.Because == "" {
				t.Fatalf("%s: %v: %s", c.selector, err, line)
			}
			sum = sum.Add(&entry.Amount)
		}
		want := shown.sum(c.metric, strings.Fields(c.labels)...)
		for _, m := range shown.series(c.metric, strings.Fields(c.labels)...) {
			want += m.GetHistogram().GetSampleSum() // 0 of a counter
		}
		if got := sum.Float(); got < want-1e-6 || got > want+1e-6 || want == 0 {
			t.Errorf("%s: the records add %s, /metrics shows %g\n%s", c.selector, sum.String(), want, x.log)
		}
		if !strings.Contains(x.log.String(), "The sum is proven.") {
			t.Errorf("%s: %s", c.selector, x.log)
		}
	}
	running.stop()
}
