package history

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestSorter: however often changes go to disk, they come in the order of their keys, with the sum of each.
func TestSorter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s, err := openSorter(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.close() //nolint:errcheck // of a test
	whole, money := make(map[key]int64), make(map[key]cdr.Money)
	for range 3000 {
		k := key{family: r.IntN(3), series: r.IntN(5), at: noon.UnixMilli() + int64(r.IntN(40))*60_000, part: r.IntN(3)}
		a := amount{n: r.Int64N(1000) - 300}
		if k.family == 2 {
			m, err := cdr.ParseMoney(fmt.Sprintf("%d.%03d", r.IntN(50), r.IntN(1000)))
			if err != nil {
				t.Fatal(err)
			}
			a = amount{money: m}
			was := money[k]
			money[k] = was.Add(&m)
		}
		whole[k] += a.n
		s.add(k, &a)
		if len(s.buffer) > 5 {
			if err := s.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []key
	sums := make(map[key]*amount)
	err = s.each(t.Context(), func(c *change) error {
		if sums[c.key] == nil {
			got, sums[c.key] = append(got, c.key), new(amount)
		}
		sums[c.key].add(&c.amount)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for k, sum := range sums {
		if want := money[k]; sum.n != whole[k] || !want.Equal(&sum.money) {
			t.Errorf("%v is %d and %s", k, sum.n, sum.money.String())
		}
	}
	if want := slices.SortedFunc(maps.Keys(whole), compareKeys); !slices.Equal(got, want) {
		t.Errorf("%d keys, want %d in order", len(got), len(want))
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
		time.Second: 5 * time.Minute, 40 * time.Second: 280 * time.Second, time.Minute: 5 * time.Minute, 7 * time.Minute: 7 * time.Minute,
	} {
		if got := newGrid(noon, noon, step).hold; got != hold.Milliseconds() {
			t.Errorf("with %s a value is repeated after %d ms", step, got)
		}
	}
}

// compareKeys is the order in which changes are written.
func compareKeys(a, b key) int {
	return cmp.Or(cmp.Compare(a.family, b.family), cmp.Compare(a.series, b.series), cmp.Compare(a.at, b.at), cmp.Compare(a.part, b.part))
}
