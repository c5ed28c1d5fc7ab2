package bench

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// BenchmarkMillion has the built binary read a million rows from the simulated
// Graph over HTTPS and reports how fast, and its peak memory. It takes about a
// minute.
func BenchmarkMillion(b *testing.B) {
	const rows = 1_000_000
	folder := b.TempDir()
	binary := filepath.Join(folder, "cdr-exporter")
	build := exec.CommandContext(b.Context(), "go", "build", "-o", binary, "../cmd/cdr-exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	to := time.Now().Add(-12 * time.Hour) // the longest calls have ended too
	settings := simulator.Historical(9, sim.DirectRoutingMix(), to.Add(-24*time.Hour), to, rows)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	world, err := simulator.NewWorld(settings)
	if err != nil {
		b.Fatal(err)
	}
	server, err := sim.Start(sim.Settings{DirectRouting: world})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	for b.Loop() {
		readMillion(b, binary, b.TempDir(), server, rows)
	}
}

func readMillion(b *testing.B, binary, folder string, server *sim.Server, rows uint64) {
	if err := server.WriteCA(filepath.Join(folder, "ca.pem")); err != nil {
		b.Fatal(err)
	}
	config := fmt.Sprintf(`storage: {path: data}
sources:
  - name: bench
    history: 38h
    requests_per_minute: 1000000
    tls_config: {ca_file: ca.pem}
    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: "%s", graph_url: "%s", direct_routing: {}}
`, server.TenantID(), server.ClientID(), server.ClientSecret(), server.LoginURL(), server.GraphURL())
	file := filepath.Join(folder, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	address := freeAddress(b)
	process := exec.CommandContext(b.Context(), binary, "run", "--config.file="+file, "--web.listen-address="+address, "--log.level=warn")
	process.Stderr = os.Stderr
	began := time.Now()
	if err := process.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	}()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for range ticks.C {
		if got := countedBy(address); got == rows {
			break
		} else if got > rows || time.Since(began) > 5*time.Minute {
			b.Fatalf("counted %d of %d rows", got, rows)
		}
	}
	took := time.Since(began)
	b.ReportMetric(float64(rows)/took.Seconds(), "rows/s")
	b.ReportMetric(peakRSS(b, strconv.Itoa(process.Process.Pid)), "peak-MB")
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
	if json.NewDecoder(res.Body).Decode(&status) != nil || len(status.Sources) == 0 || len(status.Sources[0].Feeds) == 0 {
		return 0
	}
	return status.Sources[0].Feeds[0].Records
}

func freeAddress(b *testing.B) string {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // it took no connection
	return l.Addr().String()
}
