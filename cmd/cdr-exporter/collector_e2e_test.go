//go:build e2e

package main_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// startCollector starts an OpenTelemetry Collector that listens on an address.
func startCollector(t *testing.T, address, file string) {
	t.Helper()
	c := startPart(t, "otelcol", "--config="+file)
	eventually(t, "start the Collector", func() error {
		c.running()
		var dialer net.Dialer
		conn, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	})
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
	if err != nil {
		t.Fatal(err)
	}
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
			n := newTenant(t, sim.Settings{DirectRouting: world(t, unfolding(117, sim.DirectRoutingMix(), 300))})
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
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			startCollector(t, address, file)
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
				return asError(diff(got, exposed))
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
