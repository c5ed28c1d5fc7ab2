package ledger

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// loggedRevisions of one record are logged; later ones are only counted (counting.md 16).
const loggedRevisions = 8

// apply decides what each record is and what that changes.
func (p *pageCommit) apply() error {
	p.lookupRecords()
	p.arrange()
	for _, i := range p.order {
		if p.applyRecord(i); p.err != nil {
			return p.err
		}
	}
	p.settleRecords()
	return p.err
}

// applyRecord decides what the record of the i-th entry is: new, a repeat, a revision, too old or not final.
func (p *pageCommit) applyRecord(i int) {
	p.deltas = p.deltas[:0]
	e, source := &p.entries[i], 0
	st := p.find(e)
	switch {
	case p.waits(e.record):
		return // neither counted nor remembered: it is looked up again (counting.md 17)
	case st == nil && e.record.Start.Before(p.was.Floor): // where ids are forgotten (counting.md 5)
		p.result.TooOld++
		return
	case st == nil:
		source = i + 1
		st = p.applyNew(e)
	default:
		p.applyKnown(e, st)
	}
	if p.err != nil {
		return // what is known of it couldn't be read
	}
	p.applyParts(e, st)
	p.count(e.record, source)
}

// waits says whether a record isn't final yet, and may still become so.
func (p *pageCommit) waits(r *cdr.Record) bool {
	return r.Provisional && p.page.ObservedAt.Sub(r.Start) <= p.spec.Lookback
}

// applyNew counts a record for the first time: as a call, or as a further record of one that is counted.
func (p *pageCommit) applyNew(e *entry) *state {
	r := e.record
	further, moved := p.joinGroup(e)
	delay := p.page.ObservedAt.Sub(r.Ended())
	context := metrics.Context{
		Late: delay > p.spec.LateAfter, Currency: p.spec.Currency, Further: further, BypassLater: p.spec.Hourless,
	}
	var h head
	if p.spec.Parents && !r.Outcome.Connected() {
		h.flags |= rowFailed
		context.NoFailure = p.failureCounted(e)
	}
	if r.Emergency != cdr.NoEmergency && !further {
		h.flags |= rowEmergency
	}
	if further {
		h.flags |= rowFurther
		p.result.Duplicate++
	} else {
		p.addActivity(r)
		p.result.New++
		p.result.Delays = append(p.result.Delays, delay)
		p.next.Records++
		if r.Start.After(p.next.NewestCall) {
			p.next.NewestCall = r.Start
		}
	}
	if r.Outcome.Connected() && !further || moved > 0 {
		h.span = p.connect(r)
	}
	st := p.newState(e.bucket, e.keys[0])
	st.stored = append(h.append(st.stored), e.body...)
	p.writeState(st)
	p.addAliases(e, st)
	p.deltas = metrics.Count(p.deltas, r, context)
	if !further {
		p.changes.AddAttempt(r, p.deltas)
	}
	p.log(e, &RecordEvent{Name: "cdr.call", Version: 1})
	return st
}

// addAliases remembers those keys of a record that aren't known yet: in the hour of this version or, without hours, beside the record.
func (p *pageCommit) addAliases(e *entry, st *state) {
	at := e.bucket
	if p.spec.Hourless {
		at = st.bucket
	}
	for _, key := range e.keys {
		if p.states[key] != nil {
			continue
		}
		alias := p.newState(at, key)
		alias.stored = appendAlias(alias.stored, st.bucket, st.hash)
		p.writeState(alias)
		p.states[key] = st
	}
}

func (p *pageCommit) applyKnown(e *entry, st *state) {
	p.addAliases(e, st)
	p.adoptGroup(e, st)
	if _, body := splitRow(st.stored); bytes.Equal(body, e.body) {
		p.result.Duplicate++
		return
	}
	var k known
	if p.failed(k.parse(st.stored)) {
		return
	}
	r := e.record
	if r.Version > 0 && k.version > 0 && r.Version <= k.version {
		p.result.Duplicate++
		return
	}
	changed := p.applyRevision(e, &k)
	k.version = max(k.version, r.Version)
	if len(changed) == 0 {
		p.result.Duplicate++
	} else {
		p.result.Revised++
		if k.revisions++; k.revisions <= loggedRevisions {
			p.log(e, &RecordEvent{Name: "cdr.call.revised", Version: k.revisions + 1, Changed: changed})
		}
	}
	from := len(p.arena)
	p.arena = k.append(p.arena)
	if row := p.arena[from:]; string(row) != string(st.stored) {
		st.stored = append(st.stored[:0], row...)
		p.writeState(st)
	}
}

// applyRevision counts what a version changes of its record, names it, and updates what is known. The labels stay those of the first version.
func (p *pageCommit) applyRevision(e *entry, k *known) (changed []string) {
	r, moved := e.record, 0
	// Without a duration, not connected is no news.
	if said := !r.NoDuration || r.Outcome != cdr.NotConnected; said && k.outcome != r.Outcome {
		moved = p.changeOutcome(e, k)
		k.outcome = r.Outcome
		changed = append(changed, "cdr.outcome")
	}
	money := false
	for _, charge := range r.Charges {
		money = p.applyCharge(k, charge) || money
	}
	if money {
		changed = append(changed, "cdr.charge")
	}
	p.reconnect(k, e, moved)
	if k.schema != fieldSchema {
		k.schema, k.fields = fieldSchema, e.fields // an upgrade revises nothing
		return changed
	}
	merged, fields := reviseFields(p.spec.Provider, k.fields, e.fields, e.own)
	k.fields = merged
	return append(changed, fields...)
}

// applyCharge counts what became of one component's amount and says whether it changed. An amount that wasn't known before is a charge, a
// zero included in what is remembered; a changed currency credits the old and debits the new. A version that says no currency changes none.
func (p *pageCommit) applyCharge(k *known, c cdr.Charge) bool {
	at := slices.IndexFunc(k.charges, func(was cdr.Charge) bool { return was.Component == c.Component })
	if at < 0 {
		c.Currency = cmp.Or(c.Currency, p.spec.Currency)
		p.deltas = metrics.CountCharge(p.deltas, k.ChargeLabels, c)
		k.charges = append(k.charges, c)
		return c.Amount.Sign() != 0
	}
	was := &k.charges[at]
	c.Currency = cmp.Or(c.Currency, was.Currency)
	correct := func(currency string, by cdr.Money) {
		p.deltas = metrics.CountCorrection(p.deltas, k.ChargeLabels, cdr.Charge{Component: c.Component, Currency: currency, Amount: by})
	}
	switch {
	case c.Currency != was.Currency:
		correct(was.Currency, was.Amount.Neg())
		correct(c.Currency, c.Amount)
	case c.Amount.Equal(&was.Amount):
		return false
	default:
		correct(c.Currency, c.Amount.Sub(&was.Amount))
	}
	*was = c
	return true
}

// applyParts counts what a record brings beside its call, once each by id in whichever version it appears (counting.md 14): recordings and
// sessions; and that it is an emergency call, if no version before said so. Only feeds without hours have sessions and may say so later.
func (p *pageCommit) applyParts(e *entry, st *state) {
	r, h := e.record, &p.ledger.hasher
	for _, recording := range r.Recordings {
		if key := h.factKey(kindRecording, recording.ID); p.lookupNear(key, r.Start) == nil {
			p.addFact(bucketOf(r.Start), key)
			p.deltas = metrics.CountRecording(p.deltas, recording.Type)
		}
	}
	for i := range r.Sessions {
		s := &r.Sessions[i]
		if key := h.session(st, s); p.lookup(key, st.bucket) == nil { // they lie where their record does
			p.addFact(st.bucket, key)
			p.deltas = metrics.CountSession(p.deltas, s)
			p.log(e, &RecordEvent{Name: "cdr.session", Version: 1, Session: s})
		}
	}
	if r.Emergency != cdr.NoEmergency && p.spec.Hourless && flagsOf(st.stored)&(rowEmergency|rowFurther) == 0 {
		p.deltas = metrics.CountEmergency(p.deltas, r)
		p.addFlag(st, rowEmergency)
	}
}

// settleRecords counts what counts with the first version that is settled, also if that is known. Of those on one page it is the highest.
func (p *pageCommit) settleRecords() {
	for _, i := range slices.Backward(p.order) {
		r := p.entries[i].record
		if !r.Settled || p.waits(r) {
			continue
		}
		st := p.find(&p.entries[i])
		if st == nil || flagsOf(st.stored)&rowSettled != 0 {
			continue
		}
		if flagsOf(st.stored)&rowFurther == 0 { // a further record has no part in its call
			p.deltas = metrics.CountSettled(p.deltas[:0], r, p.spec.Hourless)
			p.count(r, 0)
		}
		p.addFlag(st, rowSettled)
	}
}

func (p *pageCommit) addFlag(st *state, flag byte) {
	st.stored[flagsAt] |= flag
	p.writeState(st)
}

// count adds what a record changes to the page's series. source is the number of a new record's entry, from 1, for exemplars.
func (p *pageCommit) count(r *cdr.Record, source int) {
	for i := range p.deltas {
		d := &p.deltas[i]
		s := p.changes.Add(d, source)
		if p.ledger.settings.OnDelta != nil {
			p.ledger.settings.OnDelta(r, s.Labels, d)
		}
		if d.Def == metrics.MediaBypassCalls { // what a commit brings is first seen together (counting.md 25)
			p.addTally(tallyKey{p.trunkNumber(d.Labels[0]), p.now.Unix()}, d.Labels[1] == cdr.True.String())
		}
	}
}

// log adds a log record to the page's batch, redacted: keys and hashes of the record are made by then.
func (p *pageCommit) log(e *entry, event *RecordEvent) {
	encoder := p.ledger.settings.Encoder
	if encoder == nil {
		return
	}
	if p.ledger.OutboxFull() {
		p.result.SkippedLogs++
		return
	}
	event.Observed = p.page.ObservedAt
	p.nameEvent(e, event)
	p.logs.data = encoder.AppendRecord(p.logs.data, e.record, event)
	p.logs.ends = append(p.logs.ends, len(p.logs.data))
}

// nameEvent says in an event which record it is of, and redacts the record.
func (p *pageCommit) nameEvent(e *entry, event *RecordEvent) {
	event.Source, event.Provider, event.Feed = p.spec.Source, p.spec.Provider, p.spec.Feed
	event.RecordID = p.ledger.hasher.recordID(e.record)
	if !e.redacted {
		e.redacted = true
		p.ledger.redactor.Redact(e.record)
	}
}

// identify is the identity of the first log record of a new record of the page.
func (p *pageCommit) identify(e *entry) (traceID [16]byte, uid [32]byte) {
	event := RecordEvent{Name: "cdr.call", Version: 1}
	p.nameEvent(e, &event)
	return event.TraceID(e.record.CallID), event.UID("")
}
