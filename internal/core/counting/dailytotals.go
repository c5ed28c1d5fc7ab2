package counting

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// BooksKept is how far back the books of days are kept: the last seven that are over, and what may
// still be in dispute of the one before.
const BooksKept = 9 * 24 * time.Hour

const daySeconds = 24 * 60 * 60

// Book sums up the counted records that start within a day of UTC. The day is the one in which the
// counted version starts, so a correction of a record that moved past midnight is in the new day.
type Book struct {
	// Records were counted, each once: calls, further records of a call, and visits to queues.
	Records int64 `json:"records"`
	// Late are those of them that were first seen more than late_after after their end. Those of
	// the first history are none.
	Late int64 `json:"late"`
	// Revised is how many versions changed a record after it was counted.
	Revised int64 `json:"revised"`
	// Charges are the sums of all amounts and corrections, by currency.
	Charges cdr.Amounts `json:"charges,omitempty"`
	// Total is the provider's own of the day, as of its last read; nil: it gave none.
	Total *DayTotal `json:"total,omitempty"`
}

// Add adds what another one has, and takes its total over.
func (b *Book) Add(more *Book) {
	b.Records, b.Late, b.Revised = b.Records+more.Records, b.Late+more.Late, b.Revised+more.Revised
	b.Charges.AddAll(more.Charges)
	b.Total = cmp.Or(more.Total, b.Total)
}

// ChargesDifference is what was counted minus what the provider says that the day's calls cost; 0 if it doesn't say.
func (b *Book) ChargesDifference() cdr.Money {
	if b.Total == nil || b.Total.Charges == nil {
		return cdr.Money{}
	}
	theirs, ours := b.Total.Charges.Neg(), b.Charges[b.Total.Currency]
	return ours.Add(&theirs)
}

// book is what the page adds to the day of a time. If the day is too old or in the future, its book
// isn't kept, and the result is a dummy.
func (d *Decision) book(at time.Time) *Book {
	if observed := d.page.ObservedAt; at.Before(observed.Add(-BooksKept)) || at.After(observed.Add(startAhead)) {
		return new(Book)
	}
	day := at.Unix() / daySeconds * daySeconds
	b := d.change.Books[day]
	if b == nil {
		b = new(Book)
		d.change.Books[day] = b
	}
	return b
}

// addToDay adds a fact to the book of the day in which its record starts.
func (d *Decision) addToDay(f *facts.Fact) {
	switch start := f.Record.Start; f.Kind {
	case facts.Record:
		b := d.book(start)
		b.Records++
		if f.Late && d.was.HistoryDone {
			b.Late++
		}
	case facts.Revision:
		d.book(start).Revised++
	case facts.Charge, facts.Correction:
		d.book(start).Charges.Add(f.Charge.Currency, &f.Charge.Amount)
	default:
	}
}

// bookTotals enters the provider's own totals. Money without a currency is in the source's, as that
// of records is, or it would be compared with none.
func (d *Decision) bookTotals() {
	for _, t := range d.page.Totals {
		if t.Charges != nil {
			t.Currency = cmp.Or(t.Currency, d.settings.Currency)
		}
		d.book(t.Day).Total = &t
	}
}
