package main_test

import (
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
)

// TestRingCentralQueues: visits to queues that legs tell of are counted once, by the queue's name, over
// a kill, and calls are the same as without them.
func TestRingCentralQueues(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	queues := newOffice(t, at, rcsim.Settings{Account: world(t, unfoldingLog(202, rcsim.Mix(), 500))})
	queues.CallLog += ", queues: true"
	queues.visits = true
	seen := []time.Time{queues.Pause()}
	config := at.configureSources(settings{}, queues.item())
	for range 2 {
		x := start(t, at.vault, launch{config: config}).ready()
		for range 2 {
			x.counts(queues, seen...)
			queues.Advance(12 * time.Hour)
			seen = append(seen, queues.Visible())
		}
		x.kill()
	}
	x := start(t, at.vault, launch{config: config}).ready()
	x.counts(queues, seen...)
	x.stop()
}
