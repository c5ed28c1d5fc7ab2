package counting

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// chargeWait is how long after its start a call's spans wait for what it cost.
const chargeWait = 24 * time.Hour

// Span is a call whose spans are wanted: one root and its children.
type Span struct {
	// Call is a call of several records, without what privacy removes; nil: it is Record, the
	// number of a record on the page, from 0.
	Call   *cdr.Record
	Record int
	// Event is the same as in the log record of that version.
	Event Event
	// Charges are the record's charges, each in the currency in which it is counted.
	Charges []cdr.Charge
	// Link is the call's record in the feed of the same source that has one of each call; zero: there is none.
	Link Link
}

// Link names a record to whose root span another span is linked. Both have the same call id.
type Link struct{ Feed, RecordID string }

// Traces says whether the calls that the page counts get spans, at once or when they have settled.
func (d *Decision) Traces() bool {
	return d.settings.Traces && (d.was.HistoryDone || d.settings.TracesHistory)
}

// addSpans asks for the spans of the calls that have settled, each once: a flag of its row says
// that they weren't made yet. It takes the highest of several versions on the page.
func (d *Decision) addSpans() {
	if !d.settings.Traces {
		return
	}
	for n := len(d.order) - 1; n >= 0 && d.err == nil; n-- {
		i := d.order[n]
		st := d.findState(&d.entries[i])
		if st == nil || flagsOf(st.Data)&rowUntraced == 0 || !d.hasSettled(&d.entries[i]) {
			continue
		}
		var counted rememberedRecord
		if d.failed(counted.parse(st.Data)) {
			return
		}
		event := Event{Name: EventCall, Version: counted.revisions + 1}
		if counted.revisions > 0 {
			event.Name = EventRevised
		}
		d.change.Spans = append(d.change.Spans, Span{
			Record: i, Event: d.identify(i, event), Charges: d.charges(d.entries[i].record, counted.charges),
			Link: d.link(d.entries[i].record),
		})
		d.setFlags(st, flagsOf(st.Data)&^rowUntraced)
	}
}

// hasSettled says whether a record has all that its spans show. No provider says that a charge will
// never come: the first read after a day takes the record as it stands.
func (d *Decision) hasSettled(e *entry) bool {
	r, s := e.record, d.settings
	switch {
	case d.isPending(r):
		return false
	case s.Grows:
		return r.Settled
	case !s.ChargesLater || s.ByArrival || !r.Outcome.Connected() || len(r.Charges) > 0:
		return true
	}
	return d.page.ObservedAt.Sub(r.Start) >= min(chargeWait, s.Lookback)
}

func (d *Decision) link(r *cdr.Record) Link {
	if d.settings.CallFeed == "" || r.CallID == "" || r.CallID == noCall {
		return Link{}
	}
	return Link{Feed: d.settings.CallFeed, RecordID: r.CallID}
}
