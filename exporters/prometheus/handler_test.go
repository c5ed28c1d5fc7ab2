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

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
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
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return b
}

func handler(t *testing.T) http.Handler {
	t.Helper()
	source := &fakeSource{}
	source.show(sample()...)
	h := Handler(Gatherer{source}, testLogger(t))
	return h
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
	tests := []struct{ name, accept, file string }{
		{"text", "text/plain", "metrics.txt"},
		{"OpenMetrics", acceptOpenMetrics, "metrics.openmetrics"},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			res := scrape(t, handler(t), tc.accept, "")
			if res.StatusCode != http.StatusOK {
				t.Fatalf("status %d", res.StatusCode)
			}
			got := ours(body(t, res.Body))
			golden.File(t, filepath.Join("testdata", tc.file), got)
		})
	}
}

func TestProtobufCarriesNativeBuckets(t *testing.T) {
	res := scrape(t, handler(t), acceptProtobuf, "")
	dec := expfmt.NewDecoder(bytes.NewReader(body(t, res.Body)), expfmt.ResponseFormat(res.Header))
	for {
		var family dto.MetricFamily
		err := dec.Decode(&family)
		if errors.Is(err, io.EOF) {
			t.Fatalf("no %s", duration.Name)
		}
		if err != nil {
			t.Fatalf("decode: %v", err)
		}
		if family.GetName() != duration.Name {
			continue
		}
		h := family.GetMetric()[0].GetHistogram()
		if n := decode(h); !slices.Equal(n.Indexes, []int32{1, 2, 6}) || !slices.Equal(n.Counts, []uint64{1, 1, 3}) {
			t.Errorf("native buckets %v: %v", n.Indexes, n.Counts)
		}
		if len(h.GetBucket()) != 3 || !h.GetCreatedTimestamp().AsTime().Equal(start) {
			t.Errorf("%d classic buckets, created %v", len(h.GetBucket()), h.GetCreatedTimestamp().AsTime())
		}
		return
	}
}

func TestGzip(t *testing.T) {
	res := scrape(t, handler(t), "text/plain", "gzip")
	if got := res.Header.Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding %q", got)
	}
	r, err := gzip.NewReader(bytes.NewReader(body(t, res.Body)))
	if err != nil {
		t.Fatalf("gzip: %v", err)
	}
	if got := body(t, r); !bytes.Contains(got, []byte(`cdr_calls_total{`)) {
		t.Errorf("no cdr_calls_total in\n%s", got)
	}
}

func TestRuntimeProcessAndBuildAreShown(t *testing.T) {
	got := body(t, scrape(t, handler(t), "text/plain", "").Body)
	for _, want := range []string{
		"go_goroutines ", "process_start_time_seconds ", "cdr_exporter_build_info{",
		`goos="`,
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
