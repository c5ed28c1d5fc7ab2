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
	const day = 24 * time.Hour
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

func TestLevels_FailuresHalveTheirOwnLevel(t *testing.T) {
	s := newLevelStates(7, time.Minute, 0)
	random := func() float64 { return 0 }
	s.backOff(5, errProvider, 0, random)
	s.halve(5, lasting(8*time.Hour))
	s.backOff(5, errProvider, 0, random)
	s.halve(5, lasting(4*time.Hour))
	if own, other := s.each[5].piece, s.each[4].piece; own != 2*time.Hour || other != 24*time.Hour {
		t.Errorf("after two failures the level's piece is %s, another's %s", own, other)
	}
	if s.retryAt(4) != 2*time.Second || s.retryAt(6) != neverDue {
		t.Errorf("level 4 may be read at %s, level 6 at %s", s.retryAt(4), s.retryAt(6))
	}
	s.succeeded(5, lasting(2*time.Hour), time.Second, 1)
	if s.each[5].piece != 4*time.Hour || s.retryAt(6) != 0 || s.trouble() != nil {
		t.Errorf("after a success the piece is %s, level 6 may be read at %s, the trouble is %v", s.each[5].piece,
			s.retryAt(6), s.trouble())
	}
}
