package counting_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// counting.md 36: a call of several records has the best outcome of them; how long it took is counted once, with the record that first connects it.
func TestRule36Groups(t *testing.T) {
	row := func(id string, outcome cdr.Outcome, seconds int64, after time.Duration) *cdr.Record {
		return &cdr.Record{
			ID: id, CallID: "g", CallKey: "g", Start: now.Add(-10 * 24 * time.Hour).Add(after), Outcome: outcome, Trunk: id,
			Duration: time.Duration(seconds) * time.Second,
		}
	}
	noLength := func(r *cdr.Record) *cdr.Record {
		r.NoDuration = true
		return r
	}
	const day = 24 * time.Hour
	for _, c := range []struct {
		name     string
		pages    [][]*cdr.Record
		outcomes map[string]int64
		counts   map[string]int64
	}{
		{
			"the best of a page goes first",
			[][]*cdr.Record{{row("a", cdr.NoAnswer, 0, 0), row("b", cdr.Voicemail, 7, 0), row("c", cdr.Answered, 60, 0)}},
			map[string]int64{"answered": 1},
			map[string]int64{"cdr_calls_total{unknown,,answered,c,false}": 1, "cdr_call_connected_seconds_total{unknown,,c,}": 60e6},
		},
		{
			"of equals the first stays",
			[][]*cdr.Record{{row("a", cdr.Busy, 0, 0), row("b", cdr.Failed, 0, 0)}, {row("c", cdr.NoAnswer, 0, 0)}},
			map[string]int64{"busy": 1},
			map[string]int64{"cdr_calls_total{unknown,,busy,a,false}": 1},
		},
		{
			"a better one later is an outcome change, and its minutes count",
			[][]*cdr.Record{{row("a", cdr.NoAnswer, 0, 0)}, {row("b", cdr.Answered, 60, 0)}, {row("c", cdr.Answered, 90, 0)}},
			map[string]int64{"answered": 1},
			map[string]int64{
				"cdr_calls_total{unknown,,no_answer,a,false}": 1, "cdr_call_outcome_changes_total{no_answer,answered}": 1,
				"cdr_call_connected_seconds_total{unknown,,b,}": 60e6,
			},
		},
		{
			"an answer after voicemail",
			[][]*cdr.Record{{row("a", cdr.Voicemail, 7, 0)}, {row("b", cdr.Answered, 60, 0)}},
			map[string]int64{"answered": 1},
			map[string]int64{
				"cdr_calls_total{unknown,,voicemail,a,false}": 1, "cdr_call_outcome_changes_total{voicemail,answered}": 1,
				"cdr_call_connected_seconds_total{unknown,,a,}": 7e6,
			},
		},
		{
			"a revision that connects the call",
			[][]*cdr.Record{{row("a", cdr.NoAnswer, 0, 0)}, {row("a", cdr.Answered, 60, 0)}, {row("a", cdr.Busy, 0, 0)}, {row("a", cdr.Answered, 61, 0)}},
			map[string]int64{"answered": 1},
			map[string]int64{
				"cdr_calls_total{unknown,,no_answer,a,false}": 1, "cdr_call_outcome_changes_total{no_answer,answered}": 1,
				"cdr_call_outcome_changes_total{answered,busy}": 1, "cdr_call_outcome_changes_total{busy,answered}": 1,
				"cdr_call_connected_seconds_total{unknown,,a,}": 60e6,
			},
		},
		{
			"a length that a later version is the first to say",
			[][]*cdr.Record{{noLength(row("a", cdr.Answered, 0, 0))}, {noLength(row("a", cdr.Answered, 0, 0))}, {row("a", cdr.Answered, 60, 0)}, {row("a", cdr.Answered, 61, 0)}},
			map[string]int64{"answered": 1},
			map[string]int64{"cdr_calls_total{unknown,,answered,a,false}": 1, "cdr_call_connected_seconds_total{unknown,,a,}": 60e6},
		},
		{
			"a length that comes with the answer",
			[][]*cdr.Record{{noLength(row("a", cdr.NoAnswer, 0, 0))}, {row("a", cdr.Answered, 60, 0)}, {row("a", cdr.Voicemail, 61, 0)}},
			map[string]int64{"voicemail": 1},
			map[string]int64{
				"cdr_calls_total{unknown,,no_answer,a,false}": 1, "cdr_call_outcome_changes_total{no_answer,answered}": 1,
				"cdr_call_outcome_changes_total{answered,voicemail}": 1, "cdr_call_connected_seconds_total{unknown,,a,}": 60e6,
			},
		},
		{
			"a group ends two days after its last row",
			[][]*cdr.Record{
				{row("a", cdr.Answered, 60, 0)}, {row("b", cdr.Busy, 0, 2*day)}, {row("c", cdr.Busy, 0, 4*day)}, {row("d", cdr.Busy, 0, 6*day+time.Second)},
			},
			map[string]int64{"answered": 1, "busy": 1},
			map[string]int64{
				"cdr_calls_total{unknown,,answered,a,false}": 1, "cdr_calls_total{unknown,,busy,d,false}": 1,
				"cdr_call_connected_seconds_total{unknown,,a,}": 60e6,
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(counting.Rules{ByArrival: true})
			w.settings.LateAfter = 30 * day
			s := newStore(t, w.settings, counting.State{Origin: now.Add(-30 * day), Floor: now.Add(-day)})
			for _, records := range c.pages {
				s.commit(&counting.Page{ObservedAt: now, Records: records})
			}
			if got := s.outcomes(); !maps.Equal(got, c.outcomes) {
				t.Errorf("outcomes %v, want %v", got, c.outcomes)
			}
			shown := maps.Clone(s.counts)
			maps.DeleteFunc(shown, func(name string, n int64) bool {
				return !slices.ContainsFunc([]string{"cdr_calls_total", "cdr_call_outcome_changes_total", "cdr_call_connected_seconds_total"}, func(of string) bool {
					return name[:min(len(name), len(of))] == of
				})
			})
			if !maps.Equal(shown, c.counts) {
				t.Errorf("counted %v, want %v", shown, c.counts)
			}
		})
	}
}
