package main_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
)

// stormMemory is how much memory the process may take while a storm lasts, of which it
// takes more than half without one.
const stormMemory = 200 << 20

// TestNotificationStorm (guarantee 1; counting.md 4, 12): ten thousand notifications at
// once, of which half are doubled and a tenth forged, are answered at once, cost bounded
// memory, and count each call once. Graph is asked for nothing that was forged.
func TestNotificationStorm(t *testing.T) {
	t.Parallel()
	notifications := size(5_000)
	b := newSwitchboard(t, switchboardSettings{
		seed: 111, calls: notifications * 4 / 10, from: -time.Hour, to: -5 * time.Hour,
		graph: sim.Settings{Delivery: sim.Delivery{Lost: 1, RetryFirst: 100 * time.Millisecond, RetryMost: time.Second}},
	})
	x := b.launch(b.told(6*time.Hour), settings{}).ready()
	x.subscribed(b)
	b.pass(48 * time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var sent sim.StormSent
	taken := make(chan error, 1)
	go func() {
		var err error
		sent, err = b.Storm(ctx, notifications, 0.5, 0.1)
		taken <- err
	}()
	most := x.memoryUntil(taken)
	x.countsCalls(b)
	if most = max(most, x.memory()); most > stormMemory {
		t.Errorf("it took %.0f bytes of memory", most)
	}
	want := b.Notified()
	if sent.Records != notifications*4/10 || sent.Forged != notifications/10 || want.Delivered != sent.Records+sent.Duplicates || want.GivenUp > 0 {
		t.Errorf("sent were %+v, of which %+v", sent, want)
	}
	x.heard(b)
	if err := x.scrape().is(float64(sent.Records), "cdr_exporter_rows_total", "feed="+callRecords, "result=new"); err != nil {
		t.Error(err)
	}
	// All that was asked for is there; what was forged isn't.
	if n := b.asked(sim.EndpointCallRecord, 404); n != 0 {
		t.Errorf("%d records were asked for that were forged", n)
	}
	if n := b.asked(sim.EndpointCallRecord, 200); n < sent.Records || n > sent.Records+sent.Duplicates {
		t.Errorf("%d records were asked for, of %d notifications of %d", n, sent.Records+sent.Duplicates, sent.Records)
	}
	if want.Slow > 0 {
		t.Errorf("%d requests were answered slowly", want.Slow)
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

// memoryUntil is the most memory that the process takes until something has ended, which
// must be without an error.
func (x *exporter) memoryUntil(ended <-chan error) (most float64) {
	x.t.Helper()
	eventually(x.t, "weather the storm", func() error {
		x.running()
		most = max(most, x.memory())
		select {
		case err := <-ended:
			if err != nil {
				x.t.Fatal(err)
			}
			return nil
		default:
			return errors.New("it goes on")
		}
	})
	return most
}
