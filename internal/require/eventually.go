package require

import (
	"testing"
	"time"
)

// Eventually waits until something holds, for five minutes at most. A machine that does much else is slow.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(5 * time.Minute)
	for !holds() {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatalf("it never came to this: %s", what)
		}
	}
}
