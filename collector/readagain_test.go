package collector

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestReadsThatMakeCallsWhole (counting.md 36): a feed of legs reads a catch-up twice, and whole days
// where the provider gives them.
func TestReadsThatMakeCallsWhole(t *testing.T) {
	for _, c := range []struct {
		name  string
		legs  bool
		down  time.Duration // before the start
		grain time.Duration
		// again: the second read follows at once, and reads what the first has read. day: each read
		// begins with a day.
		again, day bool
	}{
		{name: "after a downtime it is read twice", legs: true, down: 3 * time.Hour, again: true},
		{name: "without legs once", down: 3 * time.Hour},
		{name: "a short downtime is none", legs: true, down: 5 * time.Minute},
		{name: "of a provider of days, days are read", legs: true, down: time.Minute, grain: 24 * time.Hour, day: true},
		{name: "without legs only what is due", down: time.Minute, grain: 24 * time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pass(t, 12*time.Hour) // it is noon
				m := quiet(t, minutely, time.Now().Add(-c.down))
				m.limits.Grain = c.grain
				loop := loopOver(m, time.Minute, 48*time.Hour, func(s *FeedSettings) { s.Info.Rules.Legs = c.legs })
				loop.Start()
				pass(t, 5*time.Minute)
				loop.Stop()
				reads := m.reads[1:] // the first asks for the time only
				first, second := reads[0], reads[1]
				again := second.at.Sub(first.at) < time.Second && !second.from.After(first.from)
				if again != c.again {
					t.Errorf("the read of %s from %s is followed by one of %s from %s", first.at, first.from, second.at,
						second.from)
				}
				for i, position := range m.positions {
					if position.Read == nil {
						continue
					}
					if day := position.Read.From.Equal(position.Read.From.Truncate(24 * time.Hour)); day != c.day {
						t.Errorf("read %d looked at all from %s", i, position.Read.From)
					}
				}
			})
		})
	}
}
