package main_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// reported is a row of the report of an incident.
type reported struct {
	Source, Feed, Trunk, Direction string
	Attempts, Connected            int64
	Outcome                        string
	SIPCode                        *int64 `json:"sip_code"`
	SubCode                        *int64 `json:"sub_code"`
	Words                          string
	FaultDomain                    string `json:"fault_domain"`
	Count                          int64
}

// incidents compares the report of all that failed with what happened: per trunk and
// direction how many calls there were, how many got through, and how many failed by which codes.
func (e *estate) incidents(t *testing.T, config string, from, to time.Time) {
	t.Helper()
	x := start(t, e.vault, launch{args: []string{
		"incident", "--config.file=" + config, "--from=" + from.Format(time.RFC3339), "--to=" + to.Format(time.RFC3339),
		"--output=json",
	}})
	x.exited(0)
	var report struct{ Failing, Causes, Calls []reported }
	if err := json.Unmarshal(x.out.Bytes(), &report); err != nil {
		t.Fatalf("%v: %s", err, x.out)
	}
	got := make(tables)
	for _, r := range report.Failing {
		got.Add("attempts", r.Attempts*1e6, r.Source, r.Feed, r.Direction, r.Trunk)
		got.Add("connected", r.Connected*1e6, r.Source, r.Feed, r.Direction, r.Trunk)
	}
	code := func(n *int64) string {
		if n == nil {
			return ""
		}
		return fmt.Sprint(*n)
	}
	for _, r := range report.Causes {
		got.Add("failed", r.Count*1e6, r.Source, r.Feed, r.Direction, r.Trunk, r.Outcome, code(r.SIPCode),
			code(r.SubCode))
		if r.Words == "" || r.FaultDomain == "" {
			t.Errorf("%+v has no words or no fault domain", r)
		}
	}
	if len(report.Calls) < len(report.Failing) {
		t.Errorf("there are samples of %d calls on %d trunks and directions", len(report.Calls), len(report.Failing))
	}
	want := make(tables)
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			addIncidents(want, p.source(), feed, p.tables(feed, e.at(p)...))
		}
	}
	if wrong := diff(got, want); wrong != "" || len(want["failed"]) < 10 {
		t.Errorf("of %d: %s", len(want["failed"]), wrong)
	}
}

// addIncidents adds the lines of a feed on which calls failed.
func addIncidents(all tables, source, feed string, truth tables) {
	failed, reasonless := map[string]bool{"failed": true, "invalid_number": true, "not_allowed": true}, feed == pstn
	failed["not_connected"] = reasonless
	network := map[string]bool{"failed": true, "not_connected": true}
	lines := make(map[string]bool)
	for labels, n := range truth["cdr_call_failures_total"] {
		parts := strings.Split(labels, "|") // direction, trunk, outcome, sip_code, sub_code
		if failed[parts[2]] {
			lines[parts[0]+"|"+parts[1]] = lines[parts[0]+"|"+parts[1]] || network[parts[2]]
			all.Add("failed", n, source, feed, labels)
		}
	}
	for labels, n := range truth["cdr_calls_total"] {
		parts := strings.Split(labels, "|") // direction, call_type, outcome, trunk
		line, outcome := parts[0]+"|"+parts[3], parts[2]
		if !lines[line] || outcome == "unknown" || outcome == "not_connected" && !reasonless {
			continue
		}
		all.Add("attempts", n, source, feed, line)
		connected := int64(0)
		if outcome == "answered" || outcome == "voicemail" || outcome == "machine" {
			connected = n
		}
		all.Add("connected", connected, source, feed, line)
	}
}
