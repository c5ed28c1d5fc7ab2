package main_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// zone is a time zone this many hours east of UTC.
func zone(hours int) *time.Location { return time.FixedZone("", hours*3600) }

// spoilt has rows without an id, with copies, and that can't be read.
func spoilt(s simulator.Settings) simulator.Settings {
	s.Malformed, s.NoID, s.Duplicated = 0.02, 0.03, 0.05
	return s
}

// TestFormats: pages and a stream of one account have the same calls, whatever the time zone of the
// account's days, under faults.
func TestFormats(t *testing.T) {
	t.Parallel()
	for _, hours := range []int{-11, 14} {
		t.Run(fmt.Sprint(hours), func(t *testing.T) {
			t.Parallel()
			faults := simulator.NewFaults(211)
			faults.Rate("", 0.03, simulator.Transient()...)
			at := newSite(t)
			account := newCarrier(t, at, spoilt(unfolding(212, wavixsim.PlacedMix(), 250)),
				spoilt(unfolding(213, wavixsim.ReceivedMix(), 250)),
				wavixsim.Settings{Timezone: zone(hours), MaxPerPage: 100, Faults: faults})
			all := []*carrier{account.in("json"), account.in("stream")}
			seen := []time.Time{account.Pause()}
			config := at.configureSources(settings{}, all[0].item(), all[1].item())
			x := start(t, at.vault, launch{config: config}).ready()
			count := func() {
				t.Helper()
				for _, in := range all {
					x.counts(in, seen...)
				}
			}
			count()
			for range 2 {
				account.Advance(18 * time.Hour)
				seen = append(seen, account.Visible())
				count()
			}
			for _, in := range all {
				x.rows(in, seen...)
			}
			x.stop()
			if refused := account.Requests().Count("")[http.StatusUnauthorized]; refused != 0 {
				t.Errorf("the key came wrongly %d times", refused)
			}
		})
	}
}
