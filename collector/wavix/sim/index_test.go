package sim

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestIndexIsTheSameAsLooking compares pages and counts with what is found by looking
// at every row, at random instants and places.
func TestIndexIsTheSameAsLooking(t *testing.T) {
	a := account(t, 6000, spoilt)
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // A test wants the same numbers again.
	for _, order := range []Order{Ascending, Descending, Shuffled} {
		for range 20 {
			at := begin.Add(time.Duration(random.Int64N(int64(60 * time.Hour))))
			l := a.listing(begin.AddDate(0, 0, -1), begin.AddDate(0, 0, 1), received, all, terms{zone: time.UTC, order: order, at: at})
			want := map[string]int{}
			a.eachRow(time.Time{}, time.Time{}, func(r *row) {
				if r.side == received && r.at(at) >= 0 {
					want[keyOf(r)] += r.copies
				}
			})
			if l.total() != len(want) {
				t.Fatalf("%d rows, want %d", l.total(), len(want))
			}
			var whole, some []string
			l.page(0, 1<<30, func(r *row, _ *version) { whole = append(whole, keyOf(r)) })
			for _, key := range whole {
				want[key]--
			}
			for key, n := range want {
				if n != 0 {
					t.Fatalf("row %s is listed %d times too few", key, n)
				}
			}
			distinct := slices.Compact(slices.Clone(whole))
			skip := random.IntN(len(distinct) + 1)
			l.page(skip, 700, func(r *row, _ *version) { some = append(some, keyOf(r)) })
			if got := slices.Compact(some); !slices.Equal(got, distinct[skip:min(skip+700, len(distinct))]) {
				t.Fatalf("%d rows after %d of %d aren't those", len(got), skip, len(distinct))
			}
		}
	}
}

func keyOf(r *row) string { return r.id.String() + string(rune('0'+r.part)) }

// TestIndexesAreLimited: old ones are let go of, and made again when they are needed.
func TestIndexesAreLimited(t *testing.T) {
	a := account(t, 2000, nil)
	key := func(hour int) dayKey {
		return dayKey{from: begin.Add(time.Duration(hour) * time.Hour).UnixMilli(), to: begin.Add(time.Duration(hour+1) * time.Hour).UnixMilli()}
	}
	first := a.days.of(a, key(0))
	rows := len(first.lists[placed].rows)
	a.days.mu.Lock()
	a.days.held = maxIndexed
	a.days.mu.Unlock()
	a.days.of(a, key(1))
	if again := a.days.of(a, key(0)); again == first || len(again.lists[placed].rows) != rows || rows == 0 {
		t.Errorf("the first index is still there, or has other rows than %d", rows)
	}
}

// TestFailCarrier turns most calls of a while into failures, and only those.
func TestFailCarrier(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(10 * time.Hour))
	a := account(t, 5000, func(s *simulator.Settings) { s.Revised = 0 })
	server, c := start(t, Settings{Account: a, Clock: clock})
	before := a.TotalsFor(begin, clock.Now(), begin.Add(90*time.Hour))
	c.page(options(Placed))
	soon := clock.Now().Add(time.Hour)
	busy := server.Active(soon)
	server.FailCarrier(2 * time.Hour)
	if quiet := server.Active(soon); !maps.Equal(quiet, looked(a, soon)) || quiet[cdr.Outbound] >= busy[cdr.Outbound] {
		t.Errorf("%v would be in progress, %v are", busy, quiet)
	}
	share := func(w Totals) float64 {
		failures := 0
		for _, n := range w.Failures {
			failures += n
		}
		return float64(failures) / float64(w.Records)
	}
	during := a.TotalsFor(clock.Now(), clock.Now().Add(2*time.Hour), begin.Add(90*time.Hour))
	after := a.TotalsFor(clock.Now().Add(2*time.Hour), begin.Add(24*time.Hour), begin.Add(90*time.Hour))
	if share(during) < 0.8 || share(after) > 0.5 || share(before) > 0.5 {
		t.Errorf("failed: %.2f before, %.2f during, %.2f after", share(before), share(during), share(after))
	}
	if again := a.TotalsFor(begin, clock.Now(), begin.Add(90*time.Hour)); again.Records != before.Records || share(again) != share(before) {
		t.Error("the past has changed")
	}
	clock.Set(begin.Add(90 * time.Hour))
	rows, _ := c.pages(options(Placed), 1000)
	if want := a.TotalsOf(View{View: simulator.View{At: []time.Time{clock.Now()}}, Type: Placed}); len(rows) != want.Rows {
		t.Errorf("%d rows are listed, want %d", len(rows), want.Rows)
	}
}
