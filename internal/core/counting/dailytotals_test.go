package counting_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A day's total has the records that counting has: a leg from before the feed's origin is read only
// for its call and isn't counted.
func TestDailyTotals(t *testing.T) {
	for name, c := range map[string]struct {
		record        *cdr.Record
		records, late int64
	}{
		"a call":                  {call("a"), 1, 0},
		"a late call":             {call("a", start(epoch.Add(-2*time.Hour))), 1, 1},
		"a leg":                   {call("a", inGroup("g")), 1, 0},
		"a leg before the origin": {call("a", inGroup("g"), start(epoch.Add(-25*time.Hour))), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, counting.Rules{Legs: true})
			r.settings.Lead, r.state.HistoryDone = 4*time.Hour, true
			r.state.Floor = r.state.Origin.Add(-r.settings.Lead)
			page := &counting.Page{Records: []*cdr.Record{c.record}, ObservedAt: r.at}
			var records, late int64
			for _, day := range r.decide(page).Days {
				records, late = records+day.Records, late+day.Late
			}
			if result := r.commit(page); records != int64(result.New) || records != c.records || late != c.late {
				t.Errorf("%d records, %d late, %d new; want %d, %d", records, late, result.New, c.records, c.late)
			}
		})
	}
}
