//go:build e2e

package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// prometheus is a Prometheus that scrapes exporters.
type prometheus struct {
	*part
	parts.API
}

// startPrometheus starts one that takes metrics over OTLP, and scrapes an address with
// native histograms and start times.
func startPrometheus(t *testing.T, address, target string) *prometheus {
	t.Helper()
	folder := t.TempDir()
	config := filepath.Join(folder, "prometheus.yml")
	text := fmt.Sprintf(`global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: scraped
    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    scrape_protocols: [PrometheusProto]
    static_configs: [{targets: [%q]}]
`, target)
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	return awaitPrometheus(t, address, "--config.file="+config, "--storage.tsdb.path="+filepath.Join(folder, "data"),
		"--web.enable-otlp-receiver", "--enable-feature=created-timestamp-zero-ingestion")
}

// awaitPrometheus starts one at an address and waits until it is ready.
func awaitPrometheus(t *testing.T, address string, flags ...string) *prometheus {
	t.Helper()
	p := &prometheus{
		part: startPart(t, "prometheus", append(flags, "--web.listen-address="+address)...),
		API:  parts.API{Base: "http://" + address},
	}
	p.awaitReady()
	return p
}

func (p *prometheus) awaitReady() {
	p.t.Helper()
	eventually(p.t, "start Prometheus", func() error {
		p.running()
		return p.Ready(p.t.Context())
	})
}

// query evaluates an expression now.
func (p *prometheus) query(expression string) model.Vector {
	p.t.Helper()
	p.running()
	samples, err := p.Query(p.t.Context(), expression)
	require.NoError(p.t, err)
	return samples
}

// tables are the compared metrics of a feed as Prometheus has them: what was scraped,
// whose histograms are native, or what came over OTLP.
func (p *prometheus) tables(job, feed string) tables {
	p.t.Helper()
	selector := fmt.Sprintf(`{job=%q,source="contoso",provider="msgraph",feed=%q}`, job, feed)
	return p.compared(func(metric, part string) string {
		if job == "scraped" && part != "" {
			return "histogram_" + part + "(" + metric + selector + ")"
		}
		return strings.TrimSuffix(metric+"_"+part, "_") + selector
	})
}

// compared are the compared metrics, each by an expression for the counter, or for a histogram's count
// and sum.
func (p *prometheus) compared(expression func(metric, part string) string) tables {
	p.t.Helper()
	all := make(tables)
	for metric, labels := range harness.Compared {
		parts := []string{""}
		if !strings.HasSuffix(metric, "_total") {
			parts = []string{"count", "sum"}
		}
		for _, part := range parts {
			by := strings.Join(labels, ",")
			for _, s := range p.query(fmt.Sprintf("sum by (%s) (%s)", by, expression(metric, part))) {
				values := make([]any, len(labels))
				for i, label := range labels {
					values[i] = string(s.Metric[model.LabelName(label)])
				}
				all.Add(strings.TrimSuffix(metric+"_"+part, "_"), harness.Millionths(float64(s.Value)), values...)
			}
		}
	}
	return all
}

// startAtZero checks that every counter about the exporter that a rule reads exists from the start.
// A counter that first appears with its value isn't an increase for Prometheus.
func startAtZero(t *testing.T, fresh families) {
	t.Helper()
	read := make(map[string]bool)
	for _, group := range slices.Concat(rules.Default().Recording(), rules.Default().Alerting()) {
		for _, rule := range group.Rules {
			expression, err := parser.NewParser(parser.Options{}).ParseExpr(rule.Expr)
			require.NoError(t, err)
			parser.Inspect(expression, func(node parser.Node, _ []parser.Node) error {
				if series, is := node.(*parser.VectorSelector); is {
					read[series.Name] = true
				}
				return nil
			})
		}
	}
	found := 0
	for _, d := range metrics.SelfCatalogue() {
		if !read[d.Name] || d.Optional || d == metrics.Notifications {
			continue // of notifications there are none without a webhook
		}
		if found++; len(fresh.series(d.Name)) == 0 {
			t.Errorf("a rule reads %s, which a fresh exporter doesn't show", d.Name)
		}
		if d.Kind != metrics.Gauge && fresh.sum(d.Name) != 0 {
			t.Errorf("%s doesn't start at 0", d.Name)
		}
	}
	if found < 8 {
		t.Errorf("the rules read only %d of the exporter's own metrics: %v", found, read)
	}
}

// TestE2EPrometheus: a real Prometheus has the totals, scraped with native histograms and start
// times, and over OTLP. A first history isn't an increase in it, and later calls are.
func TestE2EPrometheus(t *testing.T) {
	t.Parallel()
	slow := unfolding(111, sim.PSTNMix(), 800)
	slow.Delays[0].Max = 30 * time.Hour
	faults, asked := simulator.NewFaults(0), make(chan struct{})
	answer := sync.OnceFunc(func() { close(asked) })
	faults.Hook(func(string) simulator.Fault { <-asked; return simulator.NoFault })
	n := newTenant(t, sim.Settings{
		PSTN:          simulator.NewWorld(slow),
		DirectRouting: simulator.NewWorld(unfolding(112, sim.DirectRoutingMix(), 800)), Faults: faults,
	})
	t.Cleanup(answer) // else a server whose requests wait can't close
	at := []time.Time{n.Pause()}
	address := free(t)
	x := n.start(settings{
		ZeroFor: "10s",
		OTLP:    fmt.Sprintf("{endpoint: %q, logs: false, interval: 1s}", "http://"+address+"/api/v1/otlp"),
	}).serving()
	fresh := x.scrape() // the provider has answered nothing
	answer()
	p := startPrometheus(t, address, x.addresses()[0])
	startAtZero(t, fresh)
	x.ready()
	has := func() {
		t.Helper()
		for feed, w := range n.worlds {
			want := view(w, at...).Metrics
			for _, job := range []string{"scraped", "cdr-exporter"} {
				eventually(t, "have the totals of "+feed+" in Prometheus, "+job, func() error {
					x.running()
					return diff(p.tables(job, feed), want)
				})
			}
		}
	}
	has()
	for metric := range harness.Compared {
		for _, s := range p.query(fmt.Sprintf(`sum(increase(%s{job="scraped"}[5m])) > 0`, metric)) {
			t.Errorf("%s rises by %g with the first history", metric, s.Value)
		}
	}
	before := x.scrape().sum("cdr_calls_total")
	n.Advance(24 * time.Hour)
	at = append(at, n.Visible())
	has()
	rise := x.scrape().sum("cdr_calls_total") - before
	eventually(t, "see the rise in Prometheus", func() error {
		// The rise of each series, from its last value before, 0 for a new one.
		samples := p.query(`sum(max_over_time(cdr_calls_total{job="scraped"}[30m])
			- min_over_time(cdr_calls_total{job="scraped"}[30m]))`)
		if len(samples) != 1 || float64(samples[0].Value) != rise {
			return fmt.Errorf("it rises by %v, want %g", samples, rise)
		}
		return nil
	})
	x.stop()
}

// TestE2EBackfill: promtool makes blocks of a history without
// changes. In a Prometheus with these blocks, the last value and the increase over the range of
// every compared metric are exactly the simulators' totals. The history covers one day, because
// promtool reads the text once for every two hours of it; calls are made in its first half.
func TestE2EBackfill(t *testing.T) {
	t.Parallel()
	from := time.Now().UTC().Truncate(time.Second).Add(-71 * time.Hour)
	to := from.Add(24 * time.Hour)
	e := newEstate(t, estateSettings{seed: 23, calls: 100, era: pastEra, worlds: func(s *simulator.Settings) {
		s.From, s.To = from.Add(time.Hour), from.Add(12*time.Hour)
	}})
	e.hold()
	e.backfill(t, e.configure(settings{}), from, to, "--label=job=cdr-history")
	blocks := e.path("blocks")
	made, err := exec.CommandContext(t.Context(), tool(t, "promtool"), "tsdb", "create-blocks-from", "openmetrics",
		e.path("past.om"), blocks).CombinedOutput()
	if err != nil {
		t.Fatalf("promtool: %v\n%s", err, made)
	}
	if all, err := filepath.Glob(filepath.Join(blocks, "*", "meta.json")); err != nil || len(all) < 12 {
		t.Fatalf("%d blocks, %v:\n%s", len(all), err, made)
	}
	p := awaitPrometheus(t, free(t), "--config.file="+e.write("prometheus.yml", "global: {}\n"),
		"--storage.tsdb.path="+blocks)
	window := to.Sub(from) + time.Minute
	for what, form := range map[string]string{
		"last":     fmt.Sprintf("%%s @ %d", to.Unix()),
		"increase": fmt.Sprintf("increase(%%s[%ds] @ %d)", int(window.Seconds()), to.Unix()),
	} {
		for _, place := range e.places() {
			for _, feed := range place.feeds() {
				got := p.past(form, place.source(), feed)
				if err := diff(got, place.tables(feed, e.at(place)...)); err != nil {
					t.Errorf("%s of %s/%s: %v", what, place.source(), feed, err)
				}
			}
		}
	}
	// Hours without calls would be lost sight of without samples in between.
	for _, hour := range []int{2, 6} {
		at := to.Unix() - int64(hour)*3600
		if got := p.query(fmt.Sprintf("count(cdr_calls_total @ %d)", at)); len(got) != 1 {
			t.Errorf("%d h ago no series is there", hour)
		}
	}
	// The median of durations comes from the classic buckets.
	got := p.query(fmt.Sprintf(`histogram_quantile(0.5, sum by (le) (
		increase(cdr_call_duration_seconds_bucket{source="acme"}[%ds] @ %d)))`, int(window.Seconds()), to.Unix()))
	if len(got) != 1 || got[0].Value <= 0 {
		t.Errorf("the median of durations is %v", got)
	}
}

// past are the compared metrics of a feed's history, each asked for in a form.
func (p *prometheus) past(form, source, feed string) tables {
	p.t.Helper()
	selector := fmt.Sprintf(`{job="cdr-history",source=%q,feed=%q}`, source, feed)
	return p.compared(func(metric, part string) string {
		return fmt.Sprintf(form, strings.TrimSuffix(metric+"_"+part, "_")+selector)
	})
}
