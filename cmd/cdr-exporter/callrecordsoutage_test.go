package main_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestEveryRecordRefused (counting.md 30): while Graph lists call records and refuses each,
// with whatever status, that is an error of the feed: the watermark waits, nothing is set
// aside, and all are counted when Graph gives them again.
func TestEveryRecordRefused(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{"404": sim.NotYet, "400": sim.BadRequest, "500": simulator.InternalError} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newSwitchboard(t, morning(131, 90*time.Minute))
			x := b.launch(b.polled(time.Second), settings{}).ready()
			x.countsCalls(b)
			b.fails(sim.EndpointCallRecord, fault)
			began := float64(b.Now().Unix())
			b.pass(2 * time.Hour)
			x.awaits(b)
			if watermark, err := x.scrape().one("cdr_exporter_watermark_timestamp_seconds", "source=contoso"); err != nil || watermark > began+60 {
				t.Errorf("the watermark is %g s after the outage began, %v", watermark-began, err)
			}
			b.faults.Stop()
			x.countsCalls(b)
			eventually(t, "be as if nothing had been", func() error {
				if f := x.feed("contoso", callRecords); f.State != "ok" || f.LastError != "" || f.Watermark.Before(earlierNow(b).Add(-10*time.Minute)) {
					return fmt.Errorf("state %q, last error %q, watermark %s", f.State, f.LastError, f.Watermark)
				}
				return x.scrape().is(0, "cdr_exporter_tasks", "source=contoso", "state=set_aside")
			})
			x.stop()
		})
	}
}

// awaits waits until it is shown that records can't be fetched and wait.
func (x *exporter) awaits(b *switchboard) {
	x.t.Helper()
	before := b.asked(sim.EndpointCallRecord, 0)
	eventually(x.t, "show that no record can be fetched", func() error {
		x.running()
		m, f := x.scrape(), x.feed("contoso", callRecords)
		if f.State != "error" || lineWith(f.LastError, "no record can be fetched") == "" {
			return fmt.Errorf("state %q, last error %q", f.State, f.LastError)
		}
		if m.sum("cdr_exporter_tasks", "source=contoso", "state=waiting") == 0 || b.asked(sim.EndpointCallRecord, 0) < before+8 {
			return errors.New("too few wait")
		}
		return m.is(0, "cdr_exporter_tasks", "source=contoso", "state=set_aside")
	})
}
