package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestAttempts: a ticket is about a carrier's attempts: outbound legs, also of calls that
// another carrier took, and inbound calls.
func TestAttempts(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	out := func(id, trunk string, outcome cdr.Outcome) *cdr.Record {
		return &cdr.Record{ID: id, CallKey: "g", Direction: cdr.Outbound, Trunk: trunk, Outcome: outcome, Start: start}
	}
	on := func(channel string, r *cdr.Record) *cdr.Record { r.Channel = channel; return r }
	inbound := func(id, trunk string, outcome cdr.Outcome) *cdr.Record {
		return &cdr.Record{ID: id, CallKey: "g", Direction: cdr.Inbound, Trunk: trunk, Outcome: outcome, Start: start}
	}
	refused, taken := out("1", "a", cdr.Failed), out("2", "b", cdr.Answered)
	challenged, own := out("3", "a", cdr.Unknown), out("4", "a", cdr.Answered)
	challenged.NoOutcome, own.Party = true, cdr.Own
	lists := out("5", "a", cdr.Failed)
	lists.Legs = []cdr.Leg{taken.Leg(), refused.Leg()}
	for name, c := range map[string]struct {
		legs []*cdr.Record
		want []string
	}{
		"another carrier takes the call": {
			[]*cdr.Record{refused, taken},
			[]string{"a outbound: 1 attempts, 0 connected, 1 failed", "b outbound: 1 attempts, 1 connected, 0 failed"},
		},
		"one leg":                  {[]*cdr.Record{refused}, []string{"a outbound: 1 attempts, 0 connected, 1 failed"}},
		"a record that lists legs": {[]*cdr.Record{lists}, []string{"a outbound: 1 attempts, 0 connected, 1 failed"}},
		"a challenge and the caller's own phone aren't attempts": {
			[]*cdr.Record{challenged, own, refused},
			[]string{"a outbound: 1 attempts, 0 connected, 1 failed"},
		},
		"legs on one channel": {
			[]*cdr.Record{
				on("c", out("1", "a", cdr.Answered)), on("c", out("2", "a", cdr.Answered)),
				on("d", out("3", "a", cdr.Busy)),
			},
			[]string{"a outbound: 2 attempts, 1 connected, 0 failed"},
		},
		"a ring group": {
			[]*cdr.Record{
				inbound("i", "a", cdr.NoAnswer), inbound("j", "a", cdr.NoAnswer), inbound("k", "a", cdr.Machine),
			},
			[]string{"a inbound: 1 attempts, 1 connected, 0 failed"},
		},
		"a call that is forwarded": {
			[]*cdr.Record{inbound("i", "a", cdr.NoAnswer), taken},
			[]string{"a inbound: 1 attempts, 1 connected, 0 failed", "b outbound: 1 attempts, 1 connected, 0 failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			finder := New(Settings{Redactor: &cdr.Redactor{}})
			feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{
				Name: "cdr", Rules: collector.Rules{Legs: true}, Properties: collector.FeedProperties{Reasons: true},
			}}
			hasher, err := counting.NewHasher(strings.Repeat("ab", 32))
			if err != nil {
				t.Fatal(err)
			}
			decision, read := counting.NewDecision(), start.Add(time.Hour)
			page := &counting.Page{
				Records: c.legs, ObservedAt: read, Position: &counting.Position{Read: &counting.Read{Began: read}},
			}
			known, settings := &counting.Known{}, &counting.Settings{Rules: feed.Info.Rules}
			for keys := decision.Keys(page, settings, &hasher); keys != nil; keys = decision.More(known) {
				known.IDs = append(known.IDs, make([]counting.Stored, len(keys.IDs))...)
			}
			change, err := decision.Decide(known)
			if err != nil {
				t.Fatal(err)
			}
			for i := range change.Facts {
				finder.Add(feed, &change.Facts[i])
			}
			var got []string
			for _, line := range slices.SortedFunc(maps.Keys(finder.calls),
				func(a, b Line) int { return strings.Compare(a.Trunk, b.Trunk) }) {
				l := newLineCalls(line, finder.calls[line])
				got = append(got, fmt.Sprintf("%s %s: %d attempts, %d connected, %d failed", line.Trunk, line.Direction,
					l.attempts, l.connected, len(l.failures)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
