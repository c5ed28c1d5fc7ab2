package main_test

import (
	"testing"
	"time"

	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
)

// TestRingCentralQueues: visits to queues that legs tell of are counted once, by the queue's name,
// over a kill, and calls are the same as without them.
func TestRingCentralQueues(t *testing.T) {
	t.Parallel()
	at := newSite(t)
	o := newOffice(t, at, rcsim.Settings{Account: world(t, unfoldingLog(205, rcsim.Mix(), 750))})
	o.CallLog += ", queues: true"
	o.visits = true
	seen := []time.Time{o.Pause()}
	x := start(t, at.vault, launch{config: at.configureSources(settings{}, o.item())}).ready()
	x.counts(o, seen...)
	o.Advance(24 * time.Hour)
	seen = append(seen, o.Visible())
	x.kill()
	x = start(t, at.vault, launch{config: at.path("config.yaml")}).ready()
	x.counts(o, seen...)
	x.stop()
}
