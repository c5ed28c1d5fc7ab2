package counting_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// The spans of a call are wanted once, with the first version that has all that they show.
func TestSpansOnceSettled(t *testing.T) {
	const hour = time.Hour
	call := func(outcome cdr.Outcome, charges ...cdr.Charge) *cdr.Record {
		return &cdr.Record{
			ID: "a", CallID: "a", Start: now.Add(-hour), Outcome: outcome, Duration: time.Minute,
			Charges: charges,
		}
	}
	usage := cdr.Charge{Component: "usage", Currency: "USD", Amount: cents(5)}
	answered, priced, failed := call(cdr.Answered), call(cdr.Answered, usage), call(cdr.Failed)
	settled, provisional, visit := call(cdr.Answered), call(cdr.Answered), call(cdr.Answered)
	settled.Settled, settled.Version, provisional.Provisional, visit.NoCall = true, 2, true, true
	charged := counting.Rules{ChargesLater: true}
	type read struct {
		after  time.Duration // of the first read
		record *cdr.Record
		want   string // the event of the log record of the same version; empty: no span
	}
	none, arrival := counting.Rules{}, counting.Rules{ChargesLater: true, ByArrival: true}
	type reads = []read
	for _, c := range []struct {
		name  string
		rules counting.Rules
		reads reads
	}{
		{"at once", none, reads{{0, answered, "cdr.call 1"}, {hour, answered, ""}, {48 * hour, priced, ""}}},
		{"not before it is final", none, reads{{0, provisional, ""}, {hour, answered, "cdr.call 1"}}},
		{"with its charge", charged, reads{
			{0, answered, ""}, {hour, answered, ""}, {2 * hour, priced, "cdr.call.revised 2"}, {48 * hour, priced, ""},
		}},
		{"a charge that never comes", charged, reads{
			{0, answered, ""},
			{22 * hour, answered, ""},
			{23 * hour, answered, "cdr.call 1"},
			{48 * hour, answered, ""},
		}},
		{"a short lookback", charged, reads{{0, answered, ""}, {2 * hour, answered, "cdr.call 1"}}},
		{"rows that aren't read again", arrival, reads{{0, answered, "cdr.call 1"}}},
		{"no charge to wait for", charged, reads{{0, failed, "cdr.call 1"}}},
		{"parts that settle", counting.Rules{Grows: true}, reads{
			{0, answered, ""}, {hour, settled, "cdr.call 1"}, {2 * hour, settled, ""},
		}},
		{"only a visit", none, reads{{0, visit, ""}}},
		{"of the first history", charged, reads{{0, answered, ""}, {hour, priced, ""}}},
		{"of the first history, wanted", charged, reads{{0, answered, ""}, {hour, priced, "cdr.call.revised 2"}}},
		{"not wanted", none, reads{{0, answered, ""}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(c.rules)
			w.settings.TracesHistory = strings.HasSuffix(c.name, ", wanted")
			w.settings.Traces = c.name != "not wanted"
			if c.name == "a short lookback" {
				w.settings.Lookback = 3 * hour
			}
			s := newStore(t, w.settings, counting.State{
				Origin: now.Add(-48 * hour), Floor: now.Add(-48 * hour),
				HistoryDone: !strings.HasPrefix(c.name, "of the first history"),
			})
			for i, r := range c.reads {
				page := &counting.Page{ObservedAt: now.Add(r.after), Records: []*cdr.Record{r.record}}
				got := ""
				for _, span := range s.decide(page).Spans {
					got += fmt.Sprint(span.Event.Name, " ", span.Event.Version)
				}
				s.commit(page)
				if s.state.HistoryDone = true; got != r.want {
					t.Errorf("read %d asks for %q, want %q", i, got, r.want)
				}
			}
			s.settings.Traces = true // what was counted before gets none
			last := c.reads[len(c.reads)-1].record
			if s.commit(&counting.Page{ObservedAt: now.Add(49 * hour), Records: page{last}}); len(s.spans) > 1 {
				t.Errorf("spans %q", s.spans)
			}
		})
	}
}

// A root span links to the root of the call's record in another feed, if the record names it.
func TestSpanLinks(t *testing.T) {
	record := func(id, call string) *cdr.Record {
		return &cdr.Record{ID: id, CallID: call, Start: now.Add(-time.Hour), Outcome: cdr.Answered}
	}
	feed := counting.Rules{CallFeed: "call_records"}
	for _, c := range []struct {
		name   string
		rules  counting.Rules
		record *cdr.Record
		want   counting.Link
	}{
		{"no other record", counting.Rules{}, record("a", "a"), counting.Link{}},
		{"the call's record elsewhere", feed, record("b", "a"), counting.Link{Feed: "call_records", RecordID: "a"}},
		{"no call id", feed, record("b", "00000000-0000-0000-0000-000000000000"), counting.Link{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStore(t, newWorld(c.rules).settings,
				counting.State{Origin: now.Add(-48 * time.Hour), Floor: now.Add(-48 * time.Hour)})
			spans := s.decide(&counting.Page{ObservedAt: now, Records: []*cdr.Record{c.record}}).Spans
			if len(spans) != 1 || spans[0].Link != c.want {
				t.Errorf("spans %+v, want the link %+v", spans, c.want)
			}
		})
	}
}
