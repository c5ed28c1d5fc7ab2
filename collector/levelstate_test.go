package collector

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

// lasting returns a span of a length.
func lasting(d time.Duration) plan.Span {
	return plan.Span{From: time.Unix(0, 0), To: time.Unix(0, 0).Add(d)}
}

func TestLevels_PiecesFitTheirTime(t *testing.T) {
	for _, c := range []struct {
		name         string
		grain        time.Duration
		length, took time.Duration
		pages        int
		want         time.Duration
	}{
		{"fast", 0, day, time.Second, 10, 2 * day},
		{"short", 0, 9 * time.Minute, time.Second, 1, day},
		{"slow", 0, day, time.Hour, 100, day / 2},
		{"slow because each page is", 0, day, time.Hour, 1, 2 * day},
		{"slow and as short as can be", 0, time.Minute, time.Hour, 100, time.Minute},
		{"slow days", day, day, time.Hour, 100, day},
	} {
		s := newLevelStates(6, time.Minute, c.grain)
		s.succeeded(5, lasting(c.length), c.took, c.pages)
		if got := s.each[5].piece; got != c.want {
			t.Errorf("%s: the next piece may be %s long, want %s", c.name, got, c.want)
		}
	}
}
