package counting_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A call of too many legs waits no longer: further rows with its key are calls. Before the origin none of them counts.
func TestTooManyLegs(t *testing.T) {
	for _, c := range []struct {
		name             string
		origin           time.Duration // after the legs
		calls, full, old int
	}{
		{"after the origin", -time.Hour, 4, 3, 0},
		{"before the origin", time.Second, 0, 0, 3},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Whole, s.Lead = true, 4*time.Hour })
			var all []*cdr.Record
			for n := range counting.MostLegs + 3 {
				all = append(all, leg(fmt.Sprint("l", n), 0, -1, 9))
			}
			r.state.Origin = all[0].Start.Add(c.origin)
			r.state.Floor = r.state.Origin.Add(-r.settings.Lead)
			full, old := 0, 0
			for page := range slices.Chunk(all, 250) {
				got := r.records(page...)
				full, old = full+got.FullCalls, old+got.TooOld
			}
			r.wait(5 * time.Hour)
			if got := r.total("cdr_calls_total"); got != c.calls || full != c.full || old != c.old {
				t.Errorf("%d calls, %d records that are calls, %d too old, want %d, %d, %d", got, full, old, c.calls,
					c.full, c.old)
			}
		})
	}
}
