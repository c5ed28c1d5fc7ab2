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
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
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
	if err := os.WriteFile(filepath.Join(c.folder, "otelcol.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
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

// distinct counts the distinct log records by feed and event.
func (c *otelcol) distinct() map[string]int {
	c.t.Helper()
	seen, counts := make(map[string]bool), make(map[string]int)
	for _, request := range lines[jsonLogs](c.t, filepath.Join(c.folder, "logs.json")) {
		for _, resource := range request.ResourceLogs {
			for _, scope := range resource.ScopeLogs {
				for _, record := range scope.LogRecords {
					has := attributes(record.Attributes)
					if uid := has["log.record.uid"]; uid == "" || !seen[uid] {
						seen[uid] = true
						counts[has["cdr.feed"]+" "+record.EventName]++
					}
				}
			}
		}
	}
	return counts
}

// jsonMetrics is a request with metrics.
type jsonMetrics struct {
	ResourceMetrics []struct {
		ScopeMetrics []struct {
			Metrics []struct {
				Name                  string
				Gauge, Sum, Histogram struct{ DataPoints []jsonPoint }
			}
		}
	}
}

// jsonPoint is a point of a gauge, sum or histogram. Whole numbers are texts.
type jsonPoint struct {
	Attributes []keyValue
	AsDouble   float64
	AsInt      string
	Count      string
	Sum        float64
	Exemplars  []struct{ TraceID, SpanID string }
}

// points are the points of the last request with a metric.
func (c *otelcol) points() []otlpsink.Point {
	c.t.Helper()
	newest := make(map[string]otlpsink.Point)
	number := func(text string) float64 {
		if text == "" {
			return 0 // is left out
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		return v
	}
	for _, request := range lines[jsonMetrics](c.t, filepath.Join(c.folder, "metrics.json")) {
		for _, resource := range request.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, m := range scope.Metrics {
					for _, d := range m.Gauge.DataPoints {
						p := otlpsink.Point{
							Name: m.Name, Kind: otlpsink.Gauge, Attributes: attributes(d.Attributes),
							Value: d.AsDouble,
						}
						newest[m.Name+labelText(p.Attributes)] = p
					}
					for _, d := range m.Sum.DataPoints {
						p := otlpsink.Point{
							Name: m.Name, Kind: otlpsink.Sum, Attributes: attributes(d.Attributes),
							Value: d.AsDouble,
						}
						p.Value += number(d.AsInt)
						newest[m.Name+labelText(p.Attributes)] = p
					}
					for _, d := range m.Histogram.DataPoints {
						newest[m.Name+labelText(attributes(d.Attributes))] = otlpsink.Point{
							Name: m.Name, Kind: otlpsink.Histogram, Attributes: attributes(d.Attributes),
							Count: uint64(number(d.Count)), Sum: d.Sum,
						}
					}
				}
			}
		}
	}
	all := make([]otlpsink.Point, 0, len(newest))
	for _, p := range newest {
		all = append(all, p)
	}
	return all
}

// TestE2ECollector: a real OpenTelemetry Collector has every log record and the metrics,
// by HTTP and by gRPC, also after it was away.
func TestE2ECollector(t *testing.T) {
	t.Parallel()
	for name, otlp := range map[string]func(*otelcol) string{
		"http": func(c *otelcol) string { return fmt.Sprintf("{endpoint: %q, interval: 1s}", "http://"+c.http) },
		"grpc": func(c *otelcol) string {
			return fmt.Sprintf("{endpoint: %q, protocol: grpc, interval: 1s}", "http://"+c.grpc)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := newTenant(t, sim.Settings{
				PSTN:          world(t, unfolding(115, sim.PSTNMix(), 600)),
				DirectRouting: world(t, unfolding(116, sim.DirectRoutingMix(), 600)),
			})
			at := []time.Time{n.Pause()}
			c := newOtelcol(t)
			c.start()
			x := n.start(settings{OTLP: otlp(c)}).ready()
			x.counts(n, at...)
			c.has(x, n, at...)

			c.stop()
			n.Advance(24 * time.Hour)
			at = append(at, n.Visible())
			x.counts(n, at...)
			eventually(t, "notice that the Collector is away", func() error {
				if s := x.status().OTLP; s.State != "error" {
					return fmt.Errorf("the state of OTLP is %s", s.State)
				}
				return nil
			})
			c.start()
			c.has(x, n, at...)
			x.stop()
			n.vault.searchFolder(c.folder)
		})
	}
}

// has waits until the Collector has all that a reader met at these instants.
func (c *otelcol) has(x *exporter, n *tenant, at ...time.Time) {
	c.t.Helper()
	want := make(map[string]int)
	for feed, w := range n.worlds {
		want[feed+" "+eventCall] = view(w, at...).Records
		if revised := changes(w, at...); revised > 0 {
			want[feed+" "+eventRevised] = revised
		}
	}
	eventually(c.t, "have every log record in the Collector", func() error {
		x.running()
		c.running()
		if got := c.distinct(); fmt.Sprint(got) != fmt.Sprint(want) {
			return fmt.Errorf("it has %v, want %v", got, want)
		}
		return nil
	})
	names := make(map[string]*metrics.Def)
	for _, d := range metrics.Catalogue() {
		if !byTime(d.Name) {
			names[d.OTel] = d
		}
	}
	eventually(c.t, "have the metrics in the Collector", func() error {
		x.running()
		exposed := x.scrape().allTables()
		for metric := range exposed {
			if strings.Contains(metric, "_bucket_") || byTime(metric) { // the file holds no buckets here
				delete(exposed, metric)
			}
		}
		return asError(diff(pointTables(c.points(), names), exposed))
	})
}

// byTime says whether a metric also changes because time passes.
func byTime(metric string) bool {
	return metric == metrics.MediaBypassRatio.Name || metric == metrics.PeakConcurrency.Name
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
