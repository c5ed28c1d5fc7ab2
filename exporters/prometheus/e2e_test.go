//go:build e2e

package prometheus

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// startPrometheus starts the binary in CDR_TOOLS_BIN with these features and this configuration, and returns where it
// is asked.
func startPrometheus(t *testing.T, features, text string) parts.API {
	t.Helper()
	binary := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "prometheus")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must hold prometheus: %v", err)
	}
	address, err := simulator.FreeAddress(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(text), 0o600))
	process, err := program.Start(dir, "prometheus", program.Command(context.WithoutCancel(t.Context()), binary,
		"--config.file="+config, "--web.listen-address="+address, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--enable-feature="+features))
	require.NoError(t, err)
	t.Cleanup(func() {
		if err := process.Stop(); err != nil || t.Failed() {
			t.Errorf("%v\n%v", err, process.Problem("was stopped"))
		}
	})
	return parts.API{Base: "http://" + address}
}

// query asks until there is an answer that isn't empty, and returns its values by direction.
func query(t *testing.T, api parts.API, expr string) map[string]string {
	t.Helper()
	all := make(map[string]string)
	require.Eventually(t, "answer to "+expr, func() bool {
		samples, err := api.Query(t.Context(), expr)
		for _, s := range samples {
			all[string(s.Metric["direction"])] = s.Value.String()
		}
		return err == nil && len(all) > 0 // it may not be up yet
	})
	return all
}

// TestE2EExemplars: a real Prometheus keeps the exemplars of counters and of buckets, from
// OpenMetrics and from protobuf, and finds them by the series.
func TestE2EExemplars(t *testing.T) {
	for _, c := range []struct{ name, protocols string }{
		{"OpenMetrics", "scrape_protocols: [OpenMetricsText1.0.0]"},
		{"protobuf", "scrape_native_histograms: true, always_scrape_classic_histograms: true"},
	} {
		t.Run(c.name, func(t *testing.T) {
			// client_golang writes a time as a float of its nanoseconds, in which a whole second is
			// exact; of most other milliseconds Prometheus, which cuts what follows the
			// millisecond off, may keep the one before.
			at := time.Now().Truncate(time.Second)
			server := httptest.NewServer(handler(t, withExemplars(at)...))
			defer server.Close()
			defer http.DefaultClient.CloseIdleConnections()
			api := startPrometheus(t, "created-timestamp-zero-ingestion,exemplar-storage", fmt.Sprintf(`
global: {scrape_interval: 1s, %s}
scrape_configs: [{job_name: cdr, static_configs: [{targets: [%q]}]}]
`, c.protocols, strings.TrimPrefix(server.URL, "http://")))
			for _, tc := range []struct {
				expr  string
				digit byte
				value string
			}{
				{`cdr_calls_total{direction="outbound"}`, 3, "1"},
				{`cdr_call_duration_seconds_bucket{le="5.0"}`, 1, "2.5"},
				{`cdr_call_duration_seconds_bucket{le="+Inf"}`, 2, "31.25"},
			} {
				want := exemplarOf(tc.digit, 0, at)
				got := exemplar(t, api, tc.expr, at)
				if got.Labels["trace_id"] != fmt.Sprintf("%x", want.TraceID) ||
					got.Labels["log_record_uid"] != string(want.RecordUID[:]) ||
					len(got.Labels) != 2 || got.Value != tc.value || int64(got.Timestamp*1000+0.5) != at.UnixMilli() {
					t.Errorf("%s has the exemplar %+v", tc.expr, got)
				}
			}
		})
	}
}

// storedExemplar is an exemplar as Prometheus tells it.
type storedExemplar struct {
	Labels    map[string]string
	Value     string
	Timestamp float64
}

// exemplar queries until Prometheus returns an exemplar. It must be the only one.
func exemplar(t *testing.T, api parts.API, expr string, at time.Time) storedExemplar {
	t.Helper()
	path := fmt.Sprintf("/api/v1/query_exemplars?query=%s&start=%d&end=%d", url.QueryEscape(expr), at.Unix()-60,
		at.Unix()+60)
	var out struct {
		Data []struct{ Exemplars []storedExemplar }
	}
	require.Eventually(t, "exemplar of "+expr, func() bool {
		return api.Read(t.Context(), path, &out) == nil && len(out.Data) > 0
	})
	if len(out.Data) != 1 || len(out.Data[0].Exemplars) != 1 {
		t.Fatalf("%s has the exemplars %+v", expr, out.Data)
	}
	return out.Data[0].Exemplars[0]
}
