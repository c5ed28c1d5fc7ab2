package main_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
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

// TestExplainInLocalTime: a time of day is the local one, as in the other commands.
func TestExplainInLocalTime(t *testing.T) {
	t.Parallel()
	s := newShop(t, "{interval: 1s, lookback: 24h}", "")
	now := time.Now()
	s.put(shopRow{"a", now.Add(-90 * time.Minute), "done", "", "1"})
	start(t, s.vault, launch{config: s.path("config.yaml")}).ready().stop()
	local := now.In(time.FixedZone("", 5*3600))
	x := start(t, s.vault, launch{env: map[string]string{"TZ": "Etc/GMT-5"}, args: []string{
		"explain", "--config.file=" + s.path("config.yaml"), "cdr_calls_total",
		"--from=" + local.Add(-2*time.Hour).Format("15:04"), "--to=" + local.Add(-time.Hour).Format("15:04"),
	}})
	x.exited(0)
	if out := x.out.String(); !strings.Contains(out, "1 record adds 1.") {
		t.Errorf("it says %s", out)
	}
}

// TestExplainShowsTheUser: CUCM has ids of users and no names.
func TestExplainShowsTheUser(t *testing.T) {
	t.Parallel()
	s := newShop(t, "{interval: 1s, lookback: 24h}", "privacy: {users: keep}\n")
	definition, err := os.ReadFile(s.path("shop.yaml"))
	require.NoError(t, err)
	s.write("shop.yaml", string(definition)+"      user_id: kind\n")
	s.put(shopRow{"a", time.Now().Add(-90 * time.Minute), "done", "jdoe", "1"})
	start(t, s.vault, launch{config: s.path("config.yaml")}).ready().stop()
	x := start(t, s.vault, launch{args: []string{
		"explain", "--config.file=" + s.path("config.yaml"), "cdr_calls_total", "--output=jsonl",
	}})
	x.exited(0)
	if out := x.out.String(); !strings.Contains(out, `"user":"jdoe"`) {
		t.Errorf("it says %s", out)
	}
}
