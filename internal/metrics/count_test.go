package metrics

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// counted is what one call leaves, by metric and own labels; histograms by count.
func counted(c *call) map[string]string {
	s, f := testStore()
	t := s.Begin(f, time.Now())
	t.add(c)
	t.Apply(nil)
	all := make(map[string]string)
	for _, family := range s.Snapshot().Families {
		for _, p := range family.Points {
			key := family.Def.Name + "{" + strings.Join(p.Labels.Values[3:], ",") + "}"
			if all[key] = fmt.Sprint(p.Value); p.Hist != nil {
				all[key] = fmt.Sprint(p.Hist.Count)
			}
		}
	}
	return all
}

// Guarantees 1 and 3: what of a record counts if it is a call, a further view of one,
// or a call whose failure is counted elsewhere.
func TestCountOfACall(t *testing.T) {
	charges := map[string]string{"cdr_call_charges_total{outbound,byot_out,USD,usage,DE}": "0.017"}
	common := map[string]string{
		"cdr_media_bypass_calls_total{sbc1.example.com,true}": "1",
		"cdr_calls_by_location_total{USWE,EUNO}":              "1",
		"cdr_call_legs_total{accept,answered}":                "1",
	}
	connected := map[string]string{
		"cdr_calls_total{outbound,byot_out,answered,sbc1.example.com,false}":      "1",
		"cdr_emergency_calls_total{answered,true}":                                "1",
		"cdr_call_duration_seconds{outbound,byot_out,sbc1.example.com}":           "1",
		"cdr_call_connected_seconds_total{outbound,byot_out,sbc1.example.com,DE}": "60",
		"cdr_call_setup_seconds{outbound,sbc1.example.com}":                       "1",
		"cdr_calls_by_country_total{outbound,DE,geographic,true}":                 "1",
	}
	failed := map[string]string{
		"cdr_calls_total{outbound,byot_out,failed,sbc1.example.com,false}": "1",
		"cdr_emergency_calls_total{failed,true}":                           "1",
		"cdr_calls_by_country_total{outbound,DE,geographic,false}":         "1",
	}
	failure := map[string]string{"cdr_call_failures_total{outbound,sbc1.example.com,failed,0,560000,,unknown,false}": "1"}
	for _, c := range []struct {
		name               string
		outcome            cdr.Outcome
		further, noFailure bool
		want               []map[string]string
	}{
		{"connected", cdr.Answered, false, false, []map[string]string{charges, common, connected}},
		{"failed", cdr.Failed, false, false, []map[string]string{charges, common, failed, failure}},
		{"failed with its parent", cdr.Failed, false, true, []map[string]string{charges, common, failed}},
		{"a further view, connected", cdr.Answered, true, false, []map[string]string{charges}},
		{"a further view, failed", cdr.Failed, true, false, []map[string]string{charges}},
	} {
		t.Run(c.name, func(t *testing.T) {
			call := fullCall()
			call.Outcome, call.Further, call.NoFailure = c.outcome, c.further, c.noFailure
			want := make(map[string]string)
			for _, part := range c.want {
				maps.Copy(want, part)
			}
			if got := counted(call); !maps.Equal(got, want) {
				t.Errorf("got  %v\nwant %v", got, want)
			}
		})
	}
}

// A connected call whose duration isn't given counts as connected, and isn't one of 0 s.
func TestCountWithoutDuration(t *testing.T) {
	call := fullCall()
	call.Outcome, call.Duration, call.NoDuration = cdr.Answered, 0, true
	got := counted(call)
	for key := range got {
		if strings.HasPrefix(key, CallDuration.Name) || strings.HasPrefix(key, ConnectedSeconds.Name) {
			t.Errorf("%s is counted", key)
		}
	}
	if got["cdr_calls_total{outbound,byot_out,answered,sbc1.example.com,false}"] != "1" || got["cdr_call_setup_seconds{outbound,sbc1.example.com}"] != "1" {
		t.Errorf("counted %v", got)
	}
}

// A visit counts by queue and result, and its wait where that is known.
func TestCountVisit(t *testing.T) {
	s, f := testStore()
	changes := s.Begin(f, time.Now())
	for _, result := range cdr.QueueResults() {
		v := cdr.Visit{Queue: "support", Result: result, Wait: cdr.KnownSpan(20 * time.Second)}
		changes.addAll(CountVisit(nil, &v))
		v.Wait = cdr.Span{}
		changes.addAll(CountVisit(nil, &v))
	}
	changes.Apply(nil)
	for _, result := range cdr.QueueResults() {
		if calls := f.Totals(QueueCalls, "result")[result.String()]; calls != 2 {
			t.Errorf("%d visits are %s", calls, result)
		}
	}
	for _, family := range s.Snapshot().Families {
		for _, p := range family.Points {
			if p.Hist != nil && (p.Hist.Count != 1 || p.Hist.Buckets[3] != 1 || p.Hist.Sum != 20e6) {
				t.Errorf("%v has %+v", p.Labels.Values, p.Hist)
			}
		}
	}
}

func TestTotals(t *testing.T) {
	s, f := testStore()
	s.Reconfigure(Options{SeriesLimit: 2})
	changes := s.Begin(f, time.Now())
	for i := range 6 {
		c := fullCall()
		c.Trunk, c.Outcome = fmt.Sprint("t", i), cdr.Outcome(1+i%2)
		changes.add(c)
	}
	if got := f.Totals(Calls, "outcome"); len(got) != 0 {
		t.Errorf("before the commit: %v", got)
	}
	changes.Apply(nil)
	if got := f.Totals(Calls, "outcome"); !maps.Equal(got, map[string]int64{"answered": 3, "voicemail": 3}) {
		t.Errorf("%v", got)
	}
}
