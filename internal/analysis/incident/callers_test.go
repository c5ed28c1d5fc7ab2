package incident

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/history"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestChargesOfCallers: what the calls of a caller cost has the first one's charges too, although they are counted
// before the call itself: with its row, and with its leg before its call has settled.
func TestChargesOfCallers(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	outbound := func(id string, outcome cdr.Outcome, amount string) *cdr.Record {
		money, err := cdr.ParseMoney(amount)
		require.NoError(t, err)
		return &cdr.Record{
			ID: id, CallKey: id, Direction: cdr.Outbound, Outcome: outcome, Duration: 90 * time.Second, Start: start,
			CallerNumber: "+4930123456", CalleeNumber: "+37120000000", Country: "LV",
			Charges: []cdr.Charge{{Component: "usage", Currency: "USD", Amount: money}},
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
			hasher, err := counting.NewHasher(strings.Repeat("ab", 32))
			require.NoError(t, err)
			decision, read := counting.NewDecision(), start.Add(time.Hour)
			page := &counting.Page{
				Records: c.records, ObservedAt: read,
				Position: &counting.Position{Read: &counting.Read{Began: read}},
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
			got := finder.longestCallers()
			if len(got) != 1 || got[0].Charges != c.want || got[0].Connected == 0 {
				t.Errorf("got %+v", got)
			}
		})
	}
}
