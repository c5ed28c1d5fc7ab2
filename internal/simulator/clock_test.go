package simulator

import (
	"testing"
	"time"
)

func TestTimeline(t *testing.T) {
	clock := NewManualClock(begin)
	line := NewTimeline(clock)
	check := func(what string, now, visible time.Duration) {
		t.Helper()
		if got := line.Now().Sub(begin); got != now {
			t.Errorf("%s: now is %s, want %s", what, got, now)
		}
		if got := line.Visible().Sub(begin); got != visible {
			t.Errorf("%s: visible up to %s, want %s", what, got, visible)
		}
	}
	check("at first", 0, 0)
	clock.Advance(time.Hour)
	line.Advance(time.Minute)
	check("advanced", 61*time.Minute, 61*time.Minute)
	if at := line.Pause(); !at.Equal(begin.Add(61 * time.Minute)) {
		t.Errorf("paused at %s", at)
	}
	clock.Advance(time.Hour)
	check("paused", 121*time.Minute, 61*time.Minute)
	line.Advance(time.Minute)
	check("advanced while paused", 122*time.Minute, 62*time.Minute)
	line.Resume()
	check("resumed", 122*time.Minute, 122*time.Minute)
	clock.Set(begin)
	check("set back", 2*time.Minute, 2*time.Minute)
}

func TestRecorder(t *testing.T) {
	r := NewRecorder()
	if n := r.Begin("a"); n != 0 {
		t.Errorf("the first request has number %d", n)
	}
	r.Begin("b")
	if n := r.Begin("a"); n != 1 {
		t.Errorf("the second request has number %d", n)
	}
	for range 3 {
		r.End(Seen{Endpoint: "a", Status: 200, Rows: 10})
	}
	counts := r.Count("a")
	if counts[0] != 2 || counts[200] != 3 || r.Rows("a") != 30 || r.HighestConcurrency() != 3 || len(r.Requests()) != 3 {
		t.Errorf("counts %v, rows %d, at once %d, %d kept", counts, r.Rows("a"), r.HighestConcurrency(), len(r.Requests()))
	}
	for range keptRequests {
		r.Begin("c")
		r.End(Seen{Endpoint: "c"})
	}
	if n := len(r.Requests()); n < 10_000 || n > keptRequests {
		t.Errorf("%d requests kept", n)
	}
}
