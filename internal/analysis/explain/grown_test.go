package explain_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestCallsThatGrew: what a call added isn't proven by its legs if one came, or changed, after it was counted. The
// ledger remembers neither its first outcome nor its first reason and times.
func TestCallsThatGrew(t *testing.T) {
	leg := func(id, trunk string, at, took time.Duration, o cdr.Outcome, code int64) *cdr.Record {
		return cdrtest.Call(id, cdrtest.Outcome(o), func(r *cdr.Record) {
			r.CallKey, r.Direction, r.Trunk = "k", cdr.Outbound, trunk
			r.Start = r.Start.Add(at)
			if r.End = r.Start.Add(took); o == cdr.Answered {
				r.Answer, r.Duration = r.Start, took
			}
			if code != 0 {
				r.SIPCode = cdr.KnownInt(code)
			}
		})
	}
	first := leg("1", "a", 0, time.Second, cdr.Failed, 503)
	failed := leg("2", "b", time.Second, time.Second, cdr.Failed, 503)
	answered := func(trunk string) *cdr.Record { return leg("2", trunk, time.Second, time.Minute, cdr.Answered, 0) }
	failsToo := leg("3", "b", 2*time.Second, time.Second, cdr.Failed, 404)
	for _, c := range []struct {
		name           string
		second, late   *cdr.Record
		selector, want string
	}{
		{"answered", failed, answered("b"), `cdr_calls_total{outcome="failed"}`, "0 false revised 1"},
		{"as a call", failed, answered("b"), `cdr_calls_total{trunk="b"}`, "1 true"},
		{"of another trunk", failed, answered("b"), `cdr_calls_total{outcome="failed",trunk="c"}`, "0 true"},
		{"as a failure", failed, answered("b"), "cdr_call_failures_total", "0 false revised 1"},
		{"by country", failed, answered("b"), `cdr_calls_by_country_total{connected="false"}`, "0 false revised 1"},
		{"as a change", failed, answered("b"), "cdr_call_outcome_changes_total", "0 false revised 1"},
		{"of another code", failed, failsToo, `cdr_call_failures_total{sip_code="503"}`, "0 false revised 1"},
		{"it fails too", failed, failsToo, `cdr_call_failures_total{outcome="failed"}`, "1 true"},
		{"over trunk c", answered("b"), answered("c"), `cdr_trunk_connected_seconds_total{trunk="b"}`, "60 true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			b.countEarlier()
			b.count(first, c.second)
			b.at = b.at.Add(2 * time.Hour)
			b.count() // the call is whole
			b.count(c.late)
			b.at = b.at.Add(2 * time.Hour)
			b.count()
			b.wants(c.selector, c.want)
		})
	}
}
