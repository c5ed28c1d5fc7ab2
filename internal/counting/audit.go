package counting

import (
	"cmp"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Standing is what a ledger knows of a record that is listed.
type Standing byte

const (
	// StandingCounted is of a record that is counted.
	StandingCounted Standing = iota
	// StandingNotFinal is of one that isn't counted, since the provider hasn't finished it, or since it waits to be fetched (counting.md 17).
	StandingNotFinal
	// StandingBeforeOrigin is of one that isn't counted, since it starts before the feed's origin.
	StandingBeforeOrigin
	// StandingUnknown is of one that starts before the floor, so that it may have been counted and forgotten.
	StandingUnknown
	// StandingMissing is of one that would have to be counted and isn't.
	StandingMissing
)

// Finding is what a ledger knows of one record of a page.
type Finding struct {
	Record *cdr.Record
	Standing
	// Key is what a counted record is remembered by, else its own first key: two rows with the same Key are one record.
	Key Hash
	// Reused says that another call has the record's id (counting.md 38).
	Reused bool
	// Event is the record's first log record, whose RecordID and UID name it; only of a missing one.
	Event Event
	// Listed are the record's amounts, by currency as they would be counted, and Counted those that are.
	Listed, Counted []cdr.Charge
}

// Findings are what a ledger knows of a page. They are good until the next decision.
type Findings struct {
	Records []Finding
	// Invalid and Ignored are hashes of the rows that were set aside.
	Invalid, Ignored []Hash
}

// Audit finds, in place of Decide, what is known of the page of Keys. Of a feed whose records are fetched, Enqueue of the page names the tasks
// that may stand for its records. An error says that what is known is damaged.
func (d *Decision) Audit(what *Known) (*Findings, error) {
	d.takeKnown(what)
	invalid := len(d.page.Invalid)
	found := &Findings{Invalid: d.needed.BadRows[:invalid], Ignored: d.needed.BadRows[invalid:]}
	for i := range d.entries {
		e := &d.entries[i]
		one := Finding{Record: e.record, Key: d.newKey(e), Standing: d.standing(e), Reused: d.hourOf(e) != 0}
		if one.Standing == StandingMissing {
			one.Event = d.FirstEvent(i)
		}
		one.Listed = knownOf(e.record, nil, d.settings.Currency).charges
		if st := d.findState(e); st != nil {
			var k known
			if err := k.parse(st.Data); err != nil {
				return nil, err
			}
			one.Key, one.Counted = st.Hash, k.charges
			d.compareAsCounted(e.record, &k, &one)
		}
		found.Records = append(found.Records, one)
	}
	return found, nil
}

// compareAsCounted leaves of a listed version what a commit would compare: a version that isn't final, or not a later one, changes nothing, and an
// amount without a currency keeps that of before.
func (d *Decision) compareAsCounted(r *cdr.Record, k *known, one *Finding) {
	if d.isPending(r) || r.Version > 0 && r.Version < k.version {
		one.Listed = one.Counted
		return
	}
	for i, c := range r.Charges {
		at := slices.IndexFunc(k.charges, func(was cdr.Charge) bool { return was.Component == c.Component })
		if at >= 0 {
			one.Listed[i].Currency = cmp.Or(c.Currency, k.charges[at].Currency)
		}
	}
}

func (d *Decision) standing(e *entry) Standing {
	task, waits := d.known.Tasks[TaskKey{TaskRecord, e.record.ID}]
	switch {
	case e.call != 0 && e.record.Start.Before(d.was.Origin): // such a leg is remembered for its call, and isn't counted
		return StandingBeforeOrigin
	case d.findState(e) != nil:
		return StandingCounted
	case d.isPending(e.record), waits && !task.SetAside:
		return StandingNotFinal
	case e.record.Start.Before(d.was.Origin):
		return StandingBeforeOrigin
	case e.record.Start.Before(d.was.Floor):
		return StandingUnknown
	}
	return StandingMissing
}

// SameAmounts says whether what is listed of a record is what is counted: each currency's sum.
func (f *Finding) SameAmounts() bool {
	sums := make(map[string]cdr.Money)
	for _, c := range f.Listed {
		sum := sums[c.Currency]
		sums[c.Currency] = sum.Add(&c.Amount)
	}
	for _, c := range f.Counted {
		sum := sums[c.Currency]
		sums[c.Currency] = sum.Sub(&c.Amount)
	}
	for _, sum := range sums {
		if sum.Sign() != 0 {
			return false
		}
	}
	return true
}

// IsRecord says whether it is a record, whether or not it is a call of its own.
func (s Stored) IsRecord() bool { return s.Data[0] == rowRecord }
