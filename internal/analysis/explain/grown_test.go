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
	from, to := cdrtest.Epoch.Add(-2*time.Hour), cdrtest.Epoch.Add(time.Minute)
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
	for _, c := range []struct {
		name     string
		late     *cdr.Record
		selector string
		want     string
	}{
		{
			"answered after all", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			`cdr_calls_total{outcome="failed"}`, "0 false revised 1",
		},
		{
			"answered after all, as a call", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			`cdr_calls_total{trunk="b"}`, "1 true",
		},
		{
			"answered after all, of another trunk", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			`cdr_calls_total{outcome="failed",trunk="c"}`, "0 true",
		},
		{
			"answered after all, as a failure", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			"cdr_call_failures_total", "0 false revised 1",
		},
		{
			"answered after all, by country", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			`cdr_calls_by_country_total{connected="false"}`, "0 false revised 1",
		},
		{
			"answered after all, as a change", leg("2", "b", time.Second, time.Minute, cdr.Answered, 0),
			"cdr_call_outcome_changes_total", "0 false revised 1",
		},
		{
			"a late leg has another code", leg("3", "b", 2*time.Second, time.Second, cdr.Failed, 404),
			`cdr_call_failures_total{sip_code="503"}`, "0 false revised 1",
		},
		{
			"a late leg fails too", leg("3", "b", 2*time.Second, time.Second, cdr.Failed, 404),
			`cdr_call_failures_total{outcome="failed"}`, "1 true",
		},
		{
			"over another trunk", leg("2", "c", time.Second, time.Minute, cdr.Answered, 0),
			`cdr_trunk_connected_seconds_total{trunk="b"}`, "60 true",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, counting.Rules{Legs: true})
			before := failed
			if c.name == "over another trunk" {
				before = leg("2", "b", time.Second, time.Minute, cdr.Answered, 0)
			}
			b.count(cdrtest.Call("z", cdrtest.Start(cdrtest.Epoch.Add(-5*time.Hour))))
			b.count(first, before)
			b.at = b.at.Add(2 * time.Hour)
			b.count() // the call is whole
			b.count(c.late)
			b.at = b.at.Add(2 * time.Hour)
			b.count()
			if got := textOf(b.explain(c.selector, from, to)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
