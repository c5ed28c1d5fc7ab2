package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/history"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// TestIncidentAttempts: a ticket is about a carrier's attempts: outbound legs, also of calls that another carrier took, and inbound calls.
func TestIncidentAttempts(t *testing.T) {
	out := func(id, trunk string, outcome cdr.Outcome) *cdr.Record {
		return &cdr.Record{ID: id, CallKey: "g", Direction: cdr.Outbound, Trunk: trunk, Outcome: outcome, Start: time.Unix(100, 0)}
	}
	on := func(channel string, r *cdr.Record) *cdr.Record { r.Channel = channel; return r }
	call := func(r *cdr.Record, legs ...*cdr.Record) *cdr.Record {
		for _, l := range legs {
			r.Legs = append(r.Legs, l.Leg())
		}
		return r
	}
	inbound := func(trunk string, outcome cdr.Outcome) *cdr.Record {
		return &cdr.Record{ID: "i", CallKey: "h", Direction: cdr.Inbound, Trunk: trunk, Outcome: outcome}
	}
	refused, taken := out("1", "a", cdr.Failed), out("2", "b", cdr.Answered)
	challenged, own := out("3", "a", cdr.Unknown), out("4", "a", cdr.Answered)
	challenged.NoOutcome, own.Party = true, cdr.Own
	for name, c := range map[string]struct {
		legs []*cdr.Record
		call *cdr.Record
		want []string
	}{
		"another carrier takes the call": {
			[]*cdr.Record{refused, taken},
			call(out("1", "b", cdr.Answered), refused, taken),
			[]string{"a outbound: 1 attempts, 0 connected, 1 failed", "b outbound: 1 attempts, 1 connected, 0 failed"},
		},
		"one leg": {[]*cdr.Record{refused}, refused, []string{"a outbound: 1 attempts, 0 connected, 1 failed"}},
		"a leg that lists itself": {
			[]*cdr.Record{call(out("1", "a", cdr.Failed), refused)}, refused, []string{"a outbound: 1 attempts, 0 connected, 1 failed"},
		},
		"a challenge and the caller's own phone aren't attempts": {
			[]*cdr.Record{challenged, own, refused},
			call(out("3", "a", cdr.Failed), challenged, own, refused),
			[]string{"a outbound: 1 attempts, 0 connected, 1 failed"},
		},
		"legs on one channel": {
			[]*cdr.Record{on("c", out("1", "a", cdr.Answered)), on("c", out("2", "a", cdr.Answered)), on("d", out("3", "a", cdr.Busy))},
			call(out("1", "a", cdr.Answered), taken, taken, taken),
			[]string{"a outbound: 2 attempts, 1 connected, 0 failed"},
		},
		"a ring group": {
			[]*cdr.Record{inbound("a", cdr.NoAnswer), inbound("a", cdr.NoAnswer), inbound("a", cdr.Machine)},
			call(inbound("a", cdr.Machine), taken, taken),
			[]string{"a inbound: 1 attempts, 1 connected, 0 failed"},
		},
		"a call that is forwarded": {
			[]*cdr.Record{inbound("a", cdr.NoAnswer), taken},
			call(inbound("a", cdr.Answered), taken, taken),
			[]string{"a inbound: 1 attempts, 1 connected, 0 failed", "b outbound: 1 attempts, 1 connected, 0 failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := &incident{
				calls: make(map[callLine][]incidentCall), channels: make(map[[4]string]bool), redactor: &cdr.Redactor{},
			}
			feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{
				Name: "cdr", Rules: collector.Rules{Legs: true}, Properties: collector.FeedProperties{Reasons: true},
			}}
			add := func(r *cdr.Record, deltas []metrics.Delta) {
				for i := range deltas {
					k.add(feed, r, &deltas[i])
				}
			}
			for _, leg := range c.legs {
				add(leg, metrics.CountLegs(nil, leg))
			}
			add(c.call, metrics.CountCall(nil, c.call, metrics.Context{}))
			var got []string
			for _, line := range slices.SortedFunc(maps.Keys(k.calls), func(a, b callLine) int { return strings.Compare(a.Trunk, b.Trunk) }) {
				l := newLineReport(line, k.calls[line])
				got = append(got, fmt.Sprintf("%s %s: %d attempts, %d connected, %d failed", line.Trunk, line.Direction, l.attempts, l.connected, len(l.failures)))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
