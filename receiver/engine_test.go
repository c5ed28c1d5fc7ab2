package cdrreceiver

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const calls = 300

// newTenant is a simulated tenant whose calls are all there, and the configuration of a receiver that reads it.
func newTenant(t *testing.T) map[string]any {
	t.Helper()
	to := time.Now().Add(-25 * time.Hour) // after a day a call gets its span, whatever isn't known of it
	settings := simulator.Historical(3, sim.DirectRoutingMix(), to.Add(-time.Hour), to, calls)
	settings.Delays, settings.Revised, settings.Duplicated = nil, 0, 0
	server, err := sim.Start(sim.Settings{DirectRouting: simulator.NewWorld(settings)})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	ca := t.TempDir() + "/ca.pem"
	require.NoError(t, server.WriteCA(ca))
	return map[string]any{
		"storage": map[string]any{"path": t.TempDir() + "/ledger"},
		"otlp":    map[string]any{"interval": "1s"},
		"sources": []any{map[string]any{
			"name": "contoso", "history": "48h", "tls_config": map[string]any{"ca_file": ca},
			"requests_per_minute": 100000,
			"msgraph": map[string]any{
				"tenant_id": sim.TenantID, "client_id": sim.ClientID, "client_secret": server.ClientSecret,
				"login_url": server.BaseURL(), "graph_url": server.BaseURL(),
				"direct_routing": map[string]any{"interval": "1s"},
			},
		}},
	}
}

func configOf(t *testing.T, f receiver.Factory, raw map[string]any) component.Config {
	t.Helper()
	c := f.CreateDefaultConfig()
	require.NoError(t, confmap.NewFromStringMap(raw).Unmarshal(c))
	return c
}

// TestOneEngine: what pipelines of several signals name is one receiver, which starts and stops
// once; a second of the same ledger doesn't start, and after a reload of the Collector the same
// goes on with a new configuration.
func TestOneEngine(t *testing.T) {
	f, raw := NewFactory(), newTenant(t)
	set := receivertest.NewNopSettings(f.Type())
	logs, points := new(consumertest.LogsSink), new(consumertest.MetricsSink)
	for run := range 2 {
		c := configOf(t, f, raw)
		ofLogs, err := f.CreateLogs(t.Context(), set, c, logs)
		require.NoError(t, err)
		ofMetrics, err := f.CreateMetrics(t.Context(), set, c, points)
		require.NoError(t, err)
		if component.Component(ofLogs) != component.Component(ofMetrics) {
			t.Fatal("two signals of one configuration have two engines")
		}
		starting, end := context.WithCancel(t.Context())
		for _, r := range []component.Component{ofLogs, ofMetrics} {
			require.NoError(t, r.Start(starting, componenttest.NewNopHost()))
		}
		end() // the engine lives longer
		require.Eventually(t, "all has arrived", func() bool {
			return logs.LogRecordCount() >= calls && points.DataPointCount() > 0
		})
		if run == 0 {
			other, err := f.CreateLogs(t.Context(), set, configOf(t, f, raw), logs)
			require.NoError(t, err)
			if err := other.Start(t.Context(), componenttest.NewNopHost()); err == nil ||
				!strings.Contains(err.Error(), "open ledger") {
				t.Errorf("a second engine of one ledger starts, or says %v", err)
			}
			if err := other.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		for _, r := range []component.Component{ofLogs, ofMetrics} {
			if err := r.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		points.Reset()
	}
	if n := logs.LogRecordCount(); n != calls {
		t.Errorf("the pipelines have %d log records, want %d", n, calls)
	}
}

// TestWithoutLogs: without a pipeline of logs nothing waits for one, and a shutdown that may not wait says so.
func TestWithoutLogs(t *testing.T) {
	f := NewFactory()
	points := new(consumertest.MetricsSink)
	r, err := f.CreateMetrics(t.Context(), receivertest.NewNopSettings(f.Type()), configOf(t, f, newTenant(t)), points)
	require.NoError(t, err)
	if err := r.Shutdown(t.Context()); err != nil { // as after another component's failed start
		t.Error(err)
	}
	require.NoError(t, r.Start(t.Context(), componenttest.NewNopHost()))
	require.Eventually(t, "all calls are counted", func() bool { return sumOf(points, "cdr.calls") == calls })
	if n := sumOf(points, "cdr.exporter.otlp.records"); n != 0 {
		t.Errorf("%d log records were sent", n)
	}
	none, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("no time"))
	if err := r.Shutdown(none); err != nil && !strings.Contains(err.Error(), "no time") {
		t.Error(err)
	}
	if err := r.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// sumOf is the newest sum of a metric of whole numbers.
func sumOf(sink *consumertest.MetricsSink, metric string) (sum int64) {
	for _, request := range sink.AllMetrics() {
		if n, there := sumIn(request, metric); there {
			sum = n
		}
	}
	return sum
}

// sumIn sums the points of a metric in a request, if it is there.
func sumIn(request pmetric.Metrics, metric string) (sum int64, there bool) {
	for _, resource := range request.ResourceMetrics().All() {
		for _, scope := range resource.ScopeMetrics().All() {
			for _, m := range scope.Metrics().All() {
				if m.Name() != metric {
					continue
				}
				there = true
				for _, p := range m.Sum().DataPoints().All() {
					sum += p.IntValue()
				}
			}
		}
	}
	return sum, there
}
