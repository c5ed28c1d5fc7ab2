package counting

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// decideVisit counts a record of a visit to a queue alone. It isn't a call: calls and trailing windows
// don't see it. The first final version decides, so a later one changes nothing.
func (d *Decision) decideVisit(i int) {
	e, result := &d.entries[i], &d.change.Result
	result.New++
	delay := d.delay(e.record)
	result.Delays = append(result.Delays, delay)
	d.note(facts.Fact{Kind: facts.Record, Record: e.record, Late: delay > d.settings.LateAfter})
	d.noteNewest(e.record)
	st := d.newState(Place{d.bucketFor(e.record.Start), d.newKey(e)})
	h := head{flags: rowVisit}
	d.keepState(st, func(dst []byte) []byte { return append(h.append(dst), e.body...) })
	d.addAliases(e, st)
	d.addVisits(i)
}

// addVisits counts the visits of a record, each with its log record. It is called once for a record.
func (d *Decision) addVisits(i int) {
	r := d.entries[i].record
	for n := range r.Visits {
		d.note(facts.Fact{Kind: facts.Visit, Record: r, Part: n})
		d.addLog(i, n, Event{Name: EventVisit, Version: 1})
	}
}

// noteNewest moves the start of the newest record on.
func (d *Decision) noteNewest(r *cdr.Record) {
	if r.Start.After(d.change.State.NewestCall) && !d.isAhead(r) {
		d.change.State.NewestCall = r.Start
	}
}
