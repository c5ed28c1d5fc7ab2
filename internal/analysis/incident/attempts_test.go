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
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// addCounted gives a finder what is counted of a page of records, an hour after they started.
func addCounted(t *testing.T, finder *Finder, feed *history.Feed, records []*cdr.Record) {
	t.Helper()
	hasher, err := counting.NewHasher(strings.Repeat("ab", 32))
	require.NoError(t, err)
	decision, read := counting.NewDecision(), records[0].Start.Add(time.Hour)
	page := &counting.Page{
		Records: records, ObservedAt: read, Position: &counting.Position{Read: &counting.Read{Began: read}},
	}
	known, settings := &counting.Known{}, &counting.Settings{Rules: feed.Info.Rules}
	for keys := decision.Keys(page, settings, &hasher); keys != nil; keys = decision.More(known) {
		known.IDs = append(known.IDs, make([]counting.Stored, len(keys.IDs))...)
	}
	change, err := decision.Decide(known)
	require.NoError(t, err)
	for i := range change.Facts {
		finder.Add(feed, &change.Facts[i])
	}
}

// TestAttempts: a ticket is about a carrier's attempts: outbound legs, also of calls that
// another carrier took, and inbound calls.
func TestAttempts(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	leg := func(direction cdr.Direction, id, trunk string, outcome cdr.Outcome) *cdr.Record {
		return &cdr.Record{ID: id, CallKey: "g", Direction: direction, Trunk: trunk, Outcome: outcome, Start: start}
	}
	out := func(id, trunk string, outcome cdr.Outcome) *cdr.Record { return leg(cdr.Outbound, id, trunk, outcome) }
	in := func(id string, outcome cdr.Outcome) *cdr.Record { return leg(cdr.Inbound, id, "a", outcome) }
	on := func(channel string, r *cdr.Record) *cdr.Record { r.Channel = channel; return r }
	refused, taken := out("1", "a", cdr.Failed), out("2", "b", cdr.Answered)
	challenged, own := out("3", "a", cdr.Unknown), out("4", "a", cdr.Answered)
	challenged.NoOutcome, own.Party = true, cdr.Own
	lists := out("5", "a", cdr.Failed)
	lists.Legs = []cdr.Leg{taken.Leg(), refused.Leg()}
	type legs = []*cdr.Record
	// want has attempts, connected and failed.
	for name, c := range map[string]struct {
		legs legs
		want string
	}{
		"another carrier takes the call": {legs{refused, taken}, "a outbound: 1 0 1, b outbound: 1 1 0"},
		"one leg":                        {legs{refused}, "a outbound: 1 0 1"},
		"a record that lists legs":       {legs{lists}, "a outbound: 1 0 1"},
		"a challenge and the caller's own phone aren't attempts": {
			legs{challenged, own, refused}, "a outbound: 1 0 1",
		},
		"legs on one channel": {
			legs{
				on("c", out("1", "a", cdr.Answered)), on("c", out("2", "a", cdr.Answered)),
				on("d", out("3", "a", cdr.Busy)),
			},
			"a outbound: 2 1 0",
		},
		"a ring group": {
			legs{in("i", cdr.NoAnswer), in("j", cdr.NoAnswer), in("k", cdr.Machine)}, "a inbound: 1 1 0",
		},
		"a call that is forwarded": {legs{in("i", cdr.NoAnswer), taken}, "a inbound: 1 1 0, b outbound: 1 1 0"},
	} {
		t.Run(name, func(t *testing.T) {
			finder := New(Settings{Redactor: &cdr.Redactor{}})
			feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{
				Name: "cdr", Rules: collector.Rules{Legs: true}, Properties: collector.FeedProperties{Reasons: true},
			}}
			addCounted(t, finder, feed, c.legs)
			var got []string
			for _, line := range slices.SortedFunc(maps.Keys(finder.calls),
				func(a, b Line) int { return strings.Compare(a.Trunk, b.Trunk) }) {
				l := newLineCalls(line, finder.calls[line])
				got = append(got, fmt.Sprintf("%s %s: %d %d %d", line.Trunk, line.Direction, l.attempts, l.connected,
					len(l.failures)))
			}
			if strings.Join(got, ", ") != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// TestCallersOfChanges: a call that a later row or version connects is one of its caller's, with its minutes.
func TestCallersOfChanges(t *testing.T) {
	r := &cdr.Record{
		ID: "b", CallKey: "g", Direction: cdr.Outbound, Outcome: cdr.Answered, Duration: 90 * time.Second,
		CallerNumber: "+4930123456", CalleeNumber: "+37120000000", Country: "LV",
	}
	finder := New(Settings{Callers: true, Redactor: cdr.NewRedactor(cdr.Policy{Numbers: cdr.Keep}, nil)})
	feed := &history.Feed{Source: "pbx", Info: &collector.FeedInfo{Name: "cdr"}}
	change := facts.Fact{Kind: facts.OutcomeChange, Record: r, From: cdr.NoAnswer, To: cdr.Answered}
	all := facts.AppendConnected([]facts.Fact{change}, r)
	for i := range all {
		finder.Add(feed, &all[i])
	}
	got := finder.longestCallers()
	if len(got) != 1 || got[0].Caller != "+4930123456" || got[0].Connected != 1 || got[0].Minutes != "1.500000" {
		t.Errorf("got %+v", got)
	}
}

// TestChargesOfCallers: what the calls of a caller cost has the first one's charges too, although they are counted
// before the call itself: with its row, and with its leg before its call has settled.
func TestChargesOfCallers(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	outbound := func(id string, outcome cdr.Outcome, amount string) *cdr.Record {
		return &cdr.Record{
			ID: id, CallKey: id, Direction: cdr.Outbound, Outcome: outcome, Duration: 90 * time.Second, Start: start,
			CallerNumber: "+4930123456", CalleeNumber: "+37120000000", Country: "LV",
			Charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: cdrtest.Money(t, amount)}},
		}
	}
	one, two := outbound("a", cdr.Answered, "1.5"), outbound("b", cdr.Answered, "2")
	failed := outbound("c", cdr.Busy, "3")
	failed.CallerNumber = "+4930999999"
	// Twilio: the leg of a softphone, and the one that it dials with a number of the account.
	softphone, dialled := outbound("p", cdr.Answered, "0.5"), outbound("q", cdr.Answered, "2")
	softphone.CallKey, softphone.Direction = "g", cdr.Internal
	softphone.CallerNumber, softphone.Country = "client:ann", ""
	dialled.CallKey, dialled.Start = "g", start.Add(time.Second)
	unpriced := outbound("v", cdr.Answered, "0")
	unpriced.Charges, unpriced.Version = nil, 1
	priced := outbound("v", cdr.Answered, "2")
	priced.Version = 2
	for name, c := range map[string]struct {
		legs    bool
		records []*cdr.Record
		want    string
	}{
		"one call":                {false, []*cdr.Record{one}, "1.5 USD"},
		"two calls":               {false, []*cdr.Record{one, two}, "3.5 USD"},
		"a call of one leg":       {true, []*cdr.Record{one}, "1.5 USD"},
		"two calls of legs":       {true, []*cdr.Record{one, two}, "3.5 USD"},
		"of another's caller":     {false, []*cdr.Record{failed, one}, "1.5 USD"},
		"a later price of a leg":  {true, []*cdr.Record{unpriced, priced}, "2 USD"},
		"a later price of a call": {false, []*cdr.Record{unpriced, priced}, "2 USD"},
		"legs of two callers":     {true, []*cdr.Record{softphone, dialled}, "2.5 USD"},
	} {
		t.Run(name, func(t *testing.T) {
			finder := New(Settings{Callers: true, Redactor: cdr.NewRedactor(cdr.Policy{Numbers: cdr.Keep}, nil)})
			info := &collector.FeedInfo{Name: "f", Rules: collector.Rules{Legs: c.legs}}
			feed := &history.Feed{Source: "s", Info: info}
			addCounted(t, finder, feed, c.records)
			got := finder.longestCallers()
			if len(got) != 1 || got[0].Charges != c.want || got[0].Connected == 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
