//go:build e2e

package main_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// otelcol is an OpenTelemetry Collector that writes what comes into files.
type otelcol struct {
	*part
	t          *testing.T
	folder     string
	http, grpc string // addresses
	prometheus string // where it shows the metrics
}

// newOtelcol configures one, and doesn't start it yet.
func newOtelcol(t *testing.T) *otelcol {
	t.Helper()
	c := &otelcol{t: t, folder: t.TempDir(), http: free(t), grpc: free(t), prometheus: free(t)}
	text := fmt.Sprintf(`receivers:
  otlp: {protocols: {http: {endpoint: %q}, grpc: {endpoint: %q}}}
exporters:
  file/logs: {path: %q, append: true, flush_interval: 100ms}
  file/metrics: {path: %q, append: true, flush_interval: 100ms}
  file/traces: {path: %q, append: true, flush_interval: 100ms}
  prometheus: {endpoint: %q}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file/logs]}
    metrics: {receivers: [otlp], exporters: [file/metrics, prometheus]}
    traces: {receivers: [otlp], exporters: [file/traces]}
`, c.http, c.grpc, filepath.Join(c.folder, "logs.json"), filepath.Join(c.folder, "metrics.json"),
		filepath.Join(c.folder, "traces.json"), c.prometheus)
	require.NoError(t, os.WriteFile(filepath.Join(c.folder, "otelcol.yaml"), []byte(text), 0o600))
	return c
}

// start starts it, again too.
func (c *otelcol) start() {
	c.t.Helper()
	c.run(filepath.Join(c.folder, "otelcol.yaml"))
}

// run starts it with a configuration.
func (c *otelcol) run(file string) {
	c.t.Helper()
	c.part = startPart(c.t, "otelcol", "--config="+file)
	eventually(c.t, "start the Collector", func() error {
		c.running()
		var dialer net.Dialer
		for _, address := range []string{c.http, c.grpc} {
			conn, err := dialer.DialContext(c.t.Context(), "tcp", address)
			if err != nil {
				return err
			}
			_ = conn.Close()
		}
		return nil
	})
}

// lines decodes the whole lines of a file.
func lines[T any](t *testing.T, file string) []T {
	t.Helper()
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	require.NoError(t, err)
	var all []T
	for line := range bytes.Lines(data) {
		if !bytes.HasSuffix(line, []byte("\n")) {
			break // still being written
		}
		var one T
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, one)
	}
	return all
}

// keyValue is an attribute in OTLP's JSON.
type keyValue struct {
	Key   string
	Value struct{ StringValue string }
}

func attributes(list []keyValue) map[string]string {
	all := make(map[string]string, len(list))
	for _, a := range list {
		all[a.Key] = a.Value.StringValue
	}
	return all
}

// jsonLogs is a request with logs.
type jsonLogs struct {
	ResourceLogs []struct {
		ScopeLogs []struct {
			LogRecords []struct {
				EventName  string
				Attributes []keyValue
			}
		}
	}
}

// eachLog calls f with each log record's uid, and its feed and event.
func (c *otelcol) eachLog(f func(uid, what string)) {
	c.t.Helper()
	for _, request := range lines[jsonLogs](c.t, filepath.Join(c.folder, "logs.json")) {
		for _, resource := range request.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				for _, record := range scope.LogRecords {
					has := attributes(record.Attributes)
					f(has["log.record.uid"], has["cdr.feed"]+" "+record.EventName)
				}
			}
		}
	}
}

// distinct counts the distinct log records by feed and event.
func (c *otelcol) distinct() map[string]int {
	c.t.Helper()
	seen, counts := make(map[string]bool), make(map[string]int)
	c.eachLog(func(uid, what string) {
		if uid == "" || !seen[uid] {
			seen[uid] = true
			counts[what]++
		}
	})
	return counts
}

var (
	recipe   = regexp.MustCompile("\n### ([^\n]+)\n(?:[^#\n][^\n]*\n|\n)*?```yaml\n((?s:receivers:\n.*?))```")
	backEnd  = regexp.MustCompile(`https://[a-z.]+(:9200)?(/otlp|/_otlp|/api/v1/otlp)?`)
	variable = regexp.MustCompile(`\$\{env:[A-Z_]+\}`)
)

// TestE2ECollectorRecipes runs each recipe of docs/otlp.md as it is there, but for addresses and
// secrets: every log record and all that is counted arrives, with the temporality that the back end
// wants.
func TestE2ECollectorRecipes(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "otlp.md"))
	require.NoError(t, err)
	wanted := map[string]struct {
		header, value    string
		sums, histograms bool // are deltas
	}{
		"Grafana Loki and Prometheus": {},
		"Elasticsearch":               {header: "authorization", value: "ApiKey hush", histograms: true},
		"Datadog":                     {header: "dd-api-key", value: "hush", sums: true, histograms: true},
	}
	found := recipe.FindAllStringSubmatch(string(page), -1)
	if len(found) != len(wanted) {
		t.Fatalf("docs/otlp.md has %d recipes, want %d", len(found), len(wanted))
	}
	names := make(map[string]*metrics.Def)
	for _, d := range metrics.Catalogue() {
		names[d.OTel] = d
	}
	for _, one := range found {
		name, text := one[1], one[2]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want, known := wanted[name]
			if !known {
				t.Fatal("nobody says what the back end wants")
			}
			n := newTenant(t, sim.Settings{
				DirectRouting: simulator.NewWorld(unfolding(117, sim.DirectRoutingMix(), 300)),
			})
			sink := otlpsink.Settings{}
			if want.header != "" {
				sink.Headers = map[string]string{want.header: want.value}
			}
			r := newReceiver(t, n.vault, sink)
			address := free(t)
			text = strings.ReplaceAll(text, "127.0.0.1:4318", address)
			text = variable.ReplaceAllString(backEnd.ReplaceAllString(text, r.URL()), "hush")
			text += "  telemetry: {metrics: {level: none}}\n"
			file := filepath.Join(t.TempDir(), "otelcol.yaml")
			require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
			c := &otelcol{t: t, http: address, grpc: address}
			c.run(file)
			at := []time.Time{n.Pause()}
			x := n.start(settings{OTLP: fmt.Sprintf("{endpoint: %q, interval: 1s}", "http://"+address)}).ready()
			x.counts(n, at...)
			eventually(t, "have the first history behind the Collector", func() error {
				if len(r.Metric("cdr.media_bypass_ratio")) == 0 {
					return errors.New("it isn't there")
				}
				return nil
			})
			history := x.scrape().allTables()
			n.Advance(24 * time.Hour)
			at = append(at, n.Visible())
			x.counts(n, at...)
			r.delivered(n, directRouting, at...)
			eventually(t, "have the metrics behind the Collector", func() error {
				exposed := x.scrape().allTables()
				for metric := range exposed {
					if strings.Contains(metric, "_bucket_") || !strings.HasPrefix(metric, "cdr_call") ||
						metric == metrics.PeakConcurrency.Name {
						delete(exposed, metric)
						continue
					}
					if histogram := strings.HasSuffix(metric, "_count") ||
						strings.HasSuffix(metric, "_sum"); want.histograms && histogram || want.sums && !histogram {
						for labels := range exposed[metric] {
							exposed[metric][labels] -= history[metric][labels] // the first history isn't an increase
						}
					}
				}
				got := pointTables(r.Metrics(), names)
				for metric := range got {
					if _, there := exposed[metric]; !there {
						delete(got, metric)
					}
				}
				return diff(got, exposed)
			})
			for _, p := range r.Metrics() {
				if deltas := p.Kind == otlpsink.Sum && want.sums || p.Kind == otlpsink.Histogram &&
					want.histograms; p.Delta != deltas {
					t.Errorf("%s is a delta: %t, want %t", p.Name, p.Delta, deltas)
				}
			}
			x.stop()
		})
	}
}
