package bench

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BenchmarkMillion lets the built binary read a million rows (CDR_BENCH_ROWS) of one day from the
// simulated Graph over HTTPS and reports its speed and its peak memory. A million takes about a
// minute.
func BenchmarkMillion(b *testing.B) {
	rows := amount(b, "CDR_BENCH_ROWS", 1_000_000)
	binary := buildBinary(b)
	to := time.Now().Add(-12 * time.Hour) // the longest calls have ended too
	settings := simulator.Historical(9, sim.DirectRoutingMix(), to.Add(-24*time.Hour), to, rows)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	server := startGraph(b, settings)
	for b.Loop() {
		p := startBinary(b, binary, server, b.TempDir(), "38h", "bench")
		p.await(b, 50*time.Millisecond, fmt.Sprintf("count %d rows", rows),
			func() bool { return countedBy(p.address) == uint64(rows) })
		b.ReportMetric(float64(rows)/time.Since(p.began).Seconds(), "rows/s")
		b.ReportMetric(float64(rows)/p.cpu(b).Seconds(), "rows/cpu-s")
		b.ReportMetric(peakRSS(b, p.pid()), "peak-MB")
		p.kill()
	}
}

// countedBy asks the exporter how many records it has counted; 0 if it doesn't
// answer yet.
func countedBy(address string) uint64 {
	res, err := http.Get("http://" + address + "/api/v1/status") //nolint:noctx // bounded by the benchmark
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	var status struct {
		Sources []struct {
			Feeds []struct {
				Records uint64 `json:"records"`
			} `json:"feeds"`
		} `json:"sources"`
	}
	if json.NewDecoder(res.Body).Decode(&status) != nil || len(status.Sources) == 0 ||
		len(status.Sources[0].Feeds) == 0 {
		return 0
	}
	return status.Sources[0].Feeds[0].Records
}
