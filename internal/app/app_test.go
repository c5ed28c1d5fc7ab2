package app

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tenant is a simulated tenant with some calls, and a folder with a configuration
// that reads them.
type tenant struct {
	*sim.Server
	t      *testing.T
	folder string
}

func newTenant(t *testing.T) *tenant {
	t.Helper()
	to := time.Now().Add(-13 * time.Hour) // the longest calls have ended too
	settings := simulator.Historical(3, sim.DirectRoutingMix(), to.Add(-time.Hour), to, 500)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	world := simulator.NewWorld(settings)
	server, err := sim.Start(sim.Settings{DirectRouting: world})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	n := &tenant{Server: server, t: t, folder: t.TempDir()}
	require.NoError(t, server.WriteCA(filepath.Join(n.folder, "ca.pem")))
	return n
}

// write writes the configuration and says where it is.
func (n *tenant) write(storage, more string) string {
	n.t.Helper()
	text := fmt.Sprintf(`storage: {path: %s}
metrics: {zero_for: 0s}
sources:
  - name: contoso
    tls_config: {ca_file: ca.pem}
    msgraph: {tenant_id: %s, client_id: %s, client_secret: %s, login_url: "%s", graph_url: "%s",
      direct_routing: {interval: 1s}}
%s`, storage, sim.TenantID, sim.ClientID, n.ClientSecret, n.BaseURL(), n.BaseURL(), more)
	file := filepath.Join(n.folder, "config.yaml")
	writeFile(n.t, file, text)
	return file
}

// start starts the daemon until the test ends, with all providers unless some are given.
func start(t *testing.T, file string, providers ...collector.Provider) *App {
	t.Helper()
	return startWith(t, Settings{ConfigFile: file, ListenAddresses: []string{"127.0.0.1:0"}, Providers: providers})
}

// writeFile writes a file.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

// edit replaces a text of a file once.
func edit(t *testing.T, file, old, text string) {
	t.Helper()
	was, err := os.ReadFile(file)
	require.NoError(t, err)
	writeFile(t, file, strings.Replace(string(was), old, text, 1))
}

// reload reads the configuration again.
func reload(t *testing.T, a *App) {
	t.Helper()
	require.NoError(t, a.Reload())
}

// ask is the answer of the metrics port.
func ask(t *testing.T, a *App, method, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, "http://"+a.Addr()+path, http.NoBody)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(body)
}

// until waits for the metrics to have a line.
func until(t *testing.T, a *App, line string) {
	t.Helper()
	untilHas(t, a, line+"\n")
}

// calls is what the metrics have once the first history is shown.
const calls = "cdr_calls_total{"

// untilHas waits for the metrics to have a text.
func untilHas(t *testing.T, a *App, text string) {
	t.Helper()
	require.Eventually(t, "the metrics have "+text, func() bool {
		_, body := ask(t, a, http.MethodGet, "/metrics")
		return strings.Contains(body, text)
	})
}

const everyRow = `cdr_exporter_rows_total{feed="direct_routing",result="new",source="contoso"} 500`

// The daemon reads, and ends; Stop may be called twice.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	a := start(t, newTenant(t).write("data", ""))
	until(t, a, everyRow)
	require.Eventually(t, "ready", func() bool {
		code, _ := ask(t, a, http.MethodGet, "/-/ready")
		return code == http.StatusOK
	})
	for range 2 {
		require.NoError(t, a.Stop())
	}
	if err := a.Start(); err == nil {
		t.Error("started after it was stopped")
	}
}

// A changed key of redaction is taken over without a reload.
func TestHashKeyIsReadAgain(t *testing.T) {
	t.Parallel()
	n := newTenant(t)
	key := filepath.Join(n.folder, "key.txt")
	writeFile(t, key, "first")
	var log require.Output
	a := startWith(t, Settings{
		ConfigFile: n.write("data", "privacy: {hash_key_file: key.txt}\n"), ListenAddresses: []string{"127.0.0.1:0"},
		Logger: slog.New(slog.NewTextHandler(&log, nil)),
	})
	writeFile(t, key, "second")
	a.rereadFiles(t.Context())
	if got := string(a.running.Load().hashKey); got != "second" {
		t.Errorf("the key in use is %q", got)
	}
	require.NoError(t, os.Remove(key))
	for range 3 {
		a.rereadFiles(t.Context())
	}
	if got := string(a.running.Load().hashKey); got != "second" {
		t.Errorf("without the file the key in use is %q", got)
	}
	if n := strings.Count(log.String(), "Can't read privacy.hash_key again"); n != 1 {
		t.Errorf("it is logged %d times that the file can't be read", n)
	}
}

// The key of the hashes is the same as text and from a file, in which editors put a newline at the end.
func TestHashKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key.txt")
	writeFile(t, file, "k3y\n")
	for name, test := range map[string]struct {
		secret config.Secret
		want   []byte
	}{
		"not set":   {},
		"as text":   {config.NewSecret("k3y"), []byte("k3y")},
		"in a file": {config.NewSecretFile(file), []byte("k3y")},
	} {
		key, err := HashKey(t.Context(), &config.Config{Privacy: config.Privacy{HashKey: test.secret}})
		if string(key) != string(test.want) || (key == nil) != (test.want == nil) || err != nil {
			t.Errorf("%s: %q, %v", name, key, err)
		}
	}
}
