package counting_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A visit counts once, with the first final version of its row. It isn't counted as a call, and groups
// and outcomes don't matter.
func TestVisits(t *testing.T) {
	waited := func(seconds int64) cdr.Length { return cdr.KnownLength(time.Duration(seconds) * time.Second) }
	row := func(id string, v ...cdr.Visit) *cdr.Record {
		return &cdr.Record{ID: id, CallID: id, Start: now.Add(-time.Hour), NoCall: true, Visits: v}
	}
	call := func(id, group string, outcome cdr.Outcome, v ...cdr.Visit) *cdr.Record {
		r := row(id, v...)
		r.NoCall, r.CallKey, r.Outcome = false, group, outcome
		return r
	}
	abandoned := cdr.Visit{Queue: "support", Result: cdr.QueueAbandoned, Wait: waited(42)}
	answered := cdr.Visit{Queue: "support", Result: cdr.QueueAnswered}
	impossible, nowhere := answered, cdr.Visit{Wait: waited(0)}
	impossible.Wait = waited(-1)
	const (
		ofAbandoned = "cdr_queue_calls_total{support,abandoned}"
		ofAnswered  = "cdr_queue_calls_total{support,answered}"
		waits       = "cdr_queue_wait_seconds{support,abandoned}"
		ofCalls     = "cdr_calls_total{unknown,,answered,,false}"
	)
	late, settles := counting.Rules{ByArrival: true}, counting.Rules{Grows: true}
	type counts = map[string]int64
	for _, c := range []struct {
		name  string
		rules counting.Rules
		pages []page
		want  counts
		calls uint64
		logs  string
	}{
		{"only a visit", late, []page{{row("a", abandoned)}}, counts{ofAbandoned: 1, waits: 1}, 0, "cdr.queue_visit a"},
		{
			"read again, also with another result", late,
			[]page{{row("a", abandoned), row("a", abandoned)}, {row("a", abandoned)}, {row("a", answered)}},
			counts{ofAbandoned: 1, waits: 1},
			0, "cdr.queue_visit a",
		},
		{
			"a wait that isn't known, or can't be", late,
			[]page{{row("a", answered), row("b", impossible), row("c", nowhere)}},
			counts{ofAnswered: 2, "cdr_queue_calls_total{,other}": 1, "cdr_queue_wait_seconds{,other}": 1},
			0,
			"cdr.queue_visit a, cdr.queue_visit b, cdr.queue_visit c",
		},
		{"too old", late, []page{{changed(row("a", abandoned), start(now.AddDate(0, 0, -40)))}}, counts{}, 0, ""},
		{
			"not final yet",
			counting.Rules{},
			[]page{{changed(row("a", answered), provisional)}, {row("a", abandoned)}},
			counts{ofAbandoned: 1, waits: 1},
			0, "cdr.queue_visit a",
		},
		{
			"of a call and of a late leg of it", late,
			[]page{
				{call("a", "g", cdr.Answered, abandoned)},
				{call("b", "g", cdr.Busy, answered), call("c", "g", cdr.Busy)},
			},
			counts{ofCalls: 1, ofAbandoned: 1, waits: 1, ofAnswered: 1},
			1,
			"cdr.queue_visit a, cdr.call a, cdr.call.leg b, cdr.queue_visit b, cdr.call.leg c",
		},
		{
			"a revision of its call", late,
			[]page{{call("a", "", cdr.Busy, abandoned)}, {call("a", "", cdr.Answered, answered)}},
			counts{
				"cdr_calls_total{unknown,,busy,,false}": 1, "cdr_call_outcome_changes_total{busy,answered}": 1,
				ofAbandoned: 1, waits: 1,
			},
			1, "cdr.call a, cdr.queue_visit a, cdr.call.revised a",
		},
		{
			"several of a call, when it has settled", settles,
			[]page{
				{call("a", "", cdr.Answered, answered)},
				{changed(call("a", "", cdr.Answered, abandoned, answered), settled)},
				{changed(call("a", "", cdr.Answered, answered), settled)},
			},
			counts{ofCalls: 1, ofAbandoned: 1, waits: 1, ofAnswered: 1},
			1,
			"cdr.call a, cdr.queue_visit a, cdr.queue_visit a",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rules.Legs = true
			settings := counting.Settings{
				Rules: c.rules, Source: "s", Provider: "p", Feed: "f",
				Lookback: 48 * time.Hour, LateAfter: 2 * time.Hour,
			}
			s := newStore(t, settings, counting.State{
				Origin: now.Add(-30 * 24 * time.Hour),
				Floor:  now.Add(-30 * 24 * time.Hour),
			})
			for _, records := range c.pages {
				page := &counting.Page{ObservedAt: now, Records: records}
				s.decide(page) // a transaction that is done again
				s.commit(page)
			}
			maps.DeleteFunc(s.counts, func(key string, _ int64) bool {
				return c.want[key] == 0 && !ofVisitsOrCalls.MatchString(key)
			})
			if !maps.Equal(s.counts, c.want) || s.state.Calls != c.calls || strings.Join(s.logs, ", ") != c.logs {
				t.Errorf("counted %v, %d calls, logged %q", s.counts, s.state.Calls, s.logs)
			}
			if uint64(s.recent) > c.calls || len(s.edges) > int(c.calls) {
				t.Errorf("trailing windows have %d calls, %v", s.recent, s.edges)
			}
		})
	}
}

var ofVisitsOrCalls = regexp.MustCompile(`^cdr_(queue_|calls_total|call_outcome_changes_total)`)

// The newest visit moves the time of the newest record. A check of the ledger doesn't take its row for
// a call.
func TestVisitIsNoCall(t *testing.T) {
	s := newStore(t, counting.Settings{Source: "s", Provider: "p", Feed: "f", LateAfter: time.Hour}, counting.State{})
	joined := now.Add(-time.Minute)
	result := s.commit(&counting.Page{ObservedAt: now, Records: []*cdr.Record{
		{ID: "a", Start: joined, NoCall: true, Visits: []cdr.Visit{{Wait: cdr.KnownLength(20 * time.Second)}}},
	}})
	if !s.state.NewestCall.Equal(joined) || result.New != 1 || len(result.Delays) != 1 ||
		result.Delays[0] != 40*time.Second {
		t.Errorf("the newest is of %s, %+v", s.state.NewestCall, result)
	}
	for place, data := range s.ids {
		if stored := (counting.Stored{Place: place, Data: data}); stored.IsCall() || stored.Check() != nil {
			t.Errorf("%v is a call: %t, %v", place, stored.IsCall(), stored.Check())
		}
	}
}
