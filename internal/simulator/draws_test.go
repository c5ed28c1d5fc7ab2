package simulator

import (
	"testing"
	"time"
)

func drawn(w *World, place, purpose uint64) [4]uint64 {
	d := w.Draws(place, purpose)
	return [4]uint64{d.Bits(), d.Bits(), d.Bits(), d.Bits()}
}

// TestDrawsFollowFromTheirPlace: the same place gives the same, any other something else.
func TestDrawsFollowFromTheirPlace(t *testing.T) {
	worldOf := func(seed uint64) *World {
		w, err := NewWorld(Historical(seed, testMix(), time.Unix(0, 0), time.Unix(3600, 0), 10))
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	one, same, other := worldOf(1), worldOf(1), worldOf(2)
	if drawn(one, 5, 7) != drawn(same, 5, 7) {
		t.Error("the same place gives something else")
	}
	seen := map[[4]uint64]string{}
	for name, bits := range map[string][4]uint64{
		"a place": drawn(one, 5, 7), "another place": drawn(one, 6, 7), "another purpose": drawn(one, 5, 8), "another seed": drawn(other, 5, 7),
	} {
		if before, ok := seen[bits]; ok {
			t.Errorf("%s draws what %s does", name, before)
		}
		seen[bits] = name
	}
}

func TestDrawsStayInBounds(t *testing.T) {
	w, err := NewWorld(Historical(1, testMix(), time.Unix(0, 0), time.Unix(3600, 0), 10))
	if err != nil {
		t.Fatal(err)
	}
	d := w.Draws(1, 2)
	hits, low, high := 0, false, false
	for range 10_000 {
		n := d.Between(3, 5)
		if n < 3 || n > 5 || d.Below(4) > 3 || d.Below(0) != 0 {
			t.Fatalf("drew %d", n)
		}
		low, high = low || n == 3, high || n == 5
		if d.Hits(0.25) {
			hits++
		}
		if x := d.Delay([]Delay{{Weight: 1, Min: time.Second, Max: time.Minute}, {Weight: 1, Min: time.Hour, Max: time.Hour}}); x < time.Second || x > time.Minute && x != time.Hour {
			t.Fatalf("delay %s", x)
		}
	}
	if !low || !high || hits < 2300 || hits > 2700 {
		t.Errorf("low %v, high %v, %d hits", low, high, hits)
	}
	if d.Delay(nil) != 0 || len(d.UUID().String()) != 36 || w.Reach() < 8*time.Hour {
		t.Error("a delay of nothing, a short id or a short reach")
	}
}
