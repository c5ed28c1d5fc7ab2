package main_test

import (
	"encoding/json"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// explains expects that the listed records add up to values of /metrics, provenly. No secret is printed,
// and feeds without such series aren't read.
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
		x := start(e.t, e.vault, launch{args: []string{
			"explain", "--config.file=" + e.path("config.yaml"), "--output=jsonl", "--from=76h", c.selector,
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
				e.t.Fatalf("%s: %v: %s", c.selector, err, line)
			}
			sum = sum.Add(&entry.Amount)
		}
		if got := sum.Float(); got < want-1e-6 || got > want+1e-6 || want == 0 ||
			!strings.Contains(x.log.String(), "The sum is proven.") {
			e.t.Errorf("%s: the records add %g, /metrics shows %g: %s", c.selector, got, want, x.log)
		}
		if c.metric == "cdr_recordings_total" &&
			!strings.Contains(x.log.String(), "Not reading contoso/pstn, contoso/direct_routing") {
			e.t.Errorf("feeds without recordings are read: %s", x.log)
		}
	}
}
