package main_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// stormMemory is how much memory the process may take while a storm lasts, of which it
// takes more than half without one.
const stormMemory = 200 << 20

// TestNotificationStorm (guarantee 1; counting.md 4, 12): thousands of notifications at once, each
// of them doubled and some forged, are accepted, need limited memory, and count each call once. No
// forged notification causes a request to Graph.
func TestNotificationStorm(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, switchboardSettings{
		seed: 111, calls: 1_250, from: -time.Hour, to: -5 * time.Hour,
		graph: sim.Settings{Delivery: sim.Delivery{Duplicated: 1, Forged: 0.2, Retry: 100 * time.Millisecond}},
	})
	x := b.launch(b.subscribed(6*time.Hour), settings{}).ready()
	x.subscribed(b)
	b.NotificationsPaused.Store(true)
	b.pass(48 * time.Hour)
	b.Deliver() // queues what is due
	b.NotificationsPaused.Store(false)
	most := x.memoryUntil(b.NotificationsWaiting)
	x.countsCalls(b)
	if most = max(most, x.memory()); most > stormMemory {
		t.Errorf("it took %.0f bytes of memory", most)
	}
	sent, records := b.Notified(), b.totals().Records
	if sent.Copies < records || sent.Delivered != 2*sent.Copies || sent.Forged == 0 {
		t.Errorf("of %d records there were sent %+v", records, sent)
	}
	x.heard(b)
	if err := x.scrape().is(float64(records), "cdr_exporter_rows_total", "feed="+callRecords,
		"result=new"); err != nil {
		t.Error(err)
	}
	// Every requested record exists; forged ones don't.
	if n := b.asked(sim.EndpointCallRecord, 404); n != 0 {
		t.Errorf("%d requests for forged records", n)
	}
	if n := b.asked(sim.EndpointCallRecord, 200); n < records || n > sent.Delivered {
		t.Errorf("%d requests for records, after %d notifications of %d", n, sent.Delivered, records)
	}
	if sent.Refused*10 > sent.Delivered { // a busy machine may be slow now and then; what was refused was sent again
		t.Errorf("%d requests weren't answered in time, or not accepted", sent.Refused)
	}
	x.stop()
}

// memory is what the process takes.
func (x *exporter) memory() float64 {
	x.t.Helper()
	bytes, err := x.scrape().one("process_resident_memory_bytes")
	if err != nil {
		x.t.Fatal(err)
	}
	return bytes
}

// memoryUntil is the most memory that the process takes until no notification waits.
func (x *exporter) memoryUntil(waiting func() int) (most float64) {
	x.t.Helper()
	eventually(x.t, "weather the storm", func() error {
		x.running()
		most = max(most, x.memory())
		if n := waiting(); n > 0 {
			return fmt.Errorf("%d notifications wait", n)
		}
		return nil
	})
	return most
}
