package metrics

import (
	"slices"
	"time"
)

// dayTotal is what was read of a day and what the provider says there is.
type dayTotal struct{ ours, theirs int }

// Reconciled compares how many distinct records of a day were read with the
// provider's own total, when the day was last read completely.
func (f *Feed) Reconciled(day time.Time, ours, theirs int) {
	o, key := f.own, [2]string{f.source, f.feed}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.totals == nil {
		o.totals = make(map[[2]string]map[time.Time]dayTotal)
	}
	if o.totals[key] == nil {
		o.totals[key] = make(map[time.Time]dayTotal)
	}
	o.totals[key][dayOf(day)] = dayTotal{ours: ours, theirs: theirs}
}

// showTotals sets the gauges of today and yesterday, whichever days these are by now;
// the lock is held.
func (o *Own) showTotals() {
	var theirs, differences []Row
	today := dayOf(o.now())
	for key, days := range o.totals {
		for day, t := range days {
			var name string
			switch {
			case day.Equal(today):
				name = "today"
			case day.Equal(today.AddDate(0, 0, -1)):
				name = "yesterday"
			case day.Before(today):
				delete(days, day)
				continue
			default: // tomorrow already, where the provider is
				continue
			}
			labels := []string{key[0], key[1], name}
			theirs = append(theirs, Row{labels, float64(t.theirs)})
			differences = append(differences, Row{labels, float64(t.ours - t.theirs)})
		}
	}
	o.replace(ProviderRecords, theirs)
	o.replace(ReconciliationDifference, differences)
}

// forgetTotals forgets those of a source, or of one of its feeds; the lock is held.
func (o *Own) forgetTotals(labels []string) {
	for key := range o.totals {
		if len(labels) <= len(key) && slices.Equal(key[:len(labels)], labels) {
			delete(o.totals, key)
		}
	}
}

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
