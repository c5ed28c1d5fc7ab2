package main_test

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
	"github.com/cdr-exporter/cdr-exporter/internal/smalldisk"
)

// fillDisk fills a file system to the last byte and returns the file that does.
func fillDisk(t *testing.T, name string) string {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	require.NoError(t, err)
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("fill the disk: %v", err)
	}
	require.NoError(t, f.Close())
	return name
}

// TestRestartOnAFullDisk (counting.md 29): on a disk without a free byte the exporter starts, says
// so, and shows what was counted; the reserve lets log records leave; with room again it goes on by
// itself.
func TestRestartOnAFullDisk(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(x *exporter, ledger string, fill func()){
		"stopped, its log removed, then full": func(x *exporter, ledger string, _ func()) {
			x.stop()
			for _, suffix := range []string{"-wal", "-shm"} {
				if err := os.Remove(ledger + "/ledger.db" + suffix); err != nil {
					x.t.Error(err)
				}
			}
		},
		"full, then killed": func(x *exporter, _ string, fill func()) { fill(); x.kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, sim.Settings{
				DirectRouting: simulator.NewWorld(unfolding(95, sim.DirectRoutingMix(), 1_000)),
			})
			if !smalldisk.Mount(t, n.ledger(), 24<<20) {
				return
			}
			at := n.Pause()
			r := newReceiver(t, n.vault, otlpsink.Settings{})
			r.Fail(otlpsink.Reply{OnlyLogs: true, Status: 503})
			set := settings{OTLP: r.overHTTP(", shutdown_timeout: 100ms"), Sources: []source{{PSTN: "-"}}}
			x := n.start(set).ready()
			x.counts(n, at)
			filling := n.ledger() + "/filling"
			end(x, n.ledger(), func() { fillDisk(t, filling) })
			fillDisk(t, filling) // also what the end has freed

			x = n.start(set).serving()
			x.counts(n, at)
			x.fails("contoso", directRouting, "full")
			r.ClearFailures()
			r.complete(n, at)
			require.NoError(t, os.Remove(filling))
			n.Resume()
			n.Advance(48 * time.Hour)
			later := n.Pause()
			x.counts(n, at, later)
			x.stop()
		})
	}
}
