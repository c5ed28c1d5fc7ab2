package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// buildBinary builds the program as it is released.
func buildBinary(b *testing.B) string {
	binary := filepath.Join(b.TempDir(), "cdr-exporter")
	require.NoError(b, program.Build(b.Context(), "..", binary))
	return binary
}

// amount is a number from the environment.
func amount(b *testing.B, variable string, usual int) int {
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("%s is %q, want a number", variable, text)
	}
	return n
}

// startGraph starts a simulated Graph with a world of direct routing calls.
func startGraph(b *testing.B, settings simulator.Settings) *sim.Server {
	world := simulator.NewWorld(settings)
	server, err := sim.Start(sim.Settings{DirectRouting: world})
	require.NoError(b, err)
	b.Cleanup(server.Close)
	return server
}

// running is a process of the program.
type running struct {
	*program.Process

	address string
}

// startBinary starts the program on the ledger "data" of a folder, with a source for each name that
// reads direct routing calls from the simulated Graph. It is killed when the benchmark ends.
func startBinary(b *testing.B, binary string, server *sim.Server, folder, history string, names ...string) *running {
	file := writeConfig(b, server, folder, history, names...)
	address, err := simulator.FreeAddress(b.Context())
	require.NoError(b, err)
	process, err := program.Start(folder, "cdr-exporter", exec.CommandContext(b.Context(), binary, "run",
		"--config.file="+file, "--web.listen-address="+address, "--log.level=error"))
	require.NoError(b, err)
	b.Cleanup(process.Kill)
	return &running{process, address}
}

// writeConfig writes a configuration with these sources.
func writeConfig(b *testing.B, server *sim.Server, folder, history string, names ...string) (file string) {
	require.NoError(b, server.WriteCA(filepath.Join(folder, "ca.pem")))
	var config strings.Builder
	config.WriteString("storage: {path: data}\nsources:\n")
	for _, name := range names {
		fmt.Fprintf(&config, `  - name: %s
    history: %s
    requests_per_minute: 1000000
    tls_config: {ca_file: ca.pem}
    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: "%s", graph_url: "%s", direct_routing: {}}
`, name, history, sim.TenantID, sim.ClientID, server.ClientSecret, server.BaseURL(), server.BaseURL())
	}
	file = filepath.Join(folder, "config.yaml")
	require.NoError(b, os.WriteFile(file, []byte(config.String()), 0o600))
	return file
}

func (p *running) pid() int { return p.Cmd.Process.Pid }

// await checks a condition at an interval, for 45 minutes at most.
func (p *running) await(b *testing.B, every time.Duration, what string, reached func() bool) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for !reached() {
		select {
		case <-p.Done:
			b.Fatalf("%s: %v", what, p.Ended())
		case <-tick.C:
		}
		if time.Since(p.Began) > 45*time.Minute {
			b.Fatalf("%s: not within 45 minutes", what)
		}
	}
}

// ready waits until the program says that it is ready.
func (p *running) ready(b *testing.B) {
	p.await(b, 5*time.Millisecond, "be ready", func() bool {
		_, err := program.Get(b.Context(), "http://"+p.address+"/-/ready")
		return err == nil
	})
}

// cpu is the processor time of the process up to now, to 10 ms.
func (p *running) cpu(b *testing.B) time.Duration {
	process, err := procfs.NewProc(p.pid())
	require.NoError(b, err)
	stat, err := process.Stat()
	require.NoError(b, err)
	return time.Duration(stat.CPUTime() * float64(time.Second))
}

// peakRSS is the most memory that a process had, in MB.
func peakRSS(b *testing.B, pid int) float64 {
	process, err := procfs.NewProc(pid)
	require.NoError(b, err)
	status, err := process.NewStatus()
	require.NoError(b, err)
	return float64(status.VmHWM) / (1 << 20)
}
