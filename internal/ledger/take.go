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
	st := p.find(e)
	switch {
	case e.record.Provisional && observed.Sub(e.record.Start) <= f.spec.Lookback:
		// Neither counted nor remembered: it is looked up again (counting.md 17).
		return nil
	case st == nil && e.record.Start.Before(f.row.state.Floor):
		p.result.TooOld++
		return nil
	case st == nil:
		f.takeNew(p, e, observed)
		return nil
	}
	p.alias(e, st)
	if sameRow(st.stored, e.row) {
		p.result.Duplicate++
		return nil
	}
	return f.takeAgain(p, e, st, observed)
}

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

// takeNew counts a record for the first time.
func (f *Feed) takeNew(p *pageWork, e *entry, observed time.Time) {
	r := e.record
	st := p.newState()
	st.hour, st.hash, st.dirty = e.hour, e.hash, true
	st.stored = append(st.stored, e.row...)
	p.states[e.hash] = st
	p.writes = append(p.writes, idWrite{hour: st.hour, hash: st.hash, st: st})
	p.alias(e, st)

	delay := observed.Sub(r.Ended())
	p.result.New++
	p.result.Delays = append(p.result.Delays, delay)
	p.tally.Count(&metrics.Call{Record: r, Late: delay > f.spec.LateAfter, Currency: f.spec.Currency})
	p.next.Records++
	if r.Start.After(p.next.NewestCall) {
		p.next.NewestCall = r.Start
	}
	f.log(p, e, &RecordEvent{Name: "cdr.call", Version: 1, Observed: observed})
}

// alias remembers the keys of a record under which it isn't known yet.
func (p *pageWork) alias(e *entry, st *state) {
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
		p.writes = append(p.writes, idWrite{hour: e.hour, hash: h, data: p.arena[from:len(p.arena):len(p.arena)]})
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
	changed := f.countChanges(p, &old, r)
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
		if !st.dirty {
			st.dirty = true
			p.writes = append(p.writes, idWrite{hour: st.hour, hash: st.hash, st: st})
		}
	}
}

// countChanges counts a changed outcome and changed money, names them, and
// brings old up to date. The labels stay those of the first version.
func (f *Feed) countChanges(p *pageWork, old *known, r *cdr.Record) []string {
	var changed []string
	// Without a duration, not connected is no news.
	if said := !r.NoDuration || r.Outcome != cdr.NotConnected; said && old.outcome != r.Outcome {
		p.tally.ChangeOutcome(old.outcome, r.Outcome)
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
	return changed
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

// log adds a log record to the page's batch, redacted. It is the last to touch
// the record.
func (f *Feed) log(p *pageWork, e *entry, event *RecordEvent) {
	l := f.ledger
	if l.tuning.Encoder == nil {
		return
	}
	if l.outbox.full(&l.tuning) {
		p.result.SkippedLogs++
		return
	}
	event.Source, event.Provider, event.Feed = f.spec.Source, f.spec.Provider, f.spec.Feed
	event.RecordID = e.record.ID
	if event.RecordID == "" {
		event.RecordID = hex.EncodeToString(e.hash[:])
	}
	l.redactor.Redact(e.record)
	p.logs.add(l.tuning.Encoder, e.record, event)
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

// takeRecordings counts the recordings of all records of the page, once each by
// id, in whichever version they appear (counting.md 14).
func (f *Feed) takeRecordings(p *pageWork) error {
	for i := range p.entries {
		r := p.entries[i].record
		st := p.find(&p.entries[i])
		if st == nil {
			continue
		}
		for _, rec := range r.Recordings {
			// By the hour that its call is known by, which stays the same.
			isNew, err := f.once(p, st.hour, f.ledger.hasher.of(kindRecording, rec.ID), r.Start)
			if err != nil {
				return err
			}
			if isNew {
				p.tally.Recording(rec.Type)
			}
		}
	}
	return nil
}
