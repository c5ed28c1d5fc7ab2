package history

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/disksort"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestSorter: changes come in their order, and each of them does.
func TestSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := sorter{entries: disksort.New(t.TempDir())}
	defer s.entries.Close() //nolint:errcheck // of a test
	var want, got []string
	text := func(c *change) string {
		return fmt.Sprintf("%d %d %d %06d %s", c.family, c.series, c.at, c.n, c.money.String())
	}
	for range 3000 {
		c := change{
			family: r.IntN(3), series: r.IntN(5), at: noon.UnixMilli() + int64(r.IntN(40))*60_000,
			n: r.Int64N(1000),
		}
		if c.family == 2 {
			m, err := cdr.ParseMoney(fmt.Sprintf("%d.%03d", r.IntN(50), r.IntN(1000)))
			if err != nil {
				t.Fatal(err)
			}
			c.n, c.money = 0, m
		}
		want = append(want, text(&c))
		s.add(&c)
	}
	if s.err != nil {
		t.Fatal(s.err)
	}
	var last change
	err := s.each(t.Context(), func(c *change) error {
		if compareChanges(&last, c) > 0 {
			t.Errorf("%s comes after %s", text(c), text(&last))
		}
		last, got = *c, append(got, text(c))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%d changes of %d, or other ones", len(got), len(want))
	}
}

// TestGrid: what happens at a time is seen at the next multiple of the step, or by the end.
func TestGrid(t *testing.T) {
	g := newGrid(noon.Add(10*time.Second), noon.Add(10*time.Minute+30*time.Second), time.Minute)
	for name, tc := range map[string]struct{ after, want time.Duration }{
		"the begin":            {10 * time.Second, time.Minute},
		"just before one":      {time.Minute - time.Millisecond, time.Minute},
		"on one":               {time.Minute, 2 * time.Minute},
		"in the last, cut one": {10*time.Minute + 29*time.Second, 10*time.Minute + 30*time.Second},
	} {
		if got := time.UnixMilli(g.sampleAt(noon.Add(tc.after))).Sub(noon); got != tc.want {
			t.Errorf("%s: seen after %s, want %s", name, got, tc.want)
		}
	}
	for step, hold := range map[time.Duration]time.Duration{
		time.Second: 5 * time.Minute, 40 * time.Second: 280 * time.Second, time.Minute: 5 * time.Minute,
		7 * time.Minute: 7 * time.Minute,
	} {
		if got := newGrid(noon, noon, step).hold; got != hold.Milliseconds() {
			t.Errorf("with %s a value is repeated after %d ms", step, got)
		}
	}
}

// compareChanges is the order in which changes are written.
func compareChanges(a, b *change) int {
	return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.series, b.series), cmp.Compare(a.at, b.at))
}
