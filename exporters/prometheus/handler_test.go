package prometheus

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	prom "github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const (
	acceptOpenMetrics = "application/openmetrics-text;version=1.0.0"
	acceptProtobuf    = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

func scrape(t *testing.T, h http.Handler, accept, encoding string) *http.Response {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody)
	req.Header.Set("Accept", accept)
	if encoding != "" {
		req.Header.Set("Accept-Encoding", encoding)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return rec.Result()
}

func body(t *testing.T, r io.ReadCloser) []byte {
	t.Helper()
	defer r.Close()
	b, err := io.ReadAll(r)
	require.NoError(t, err)
	return b
}

func handler(t *testing.T, families ...metrics.Family) http.Handler {
	t.Helper()
	return Handler(Gatherer{showing(families...)}, testLogger(t))
}

// ours are the lines of our own metrics, not of Go, the process or the build.
func ours(text []byte) []byte {
	var out bytes.Buffer
	for l := range strings.Lines(string(text)) {
		if strings.Contains(l, "cdr_") && !strings.Contains(l, "cdr_exporter_build_info") || l == "# EOF\n" {
			out.WriteString(l)
		}
	}
	return out.Bytes()
}

func TestGolden(t *testing.T) {
	for accept, file := range map[string]string{"text/plain": "metrics.txt", acceptOpenMetrics: "metrics.openmetrics"} {
		got := ours(body(t, scrape(t, handler(t, sample()...), accept, "").Body))
		golden.File(t, filepath.Join("testdata", file), got)
	}
}

func TestProtobufCarriesNativeBuckets(t *testing.T) {
	res := scrape(t, handler(t, sample()[0]), acceptProtobuf, "")
	var h *dto.Histogram
	dec := expfmt.NewDecoder(bytes.NewReader(body(t, res.Body)), expfmt.ResponseFormat(res.Header))
	for family := new(dto.MetricFamily); h == nil; family.Reset() {
		if err := dec.Decode(family); err != nil {
			t.Fatalf("decode: %v", err)
		}
		if family.GetName() == duration.Name {
			h = family.GetMetric()[0].GetHistogram()
		}
	}
	if n := decode(h); !slices.Equal(n.Indexes, []int32{1, 2, 6}) || !slices.Equal(n.Counts, []uint64{1, 1, 3}) ||
		n.Schema != 0 || n.Zeros != 1 {
		t.Errorf("native buckets %+v", n)
	}
	if len(h.GetBucket()) != 3 || !h.GetCreatedTimestamp().AsTime().Equal(start) {
		t.Errorf("%d classic buckets, created %v", len(h.GetBucket()), h.GetCreatedTimestamp().AsTime())
	}
}

func TestGzipOfRuntimeProcessAndBuild(t *testing.T) {
	r, err := gzip.NewReader(scrape(t, handler(t, sample()...), "text/plain", "gzip").Body)
	require.NoError(t, err)
	got := body(t, r)
	for _, want := range []string{
		"go_goroutines ", "process_start_time_seconds ", "cdr_exporter_build_info{", `goos="`, "cdr_calls_total{",
	} {
		if !bytes.Contains(got, []byte(want)) {
			t.Errorf("no %q", want)
		}
	}
}

// broken collects one good and one bad metric.
type broken struct{ good, bad *prom.Desc }

func (b broken) Describe(ch chan<- *prom.Desc) { ch <- b.good }

func (b broken) Collect(ch chan<- prom.Metric) {
	ch <- prom.MustNewConstMetric(b.good, prom.GaugeValue, 1)
	ch <- prom.NewInvalidMetric(b.bad, errors.New("it broke"))
}

func TestABadMetricIsLeftOutLoggedAndCounted(t *testing.T) {
	r := prom.NewRegistry()
	r.MustRegister(broken{prom.NewDesc("good", "good", nil, nil), prom.NewDesc("bad", "bad", nil, nil)})
	var log bytes.Buffer
	h := Handler(r, slog.New(slog.NewTextHandler(&log, nil)))
	scrape(t, h, "text/plain", "").Body.Close()
	res := scrape(t, h, "text/plain", "")
	got := string(body(t, res.Body))
	if res.StatusCode != http.StatusOK || !strings.Contains(got, "good 1\n") || strings.Contains(got, "bad 1") {
		t.Errorf("status %d:\n%s", res.StatusCode, got)
	}
	if !strings.Contains(got, `promhttp_metric_handler_errors_total{cause="gathering"} 1`) {
		t.Errorf("the fault wasn't counted:\n%s", got)
	}
	if !strings.Contains(log.String(), "it broke") {
		t.Errorf("log %q", log.String())
	}
}
