package main_test

import (
	"testing"
	"time"
)

const (
	// waitTimeout is the time limit for slow machines. A test that passes never waits that long.
	waitTimeout = 5 * time.Minute
	// firstPause is between the first two looks at a condition, longestPause between later ones:
	// each look at the metrics costs as much as a scrape.
	firstPause   = 10 * time.Millisecond
	longestPause = 300 * time.Millisecond
)

// eventually waits until check returns no error. what describes the wait; check returns what is
// still missing.
func eventually(t testing.TB, what string, check func() error) {
	t.Helper()
	pause := time.NewTimer(firstPause)
	defer pause.Stop()
	begin := time.Now()
	for next := firstPause; ; next = min(next*3/2, longestPause) {
		looked := time.Now()
		err := check()
		if err == nil {
			return
		}
		if time.Since(begin) > waitTimeout {
			t.Fatalf("%s: not within %s: %v", what, waitTimeout, err)
		}
		// Where a look takes long, what is waited for goes on in between.
		pause.Reset(max(next, 3*time.Since(looked)))
		<-pause.C
	}
}
