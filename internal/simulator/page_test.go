package simulator

import (
	"slices"
	"testing"
	"time"
)

// visible is what a query must list, by brute force: ids as often as they are
// listed, with the version.
func visible(w *World, q Query) map[[17]byte]int {
	want := map[[17]byte]int{}
	w.Each(time.Time{}, time.Time{}, func(c *Call) bool {
		in := !c.Start.Before(q.From) && (c.Start.Before(q.To) || q.ToIncluded && c.Start.Equal(q.To))
		if v := c.At(q.At); in && v >= 0 {
			want[keyOf(c, byte(v))] += c.Copies
		}
		return true
	})
	return want
}

func keyOf(c *Call, version byte) [17]byte { return [17]byte(append(c.ID[:], version)) }

// read reads all pages of a query and says how many there were.
func read(w *World, q Query) (got map[[17]byte]int, order []UUID, pages int) {
	got = map[[17]byte]int{}
	for {
		n := 0
		more := w.Page(q, func(c *Call, v *Version) {
			n++
			order = append(order, c.ID)
			got[keyOf(c, byte(slices.IndexFunc(c.Versions(), func(o Version) bool { return o == *v })))]++
		})
		pages++
		if n > q.Limit || more && n != q.Limit {
			panic("a page of the wrong length")
		}
		if !more {
			return got, order, pages
		}
		q.Skip += q.Limit
	}
}

func TestPagesCoverWhatIsVisible(t *testing.T) {
	for name, order := range map[string]bool{"by start": byStart, "newest first": newestFirst} {
		w := newTestWorld(t, spoilt(2000, order))
		for range 2 { // the second time from the cache
			for _, q := range []Query{
				{From: begin, To: begin.Add(30 * time.Hour), At: begin.Add(90 * time.Hour), Limit: 1000},
				{From: begin, To: begin.Add(30 * time.Hour), At: begin.Add(9 * time.Hour), Limit: 197},
				{
					From: begin.Add(3 * time.Hour), To: begin.Add(5*time.Hour + time.Millisecond),
					At: begin.Add(6 * time.Hour), Limit: 50,
				},
				{
					From: begin.Add(-time.Hour), To: begin.Add(900 * time.Hour), At: begin.Add(33 * time.Hour),
					Limit: 333,
				},
				{From: begin.Add(-2 * time.Hour), To: begin.Add(-time.Hour), At: begin.Add(99 * time.Hour), Limit: 10},
			} {
				want := visible(w, q)
				got, _, _ := read(w, q)
				if len(got) != len(want) {
					t.Fatalf("%s: %d rows, want %d", name, len(got), len(want))
				}
				for key, n := range want {
					if got[key] != n {
						t.Fatalf("%s: a row is listed %d times, want %d", name, got[key], n)
					}
				}
			}
		}
	}
}

// rowsIn is the number of rows that a query lists.
func rowsIn(w *World, q Query) (n int) {
	q.Limit = 1 << 30
	w.Page(q, func(*Call, *Version) { n++ })
	return n
}
