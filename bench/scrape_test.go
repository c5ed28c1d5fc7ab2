package bench

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	victoria "github.com/VictoriaMetrics/metrics"
	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cdr-exporter/cdr-exporter/exporters/prometheus"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A scrapeFormat is what a scraper asks for.
type scrapeFormat struct{ name, accept, encoding string }

// scrapeFormats are the formats that a Prometheus asks for.
var scrapeFormats = []scrapeFormat{
	scrapeText,
	{"text-gzip", scrapeText.accept, "gzip"},
	{"openmetrics", "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8", ""},
	{"protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", ""},
}

var scrapeText = scrapeFormat{"text", "text/plain;version=0.0.4;escaping=allow-utf-8", ""}

// scrapeLabels are the label values of the i-th series of cdr_calls_total, after
// the base labels.
func scrapeLabels(i int) []string {
	outcomes := []string{"answered", "busy", "failed", "no_answer"}
	return []string{
		[]string{"inbound", "outbound"}[i%2], "byot_out_user_forwarding", outcomes[i/2%len(outcomes)],
		"sbc" + strconv.Itoa(i/8) + ".example.com", "false",
	}
}

// rawHandler serves n of client_golang's own counters, and the Go and process collectors, which
// ours serves too.
func rawHandler(n int) http.Handler {
	vec := prom.NewCounterVec(prom.CounterOpts{Name: metrics.Calls.Name, Help: metrics.Calls.Help},
		metrics.Calls.LabelNames())
	for i := range n {
		vec.WithLabelValues(append([]string{"contoso", "msgraph", "direct_routing"}, scrapeLabels(i)...)...).
			Add(float64(i))
	}
	r := prom.NewRegistry()
	r.MustRegister(vec, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(r, promhttp.HandlerOpts{
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: true,
	})
}

// ourHandler serves n series of the store that the ledger keeps.
func ourHandler(b *testing.B, n int) http.Handler {
	store := metrics.NewStore(metrics.Options{SeriesLimit: n + 1, Native: true}, time.Now)
	feed := metrics.NewFeed("contoso", "msgraph", "direct_routing", true)
	store.Active(feed, true)
	for i := range n {
		row := metrics.Stored{
			ID: int64(i + 1), Metric: metrics.Calls.Name, LabelValues: scrapeLabels(i),
			Start: time.Unix(1_790_000_000, 0), Shown: true, Value: strconv.Itoa(i),
		}
		require.NoError(b, store.Load(feed, metrics.Calls, row))
	}
	return prometheus.Handler(prometheus.Gatherer{store}, slog.New(slog.DiscardHandler))
}

// victoriaHandler serves n counters of VictoriaMetrics' package, which writes text alone. It
// compresses as promhttp does.
func victoriaHandler(n int) http.Handler {
	set := victoria.NewSet()
	for i := range n {
		var name strings.Builder
		values := append([]string{"contoso", "msgraph", "direct_routing"}, scrapeLabels(i)...)
		for k, label := range metrics.Calls.LabelNames() {
			fmt.Fprintf(&name, ",%s=%q", label, values[k])
		}
		set.NewCounter(metrics.Calls.Name + "{" + name.String()[1:] + "}").Set(uint64(i))
	}
	zip := gzip.NewWriter(nil)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "" {
			set.WritePrometheus(w)
			return
		}
		zip.Reset(w)
		set.WritePrometheus(zip)
		_ = zip.Close() // the writer keeps nothing
	})
}

// sink counts what is written and keeps nothing, like a fast network.
type sink struct {
	header http.Header
	n      int
}

func (s *sink) Header() http.Header { return s.header }
func (s *sink) WriteHeader(int)     {}
func (s *sink) Write(p []byte) (int, error) {
	s.n += len(p)
	return len(p), nil
}

func scrapeOnce(h http.Handler, w http.ResponseWriter, format scrapeFormat) time.Duration {
	req := httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/metrics", http.NoBody)
	req.Header.Set("Accept", format.accept)
	if format.encoding != "" {
		req.Header.Set("Accept-Encoding", format.encoding)
	}
	begin := time.Now()
	h.ServeHTTP(w, req)
	return time.Since(begin)
}

// BenchmarkScrape scrapes ours and client_golang's own counters of the same label sets in turns,
// and of text VictoriaMetrics' package. ns/op is ours; raw-ns/op client_golang's; ratio ours by
// theirs, of the medians (the aim: 1.3); victoria-ratio ours by VictoriaMetrics' (the aim: 1.0);
// B/scrape what ours allocates, raw-B/scrape theirs; held-B/series what the exporter keeps between
// scrapes, on top of the store.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		for _, format := range scrapeFormats {
			b.Run(fmt.Sprintf("series=%d/%s", n, format.name), func(b *testing.B) {
				ours, raw := ourHandler(b, n), rawHandler(n)
				victorias := victoriaHandler(n)
				held := heldBy(func() { checkScrape(b, ours, n); checkScrape(b, raw, n) })
				checkScrape(b, victorias, n)
				var took, rawTook, victoriaTook []time.Duration
				for b.Loop() {
					took = append(took, scrapeOnce(ours, &sink{header: http.Header{}}, format))
					rawTook = append(rawTook, scrapeOnce(raw, &sink{header: http.Header{}}, format))
					if format.accept == scrapeText.accept {
						victoriaTook = append(victoriaTook, scrapeOnce(victorias, &sink{header: http.Header{}}, format))
					}
				}
				b.ReportMetric(float64(median(took)), "ns/op")
				b.ReportMetric(float64(median(rawTook)), "raw-ns/op")
				b.ReportMetric(float64(median(took))/float64(median(rawTook)), "ratio")
				if len(victoriaTook) > 0 {
					b.ReportMetric(float64(median(took))/float64(median(victoriaTook)), "victoria-ratio")
				}
				b.ReportMetric(allocatedBy(ours, format), "B/scrape")
				b.ReportMetric(allocatedBy(raw, format), "raw-B/scrape")
				b.ReportMetric(float64(held)/float64(n), "held-B/series")
			})
		}
	}
}

// checkScrape sees that all series are there before their speed is measured.
func checkScrape(b *testing.B, h http.Handler, n int) {
	b.Helper()
	rec := httptest.NewRecorder()
	scrapeOnce(h, rec, scrapeText)
	text, err := io.ReadAll(rec.Result().Body)
	require.NoError(b, err)
	if got := bytes.Count(append([]byte("\n"), text...), []byte("\ncdr_calls_total{")); got != n {
		b.Fatalf("%d series are shown, want %d", got, n)
	}
}

// heldBy is by how much the live heap grows.
func heldBy(f func()) int64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.GC()
	runtime.GC() // the second run empties pools
	runtime.ReadMemStats(&after)
	return int64(after.HeapAlloc) - int64(before.HeapAlloc)
}

func allocatedBy(h http.Handler, format scrapeFormat) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	scrapeOnce(h, &sink{header: http.Header{}}, format)
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
