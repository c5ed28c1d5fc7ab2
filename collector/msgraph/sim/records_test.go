package sim

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestListedRecordsAreFoundByID: if a listed record couldn't be found, Totals would count it, but
// no exporter could. Trunks that fail change a call's outcome.
func TestListedRecordsAreFoundByID(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := NewCallRecords(CallRecordSettings{
		Calls:  simulator.NewWorld(LiveCalls(6, begin, 0.001)),
		Routed: simulator.NewWorld(simulator.Live(2, DirectRoutingMix(), begin, 1)), RoutedShare: 0.02,
		Versions: QuickVersions(),
	})
	at := begin.AddDate(0, 0, 7)
	rows, _ := r.list(span{begin.UnixMilli(), at.UnixMilli()}, position{}, at, 100_000)
	if len(rows) < 5000 {
		t.Fatalf("%d records are listed, too few to say something", len(rows))
	}
	for i := range rows {
		var p recordPlan
		if !r.find(rows[i].id, &p) || p.place != rows[i].place {
			t.Errorf("the record of call %d, which is %s, isn't found by its id", rows[i].call.Number,
				rows[i].kind.Wire)
		}
	}
}
