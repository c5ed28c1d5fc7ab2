package bench

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
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
			func() bool { return p.counted(b) == uint64(rows) })
		b.ReportMetric(float64(rows)/time.Since(p.Began).Seconds(), "rows/s")
		b.ReportMetric(float64(rows)/p.cpu(b).Seconds(), "rows/cpu-s")
		b.ReportMetric(peakRSS(b, p.pid()), "peak-MB")
		p.Kill()
	}
}

// counted asks the exporter how many records it has counted; 0 if it doesn't
// answer yet.
func (p *running) counted(b *testing.B) uint64 {
	answer, err := program.Get(b.Context(), "http://"+p.address+"/api/v1/status")
	if err != nil {
		return 0
	}
	var status struct {
		Sources []struct {
			Feeds []struct {
				Records uint64 `json:"records"`
			} `json:"feeds"`
		} `json:"sources"`
	}
	if json.Unmarshal(answer, &status) != nil || len(status.Sources) == 0 ||
		len(status.Sources[0].Feeds) == 0 {
		return 0
	}
	return status.Sources[0].Feeds[0].Records
}
