//go:build e2e

package prometheus

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// TestE2EReplicas: a feed moves from one replica to another and back, and more calls were counted
// each time it is scraped. With the relabelling that docs/prometheus.md shows Prometheus sees one
// series that rises by all of them, whatever it makes of start times; without, it sees two, and
// increase() is wrong. The series of inbound calls began hours ago, that of outbound calls within
// the hour.
func TestE2EReplicas(t *testing.T) {
	page, err := os.ReadFile("../../docs/prometheus.md")
	require.NoError(t, err)
	relabelling := regexp.MustCompile("(?s)\n(    metric_relabel_configs:\n.*?)```").FindSubmatch(page)
	if relabelling == nil {
		t.Fatal("docs/prometheus.md shows no relabelling")
	}
	sources, targets := map[string]*fakeSource{}, ""
	for _, name := range []string{"a", "b"} {
		sources[name] = new(fakeSource)
		server := httptest.NewServer(Handler(Gatherer{sources[name]}, testLogger(t)))
		defer server.Close()
		targets += fmt.Sprintf("{targets: [%q]},", strings.TrimPrefix(server.URL, "http://"))
	}
	defer http.DefaultClient.CloseIdleConnections()
	config := fmt.Sprintf(`
global: {scrape_interval: 1s, scrape_protocols: [PrometheusProto]}
scrape_configs:
  - {job_name: unfixed, static_configs: [%s]}
  - job_name: fixed
    static_configs: [%s]
%s`, targets, targets, relabelling[1])
	const zeros, starts = "created-timestamp-zero-ingestion", "st-storage,use-start-timestamps"
	apis := make(map[string]parts.API)
	for _, features := range []string{"exemplar-storage", zeros, starts} {
		apis[features] = startPrometheus(t, features, config)
		query(t, apis[features], "count(up == 1) == 4") // the first sample of all would be taken however old it is
	}
	now := time.Now()
	for _, step := range []struct {
		owner string
		calls float64
	}{{"a", 100}, {"b", 130}, {"b", 140}, {"a", 150}} {
		for _, source := range sources {
			source.show()
		}
		sources[step.owner].show(metrics.Family{Def: calls, Points: []metrics.Point{
			{
				Labels: set(calls, "contoso", "msgraph", "pstn", "inbound", ""), Start: now.Add(-5 * time.Hour),
				Value: step.calls,
			},
			{
				Labels: set(calls, "contoso", "msgraph", "pstn", "outbound", ""), Start: now.Add(-10 * time.Minute),
				Value: step.calls,
			},
		}})
		for _, api := range apis {
			query(t, api, fmt.Sprintf("count(max by (job, direction) (last_over_time(cdr_calls_total[5m])) == %g) == 4",
				step.calls))
		}
	}
	for features, api := range apis {
		t.Run(features, func(t *testing.T) {
			// What increase() counts, without its extrapolation: counters that don't fall rise from
			// their least value to their greatest.
			const rise = `sum by (direction) (max_over_time(cdr_calls_total{job=%q}[30m])
				- min_over_time(cdr_calls_total{job=%q}[30m]))`
			fixed := map[string]string{"inbound": "50", "outbound": "50"}
			// The calls of a, which came back to it, and again those of b, but not those before b's first scrape.
			unfixed := map[string]string{"inbound": "60", "outbound": "60"}
			if features == zeros { // before the very first sample of a series
				fixed["outbound"], unfixed["outbound"] = "150", "290"
			}
			for expr, want := range map[string]map[string]string{
				fmt.Sprintf(rise, "fixed", "fixed"):     fixed,
				fmt.Sprintf(rise, "unfixed", "unfixed"): unfixed,
				`count by (direction) (last_over_time(cdr_calls_total{job="fixed"}[30m]))`: {
					"inbound":  "1",
					"outbound": "1",
				},
				`sum by (direction) (resets(cdr_calls_total[30m]))`: {
					"inbound":  "0",
					"outbound": "0",
				},
				// Extrapolation aside, no start time was taken for a reset, which would add 100 and more.
				`sum by (direction) (increase(cdr_calls_total{job="fixed", direction="inbound"}[30m])) < bool 100`: {
					"inbound": "1",
				},
			} {
				if got := query(t, api, expr); !maps.Equal(got, want) {
					t.Errorf("%s = %v, want %v", expr, got, want)
				}
			}
		})
	}
}
