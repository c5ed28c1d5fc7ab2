package collector

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/soak"
)

// TestPropertyAnyInterleavingGivesTheSameTotals reads the same calls again and
// again: pages of any size, rows without ids and twins among them, crashes before
// and after any commit, failures on any page, polls when nothing is due.
func TestPropertyAnyInterleavingGivesTheSameTotals(t *testing.T) {
	for seed := range soak.Seeds(4) {
		synctest.Test(t, func(t *testing.T) {
			random := seeded(seed)
			l := plan.Ladder{Interval: time.Minute, Lookback: time.Duration(1+random.IntN(200)) * time.Minute}
			m := newModel(time.Now().Add(-time.Duration(random.IntN(600)) * time.Minute))
			m.pageSize = 1 + random.IntN(40)
			traffic(m, time.Now().Add(3*time.Hour), 2*time.Minute, l.Lookback)
			for i := range m.rows { // every ninth has no id, and may have twins
				if i%9 == 0 {
					m.rows[i].synthetic, m.rows[i].id = fmt.Sprint("at ", m.rows[i].start.Unix()/600), ""
					m.rows[i].start = m.rows[i].start.Truncate(10 * time.Minute)
					m.rows[i].published = m.rows[i].start
				}
			}
			sortRows(m)
			m.fault = func(time.Time, time.Time, int) error {
				if random.IntN(10) == 0 {
					return errProvider
				}
				return nil
			}
			crash := errors.New("the process dies")
			after := false
			m.refuse = func(*counting.Page) error {
				after = random.IntN(12) == 0
				if !after && random.IntN(12) == 0 {
					return crash
				}
				return nil
			}
			feed := func() *Loop {
				return loopOver(m, l.Interval, l.Lookback, func(s *FeedSettings) {
					s.Ledger = fails{Ledger: m, after: func() error {
						if after {
							return crash
						}
						return nil
					}}
				})
			}
			loop := feed()
			for end := time.Now().Add(4 * time.Hour); time.Now().Before(end); {
				if err := loop.feed.Poll(t.Context()); errors.Is(err, crash) {
					loop = feed()
				}
				pass(t, min(loop.feed.Wait(t.Context()), time.Duration(random.IntN(120))*time.Second))
			}
			m.fault, m.refuse, after = nil, nil, false
			pass(t, l.Lookback)
			loop = feed()
			for end := time.Now().Add(time.Minute); time.Now().Before(end); {
				if err := loop.feed.Poll(t.Context()); err != nil {
					t.Fatal(err)
				}
				pass(t, max(loop.feed.Wait(t.Context()), time.Second))
			}
			want := 0
			for _, row := range m.rows {
				if !row.start.Before(m.state.Origin) {
					want++
				}
			}
			if len(m.counted) != want || m.state.Records != uint64(want) || len(m.broken) > 0 {
				t.Fatalf("seed %d: %d of %d calls are counted; %v", seed, len(m.counted), want, m.broken)
			}
		})
	}
}
