package counting

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// loggedRevisions of one record are logged; later ones are only counted (counting.md 16).
const loggedRevisions = 8

// reviseRecord counts the changes that a version makes to its record, returns the names of the
// changed fields, and updates what is remembered of it (counting.md 16). The labels stay the first version's.
func (d *Decision) reviseRecord(e *entry, counted *rememberedRecord) (changed []string) {
	r, moved, isLeg := e.record, 0, counted.flags&rowLeg != 0
	first, err := parseEarlier(counted.earlier)
	if d.failed(err) {
		return nil
	}
	defer func() { counted.earlier = first.append(nil) }()
	if counted.flags&rowSettled != 0 {
		first.fields |= laterParts
	}
	took := counted.flags&rowTimed != 0 && counted.hasDuration() || r.Outcome.Connected() && !r.NoDuration
	if !isLeg {
		d.addTimes(counted, &first, r)
	}
	// not_connected without a duration says nothing about the outcome.
	if said := !r.NoDuration || r.Outcome != cdr.NotConnected; said && counted.outcome != r.Outcome {
		if !isLeg {
			moved = d.changeOutcome(counted, r)
		}
		first.addOutcome(counted.outcome)
		counted.outcome = r.Outcome
		changed = append(changed, "cdr.outcome")
	}
	money := false
	for _, charge := range r.Charges {
		money = d.reviseCharge(counted, &first, r, charge) || money
	}
	if money {
		changed = append(changed, "cdr.charge")
	}
	if !isLeg {
		d.reviseConnected(counted, e, moved)
	}
	if counted.schema != fieldSchema {
		counted.schema, counted.fields = fieldSchema, e.fields // an upgrade revises nothing
		return changed
	}
	first.addFields(counted.fields, e.fields)
	if first.fields&owesTalk != 0 {
		first.fields |= 1 << fieldDuration // it is counted, although it isn't kept
	}
	merged, fields := reviseFields(d.settings.Provider, counted.fields, e.fields, r.Extra)
	if counted.fields = merged; counted.flags&rowTimed != 0 && !took || first.fields&owesTalk != 0 {
		counted.fields = slices.DeleteFunc(merged, isDuration) // it isn't counted, or not as talk time
	}
	return append(changed, fields...)
}

// addTimes counts the times that a version adds to a call of one record: all times with the first version that was
// connected, how long it took with the first that says it, and talk time with the first that a person answered and
// that says how long. If the record has its legs in it, connected time grows with them (counting.md 16).
func (d *Decision) addTimes(counted *rememberedRecord, first *earlier, r *cdr.Record) {
	was, now := counted.times.connected, timesOf(r)
	if !r.Outcome.Connected() && now == (callTimes{}) {
		return
	}
	// The times are of the call, which keeps the labels of its first version.
	call := *r
	counted.ApplyTo(&call)
	all := &d.change.Facts
	wasAnswered := counted.outcome == cdr.Answered || slices.Contains(first.outcomes, cdr.Answered)
	switch {
	case r.Outcome.Connected() && counted.flags&rowTimed == 0:
		if was.Known { // only the caller's own telephone was connected
			now = lengthsOf(r) // also of a version that lists no legs
			now.connected = cdr.KnownLength(max(now.connected.Value, was.Value))
			call.Connected = cdr.KnownLength(now.connected.Value - was.Value)
		}
		*all = facts.AppendConnected(*all, &call)
		counted.flags |= rowTimed
		counted.times = now
	case counted.times != callTimes{} || counted.flags&rowTimed == 0:
		if by := now.connected.Value - was.Value; by > 0 {
			*all = facts.AppendLonger(*all, &call, by)
			counted.times.connected = now.connected
		}
		if !counted.times.talk.Known && now.talk.Known {
			*all = facts.AppendTalk(*all, &call)
			counted.times.talk = now.talk
		}
	case first.fields&owesTalk != 0:
		if _, known := r.TalkTime(); known {
			*all = facts.AppendTalk(*all, &call)
			first.fields &^= owesTalk
		}
	case counted.schema == fieldSchema && !counted.hasDuration():
		*all = facts.AppendDuration(*all, &call)
		counted.times = now
		if wasAnswered && r.Outcome != cdr.Answered && !r.NoDuration && counted.times == (callTimes{}) {
			first.fields |= owesTalk
		}
	case r.Outcome == cdr.Answered && !wasAnswered:
		*all = facts.AppendTalk(*all, &call)
		if _, known := r.TalkTime(); !known {
			first.fields |= owesTalk
		}
	}
}

// hasDuration says whether a version gave a duration. If the call's times are counted, so is that duration.
func (c *rememberedRecord) hasDuration() bool { return slices.ContainsFunc(c.fields, isDuration) }

func isDuration(f fieldHash) bool { return f.key == fieldDuration }

// timesOf are the times of a record that has its legs in it; none of another one.
func timesOf(r *cdr.Record) (t callTimes) {
	if r.ListsLegs || len(r.Legs) > 0 {
		t = lengthsOf(r)
	}
	return t
}

func lengthsOf(r *cdr.Record) (t callTimes) {
	if connected, known := r.ConnectedTime(); known {
		t.connected = cdr.KnownLength(connected)
	}
	if talk, known := r.TalkTime(); known {
		t.talk = cdr.KnownLength(talk)
	}
	return t
}

// changeOutcome counts the changed outcome of a call of one record. moved is above 0 if the call became connected,
// below 0 if it no longer is.
func (d *Decision) changeOutcome(counted *rememberedRecord, r *cdr.Record) (moved int) {
	d.note(facts.Fact{
		Kind: facts.OutcomeChange, Record: r, First: new(counted.ChargeLabels), From: counted.outcome, To: r.Outcome,
	})
	return int(boolByte(r.Outcome.Connected())) - int(boolByte(counted.outcome.Connected()))
}

// reviseCharge counts the change of one component's amount and says whether it changed. An amount
// that wasn't known before is a charge; even a zero is remembered. A changed currency credits
// the old amount and debits the new one. A version without a currency keeps the old one.
func (d *Decision) reviseCharge(counted *rememberedRecord, first *earlier, r *cdr.Record, c cdr.Charge) bool {
	at := slices.IndexFunc(counted.charges, func(was cdr.Charge) bool { return was.Component == c.Component })
	if at < 0 {
		c.Currency = cmp.Or(c.Currency, d.settings.Currency)
		d.change.Facts = facts.AppendCharge(d.change.Facts, r, new(counted.ChargeLabels), c)
		counted.charges = append(counted.charges, c)
		return c.Amount.Sign() != 0
	}
	was := &counted.charges[at]
	c.Currency = cmp.Or(c.Currency, was.Currency)
	correct := func(currency string, by cdr.Money) {
		change := cdr.Charge{Component: c.Component, Currency: currency, Amount: by}
		first.addCorrection(change)
		d.change.Facts = facts.AppendCorrection(d.change.Facts, r, new(counted.ChargeLabels), change)
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

// charges returns a record's charges, each in the currency in which it is counted: its own, else the
// currency of the known amount, else the source's. The record itself doesn't change, because the
// page may be decided again with another known state.
func (d *Decision) charges(r *cdr.Record, was []cdr.Charge) []cdr.Charge {
	at := len(d.charged)
	d.charged = append(d.charged, r.Charges...)
	all := d.charged[at:len(d.charged):len(d.charged)]
	for i := range all {
		c := &all[i]
		if at := slices.IndexFunc(was, func(was cdr.Charge) bool { return was.Component == c.Component }); at >= 0 {
			c.Currency = cmp.Or(c.Currency, was[at].Currency)
		}
		c.Currency = cmp.Or(c.Currency, d.settings.Currency)
	}
	return all
}
