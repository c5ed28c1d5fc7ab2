package counting

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Status is what a ledger knows of a record that is listed.
type Status byte

const (
	// StatusCounted is of a record that is counted.
	StatusCounted Status = iota
	// StatusNotFinal is of one that isn't counted, since the provider hasn't finished it, or
	// since it waits to be fetched (counting.md 17).
	StatusNotFinal
	// StatusBeforeOrigin is of one that isn't counted, since it starts before the feed's origin.
	StatusBeforeOrigin
	// StatusUnknown is of one that starts before the floor, so that it may have been counted and forgotten.
	StatusUnknown
	// StatusMissing is of one that would have to be counted and isn't.
	StatusMissing
)

// Finding is the ledger's state of one record of a page.
type Finding struct {
	Record *cdr.Record
	Status
	// Key is what a counted record is remembered by, else its own first key: two rows with the same Key are one record.
	Key Hash
	// Reused says that another call has the record's id (counting.md 38).
	Reused bool
	// Event is the first log record of a missing record; its RecordID and UID name the record.
	Event Event
	// Listed are the record's amounts, in the currency in which they would be counted. Counted are the counted ones.
	Listed, Counted []cdr.Charge
	// Memory is what is remembered of a counted record.
	Memory *Memory
}

// Findings are the ledger's state of a page's records. They are valid until the next decision.
type Findings struct {
	Records []Finding
	// Invalid and Ignored are hashes of the rows that were set aside.
	Invalid, Ignored []Hash
}

// Preview decides the page of Keys without a commit: a record that would be new is missing. If the feed
// fetches its records, the page's Enqueue names the tasks that may stand for them.
func (d *Decision) Preview(known *Known) (*Findings, error) {
	if _, err := d.Decide(known); err != nil {
		return nil, err
	}
	invalid := len(d.page.Invalid)
	found := &Findings{Invalid: d.needed.BadRows[:invalid], Ignored: d.needed.BadRows[invalid:]}
	for i := range d.entries {
		one, err := d.statusOf(i)
		if err != nil {
			return nil, err
		}
		found.Records = append(found.Records, one)
	}
	return found, nil
}

// statusOf says whether the record of the i-th entry was counted before the page was decided, and if not, why.
func (d *Decision) statusOf(i int) (Finding, error) {
	e := &d.entries[i]
	r, st := e.record, d.findState(e)
	one := Finding{Record: r, Key: d.newKey(e), Reused: d.hourOf(e) != 0, Listed: d.charges(r, nil)}
	if st != nil {
		one.Key = st.Hash
	}
	task, waits := d.known.Tasks[TaskKey{work.Record, r.ID}]
	switch {
	case e.call != 0 && r.Start.Before(d.was.Origin): // such a leg is remembered only for its call
		one.Status = StatusBeforeOrigin
	case st != nil && st.was != nil:
		var counted rememberedRecord
		if err := counted.parse(st.was); err != nil {
			return one, err
		}
		var err error
		if one.Memory, err = d.memoryOf(e, &counted); err != nil {
			return one, err
		}
		one.Memory.Newer = r.Version > counted.version
		one.Counted = counted.charges
		if one.Listed = d.charges(r, counted.charges); d.isPending(r) || r.Version < counted.version {
			one.Listed = counted.charges // a commit ignores such a version
		}
	case d.isPending(r), waits && !task.SetAside:
		one.Status = StatusNotFinal
	case r.Start.Before(d.was.Origin):
		one.Status = StatusBeforeOrigin
	case r.Start.Before(d.was.Floor):
		one.Status = StatusUnknown
	default:
		one.Status, one.Event = StatusMissing, d.FirstEvent(i)
	}
	return one, nil
}

// memoryOf is what is remembered of a counted record and of its call.
func (d *Decision) memoryOf(e *entry, counted *rememberedRecord) (*Memory, error) {
	m, err := counted.memory(e.fields)
	if err != nil || !m.Leg {
		return m, err
	}
	st, _ := d.findCallOfLeg(counted.call, e.record.Start, d.privateLegs(e.record, d.hourOf(e)))
	if st == nil {
		st, _ = d.findRemembered(d.rootOf(counted.call), e.record.Start)
	}
	if d.err != nil || st == nil || st.was == nil {
		return m, d.err
	}
	var c rememberedCall
	if err := c.parse(st.was); err != nil {
		return nil, err
	}
	call := c.CallMemory // alone: the findings of a call's legs are kept, and each would keep all legs
	call.ID = st.Hash
	m.Call = &call
	return m, nil
}

// SameAmounts says whether the listed and the counted sums are equal in each currency.
func (f *Finding) SameAmounts() bool {
	var listed, counted cdr.Amounts
	for _, c := range f.Listed {
		listed.Add(c.Currency, &c.Amount)
	}
	for _, c := range f.Counted {
		counted.Add(c.Currency, &c.Amount)
	}
	return len(listed.Minus(counted).Texts()) == 0
}
