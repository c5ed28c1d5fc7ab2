package counting

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
)

// totalsOfDay is what the page adds to the totals of the day of a time. If the day is too old or in the future,
// its totals aren't kept, and the result is a dummy.
func (d *Decision) totalsOfDay(at time.Time) *daily.Counted {
	if observed := d.page.ObservedAt; at.Before(observed.Add(-daily.Kept)) || at.After(observed.Add(StartAhead)) {
		return new(daily.Counted)
	}
	date := daily.DateOf(at)
	day := d.change.Days[date]
	if day == nil {
		day = new(daily.Counted)
		d.change.Days[date] = day
	}
	return day
}

// addToDay adds a fact to the totals of the day in which its record starts.
func (d *Decision) addToDay(f *facts.Fact) {
	switch start := f.Record.Start; f.Kind {
	case facts.Record:
		day := d.totalsOfDay(start)
		day.Records++
		if f.Late && d.was.HistoryDone {
			day.Late++
		}
	case facts.Revision:
		d.totalsOfDay(start).Revised++
	case facts.Charge, facts.Correction:
		d.totalsOfDay(start).Charges.Add(f.Charge.Currency, &f.Charge.Amount)
	default:
	}
}

// addProviderTotals enters the provider's own totals. Money without a currency is in the source's, as that
// of records is, or it would be compared with none.
func (d *Decision) addProviderTotals() {
	for _, t := range d.page.Totals {
		if t.Charges != nil {
			t.Currency = cmp.Or(t.Currency, d.settings.Currency)
		}
		d.totalsOfDay(t.Day).Total = &t
	}
}
