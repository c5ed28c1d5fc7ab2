package bench

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BenchmarkStart starts the program on a ledger with ten million ids (CDR_BENCH_IDS) and reports
// the time until it is ready, and the CPU time and memory until then. The provider has no calls.
// Filling the ledger takes minutes: run it by name.
func BenchmarkStart(b *testing.B) {
	byName(b)
	pages := amount(b, "CDR_BENCH_IDS", 10_000_000) / 1000
	now := time.Now()
	server := startGraph(b, simulator.Historical(9, sim.DirectRoutingMix(), now.Add(-48*time.Hour),
		now.Add(-47*time.Hour), 0))
	folder := b.TempDir()
	i := openIDs(b, filepath.Join(folder, "data"), openSource(b, server, http.DefaultTransport).Feeds[0].Fingerprint)
	for n := range pages {
		i.fill(n)
		i.commit(b, n)
	}
	for { // so that no log records wait for an endpoint that isn't configured
		batch, err := i.ledger.Logs().Next(b.Context(), 0)
		require.NoError(b, err)
		if batch == nil {
			break
		}
		require.NoError(b, i.ledger.Logs().Ack(b.Context(), batch.ID))
	}
	require.NoError(b, i.ledger.Close())
	binary := buildBinary(b)
	for b.Loop() {
		p := startBinary(b, binary, server, folder, "24h", "bench")
		p.ready(b)
		b.ReportMetric(float64(time.Since(p.Began).Milliseconds()), "ready-ms")
		b.ReportMetric(float64(p.cpu(b).Milliseconds()), "cpu-ms")
		b.ReportMetric(peakRSS(b, p.pid()), "peak-MB")
		if got := p.counted(b); got != uint64(pages)*1000 {
			b.Fatalf("the program knows %d records of %d", got, pages*1000)
		}
		p.Kill()
	}
}

// BenchmarkIdle lets the program poll twenty feeds each minute, without new rows, for five minutes,
// and reports the share of a core. Each feed has a thousand calls of the day before. Run it by
// name.
func BenchmarkIdle(b *testing.B) {
	byName(b)
	const feeds, watched = 20, 5 * time.Minute
	to := time.Now().Add(-12 * time.Hour)
	server := startGraph(b, simulator.Historical(9, sim.DirectRoutingMix(), to.Add(-12*time.Hour), to, 1000))
	server.Pause()
	names := make([]string, feeds)
	for i := range names {
		names[i] = fmt.Sprintf("bench-%d", i+1)
	}
	p := startBinary(b, buildBinary(b), server, b.TempDir(), "25h", names...)
	p.ready(b)
	for b.Loop() {
		before := p.cpu(b)
		select {
		case <-time.After(watched):
		case <-p.Done:
			b.Fatal(p.Ended())
		}
		b.ReportMetric(100*(p.cpu(b)-before).Seconds()/watched.Seconds(), "%-of-a-core")
	}
	b.ReportMetric(peakRSS(b, p.pid()), "peak-MB")
}
