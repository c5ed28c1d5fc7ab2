package collector

import (
	"testing"
	"time"
)

func TestAttempts_PiecesFitTheirTime(t *testing.T) {
	a := newAttempts(minutely, 0, func() float64 { return 0 })
	type piece struct {
		length, took time.Duration
		pages        int
		want         time.Duration
	}
	for i, p := range []piece{
		{9 * time.Minute, time.Second, 1, 24 * time.Hour},         // a short one says nothing
		{24 * time.Hour, time.Second, 10, 48 * time.Hour},         // fast
		{48 * time.Hour, time.Second, 10, 96 * time.Hour},         //
		{96 * time.Hour, 2 * time.Minute, 100, 24 * time.Hour},    // four times too slow
		{24 * time.Hour, time.Hour, 100, 3 * time.Hour},           // far too slow
		{3 * time.Hour, 20 * time.Second, 10, 3 * time.Hour},      // fits
		{3 * time.Hour, 5 * time.Minute, 1, 6 * time.Hour},        // slow because each page is
		{6 * time.Hour, 1000 * time.Hour, 1000, 45 * time.Minute}, //
		{45 * time.Minute, time.Hour, 1000, 45 * time.Minute / 8}, //
		{45 * time.Minute / 8, 10 * time.Hour, 1000, time.Minute}, // never shorter
		{9 * time.Minute, 40 * time.Second, 1000, time.Minute},    // nor longer after a slow one
	} {
		a.succeeded(3, p.length, p.took, p.pages)
		if got := a.piece(5, 0); got != p.want {
			t.Errorf("after piece %d the next may be %s long, want %s", i, got, p.want)
		}
	}
	if got := a.piece(5, 30*time.Second); got != 28*time.Second {
		t.Errorf("within the provider's limit of 30 s a piece is %s", got)
	}
}

// TestAttempts_Grain: where a short piece is as slow as a long one, one that is slow isn't
// followed by shorter and shorter ones, which would never catch up.
func TestAttempts_Grain(t *testing.T) {
	const day = 24 * time.Hour
	a := newAttempts(minutely, day, func() float64 { return 0 })
	for i, slow := range []time.Duration{day, 3 * time.Hour, day, 4 * day, day, day} {
		a.succeeded(3, slow, time.Hour, 100)
		if got := a.piece(5, 0); got != day {
			t.Errorf("after slow piece %d the next may be %s long, want a day", i, got)
		}
	}
	a.failed(5, errProvider, day, 0, 0, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if got := a.piece(5, 0); got != day {
		t.Errorf("after a failure the next may be %s long, want a day", got)
	}
	a.succeeded(5, day, time.Second, 100)
	if got := a.piece(4, 0); got != 2*day {
		t.Errorf("after a fast one the next may be %s long, want two days", got)
	}
}

func TestAttempts_FailuresHalveTheirOwnLevel(t *testing.T) {
	a := newAttempts(minutely, 0, func() float64 { return 0 })
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	a.failed(5, errProvider, 8*time.Hour, 0, 0, now)
	a.failed(5, errProvider, 4*time.Hour, 0, 0, now)
	if own, other := a.piece(5, 0), a.piece(4, 0); own != 2*time.Hour || other != 24*time.Hour {
		t.Errorf("after two failures the level's piece is %s, another's %s", own, other)
	}
	if a.retryAt(4, now.Add(time.Second)) != 0 || a.retryAt(4, now) != 2*time.Second || a.retryAt(6, now.Add(time.Second)) != never {
		t.Errorf("level 4 may be read at %s, or %s if it was due; level 6 at %s", a.retryAt(4, now.Add(time.Second)), a.retryAt(4, now), a.retryAt(6, now))
	}
	a.succeeded(5, 2*time.Hour, time.Second, 1)
	if a.piece(5, 0) != 4*time.Hour || a.retryAt(6, now) != 0 || a.trouble() != nil {
		t.Errorf("after a success the piece is %s, level 6 may be read at %s, the trouble is %v", a.piece(5, 0), a.retryAt(6, now), a.trouble())
	}
}

func TestBackoff(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 6: 32 * time.Second, 7: time.Minute, 1000: time.Minute} {
		if got := retryDelay(failures, func() float64 { return 0 }); got != want {
			t.Errorf("after %d failures: %s, want %s", failures, got, want)
		}
		if got := retryDelay(failures, func() float64 { return 0.999 }); got < want*6/10 || got > want*61/100 {
			t.Errorf("after %d failures, with the most jitter: %s", failures, got)
		}
	}
}
