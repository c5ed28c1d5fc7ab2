package ledger

import (
	"cmp"
	"encoding/hex"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// loggedRevisions is how many revisions of one record are logged; later ones
// are only counted (counting.md 16).
const loggedRevisions = 8

// take decides what a record is: new, a repeat, a revision, too old or not
// final, and puts what follows from it into the page's work.
func (f *Feed) take(p *pageWork, e *entry, observed time.Time) error {
	p.tally.About(e.record)
	st := p.find(e)
	switch {
	case f.waits(e.record, observed):
		// Neither counted nor remembered: it is looked up again (counting.md 17).
		return nil
	case st == nil && f.tooOld(e.record):
		p.result.TooOld++
		return nil
	case st == nil:
		return f.takeNew(p, e, observed)
	}
	f.alias(p, e, st)
	if err := p.adopt(e, st); err != nil {
		return err
	}
	if sameRow(st.stored, e.row) {
		p.result.Duplicate++
		return nil
	}
	return f.takeAgain(p, e, st, observed)
}

// waits says whether a record isn't final yet, and may still become so.
func (f *Feed) waits(r *cdr.Record, observed time.Time) bool {
	return r.Provisional && observed.Sub(r.Start) <= f.spec.Lookback
}

// tooOld says whether a record starts where ids are forgotten (counting.md 5).
func (f *Feed) tooOld(r *cdr.Record) bool { return r.Start.Before(f.row.state.Floor) }

// find is what is known of a record by any of its keys.
func (p *pageWork) find(e *entry) *state {
	if st := p.states[e.hash]; st != nil {
		return st
	}
	for _, alt := range e.alts {
		if st := p.states[alt]; st != nil {
			return st
		}
	}
	return nil
}

// takeNew counts a record for the first time: as a call, or as a further record of
// one that is counted.
func (f *Feed) takeNew(p *pageWork, e *entry, observed time.Time) error {
	began := p.beganIn(e.record)
	p.moved = 0
	further, err := p.join(e, began)
	if err != nil {
		return err
	}
	delay := observed.Sub(e.record.Ended())
	call := metrics.Call{
		Record: e.record, Late: delay > f.spec.LateAfter, Currency: f.spec.Currency, Further: further,
		BypassLater: f.spec.Hourless,
	}
	var h head
	if f.spec.Parents && !e.record.Outcome.Connected() {
		h.flags |= rowFailed
		call.NoFailure = f.accounted(p, e)
	}
	if e.record.Emergency != cdr.NoEmergency && !further {
		h.flags |= rowEmergency
	}
	if further {
		h.flags |= rowFurther
		p.result.Duplicate++
	} else {
		p.newCall(e.record, delay)
		p.active(began, e.record.Outcome)
		h.counted.began = began
	}
	if e.record.Outcome.Connected() && !further || p.moved > 0 {
		h.counted.span = p.connected(e.record)
	}
	f.keep(p, e, &h)
	p.sources = append(p.sources, e)
	p.tally.From(len(p.sources))
	p.tally.Count(&call)
	f.log(p, e, &RecordEvent{Name: "cdr.call", Version: 1, Observed: observed})
	return nil
}

// newCall takes note of a new call in the page's result and the feed's state.
func (p *pageWork) newCall(r *cdr.Record, delay time.Duration) {
	p.result.New++
	p.result.Delays = append(p.result.Delays, delay)
	p.next.Records++
	if r.Start.After(p.next.NewestCall) {
		p.next.NewestCall = r.Start
	}
}

// keep remembers a new record under all its keys.
func (f *Feed) keep(p *pageWork, e *entry, h *head) {
	st := p.newState()
	st.hour, st.hash = e.hour, e.hash
	st.stored = append(h.append(st.stored), bodyOf(e.row)...)
	p.states[e.hash] = st
	p.touch(st)
	f.alias(p, e, st)
}

// alias remembers the keys of a record under which it isn't known yet: in the hour of
// this version's start or, without hours, beside the record, which they lead to.
func (f *Feed) alias(p *pageWork, e *entry, st *state) {
	at := e.hour
	if f.spec.Hourless {
		at = st.hour
	}
	for i := -1; i < len(e.alts); i++ {
		h := e.hash
		if i >= 0 {
			h = e.alts[i]
		}
		if p.states[h] != nil {
			continue
		}
		p.states[h] = st
		from := len(p.arena)
		p.arena = appendAlias(p.arena, st.hour, st.hash)
		p.writes = append(p.writes, idWrite{hour: at, hash: h, data: p.arena[from:len(p.arena):len(p.arena)]})
	}
}

// takeAgain compares a record with what is known of it and counts what changed.
func (f *Feed) takeAgain(p *pageWork, e *entry, st *state, observed time.Time) error {
	var old known
	if err := old.parse(st.stored); err != nil {
		return err
	}
	r := e.record
	if r.Version > 0 && old.version > 0 && r.Version <= old.version {
		p.result.Duplicate++
		return nil
	}
	p.moved = 0
	changed, err := f.countChanges(p, &old, e)
	if err != nil {
		return err
	}
	p.reconnected(&old, e)
	if old.schema == fieldSchema {
		changed = append(changed, changedFields(f.spec.Provider, old.fields, e.fields, r)...)
		old.fields = mergeFields(old.fields, e.fields)
	} else {
		old.schema, old.fields = fieldSchema, e.fields
	}
	old.version = max(old.version, r.Version)
	if len(changed) == 0 {
		p.result.Duplicate++
	} else {
		p.result.Revised++
		old.revisions = min(old.revisions+1, maxRevisions)
		if old.revisions <= loggedRevisions {
			f.log(p, e, &RecordEvent{Name: "cdr.call.revised", Version: old.revisions + 1, Changed: changed, Observed: observed})
		}
	}
	p.restore(st, &old)
	return nil
}

// restore writes a record's state anew if that changes anything.
func (p *pageWork) restore(st *state, now *known) {
	from := len(p.arena)
	p.arena = now.append(p.arena)
	if row := p.arena[from:]; string(row) != string(st.stored) {
		st.stored = append(st.stored[:0], row...)
		p.touch(st)
	}
}

// countChanges counts a changed outcome and changed money, names them, and
// brings old up to date. The labels stay those of the first version.
func (f *Feed) countChanges(p *pageWork, old *known, e *entry) ([]string, error) {
	var changed []string
	r := e.record
	// Without a duration, not connected is no news.
	if said := !r.NoDuration || r.Outcome != cdr.NotConnected; said && old.outcome != r.Outcome {
		if err := p.changeOutcome(e, old); err != nil {
			return nil, err
		}
		old.outcome = r.Outcome
		changed = append(changed, "cdr.outcome")
	}
	money := false
	for i := range r.Charges {
		money = f.countCharge(p, old, &r.Charges[i]) || money
	}
	if money {
		changed = append(changed, "cdr.charge")
	}
	return changed, nil
}

// countCharge counts what became of one component's amount and says whether it
// changed. An amount that wasn't known before is a charge, a zero included in
// what is remembered; a changed currency credits the old and debits the new. A
// version that says no currency changes none.
func (f *Feed) countCharge(p *pageWork, old *known, c *cdr.Charge) bool {
	labels := metrics.ChargeLabels{Direction: old.direction, CallType: old.callType, Country: old.country}
	for i := range old.charges {
		was := &old.charges[i]
		if was.component != c.Component {
			continue
		}
		currency := cmp.Or(c.Currency, was.currency)
		if was.currency == currency {
			if was.amount.Equal(&c.Amount) {
				return false
			}
			difference := c.Amount.Sub(&was.amount)
			p.tally.Correct(labels, c.Component, currency, &difference)
		} else {
			back := was.amount.Neg()
			p.tally.Correct(labels, c.Component, was.currency, &back)
			p.tally.Correct(labels, c.Component, currency, &c.Amount)
		}
		was.currency, was.amount = currency, c.Amount
		return true
	}
	currency := cmp.Or(c.Currency, f.spec.Currency)
	p.tally.Charge(labels, c.Component, currency, &c.Amount)
	old.charges = append(old.charges, knownCharge{component: c.Component, currency: currency, amount: c.Amount})
	return c.Amount.Sign() != 0
}

// log adds a log record to the page's batch, redacted. What is to be known of the
// record's personal data must be by then.
func (f *Feed) log(p *pageWork, e *entry, event *RecordEvent) {
	l := f.ledger
	if l.tuning.Encoder == nil {
		return
	}
	if l.outbox.full() {
		p.result.SkippedLogs++
		return
	}
	f.name(e, event)
	p.logs.add(l.tuning.Encoder, e.record, event)
}

// name says in an event which record it is of, and redacts the record.
func (f *Feed) name(e *entry, event *RecordEvent) {
	event.Source, event.Provider, event.Feed = f.spec.Source, f.spec.Provider, f.spec.Feed
	event.RecordID = e.record.ID
	if event.RecordID == "" {
		event.RecordID = hex.EncodeToString(e.hash[:])
	}
	if !e.redacted {
		e.redacted = true
		f.ledger.redactor.Redact(e.record)
	}
}

// identify is the identity of the first log record of a new record of the page.
func (f *Feed) identify(e *entry) (traceID [16]byte, uid [32]byte) {
	event := RecordEvent{Name: "cdr.call", Version: 1}
	f.name(e, &event)
	return event.TraceID(e.record.CallID), event.UID("")
}

// takeSetAside counts rows that are invalid or no calls, once each by content
// (counting.md 14).
func (f *Feed) takeSetAside(p *pageWork, page *Page) error {
	invalid, err := f.newRows(p, page.Invalid, page.ObservedAt)
	if err != nil {
		return err
	}
	ignored, err := f.newRows(p, page.Ignored, page.ObservedAt)
	if err != nil {
		return err
	}
	p.result.BadRows, p.result.Invalid, p.result.Ignored = invalid, len(invalid), len(ignored)
	return nil
}

// newRows are the rows that weren't known by their content.
func (f *Feed) newRows(p *pageWork, rows []BadRow, observed time.Time) ([]BadRow, error) {
	var fresh []BadRow
	for _, row := range rows {
		h := f.ledger.hasher.of(kindSetAside, string(row.Content))
		isNew, err := f.once(p, setAsideHour, h, observed)
		if err != nil {
			return nil, err
		}
		if isNew {
			row.Content = nil
			fresh = append(fresh, row)
		}
	}
	return fresh, nil
}

// takeRecordings counts the recordings of all records of the page that are known now,
// once each by id, in whichever version and of whichever record they appear
// (counting.md 14).
func (f *Feed) takeRecordings(p *pageWork) {
	for i := range p.entries {
		r := p.entries[i].record
		if len(r.Recordings) == 0 || p.find(&p.entries[i]) == nil {
			continue
		}
		p.tally.About(r)
		for _, rec := range r.Recordings {
			if p.remember(spanOf(r.Start), f.ledger.hasher.of(kindRecording, rec.ID), r.Start) {
				p.tally.Recording(rec.Type)
			}
		}
	}
}
