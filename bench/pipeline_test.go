package bench

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/exporters/otlp"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// pipelineRows is how many rows one run of the pipeline reads: direct routing
// calls of a busy day.
const pipelineRows = 200_000

// recorded are the answers of the simulated Graph, to be given again from memory,
// so that neither the network nor the simulator is measured.
type recorded struct {
	real  http.RoundTripper
	pages map[string][]byte
}

// RoundTrip implements http.RoundTripper.
func (r *recorded) RoundTrip(q *http.Request) (*http.Response, error) {
	key := q.URL.String()
	if body, ok := r.pages[key]; ok {
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: q,
			ContentLength: int64(len(body)),
			Header:        http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(bytes.NewReader(body)),
		}, nil
	}
	res, err := r.real.RoundTrip(q)
	if err != nil || !strings.Contains(q.URL.Path, "callRecords") {
		return res, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	r.pages[key] = body
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// day is a recorded day of calls and the reader that reads it.
type day struct {
	reader   collector.RangeReader
	pages    *recorded
	from, to time.Time
}

func recordDay(b *testing.B) *day {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to := from.Add(24 * time.Hour)
	world := simulator.NewWorld(simulator.Historical(5, sim.DirectRoutingMix(), from, to, pipelineRows))
	server, err := sim.Start(sim.Settings{DirectRouting: world})
	require.NoError(b, err)
	b.Cleanup(server.Close)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig.RootCAs = server.Pool()
	b.Cleanup(transport.CloseIdleConnections)
	pages := &recorded{real: transport, pages: make(map[string][]byte)}
	source := openSource(b, server, pages)
	d := &day{reader: source.Feeds[0].Reader, pages: pages, from: from, to: to}
	if rows := d.read(b, func(*collector.Page) error { return nil }); rows < pipelineRows {
		b.Fatalf("recorded %d rows, want %d", rows, pipelineRows)
	}
	return d
}

// openSource is the source that reads direct routing calls from the simulated Graph.
func openSource(b *testing.B, server *sim.Server, transport http.RoundTripper) *collector.Source {
	provider := msgraph.Provider()
	block := provider.NewConfig()
	text := "tenant_id: " + sim.TenantID + "\nclient_id: " + sim.ClientID + "\nclient_secret: " + server.ClientSecret +
		"\nlogin_url: " + server.BaseURL() + "\ngraph_url: " + server.BaseURL() + "\ndirect_routing: {}\n"
	require.NoError(b, config.Unmarshal("bench.yaml", []byte(text), block, config.Options{}))
	source, err := provider.Open(block, collector.SourceSettings{Settings: httpclient.Settings{
		Transport:         transport,
		RequestsPerMinute: 1 << 30,
	}, Name: "bench"})
	require.NoError(b, err)
	b.Cleanup(source.Close)
	return source
}

// read reads the day and says how many rows it had.
func (d *day) read(b *testing.B, commit func(*collector.Page) error) int {
	rows := 0
	driver := collector.Driver{Reader: d.reader, Commit: func(_ context.Context, page *collector.Page) error {
		rows += len(page.Records)
		return commit(page)
	}}
	require.NoError(b, driver.Read(b.Context(), d.from, d.to))
	return rows
}

// decodedRow is a row as a program without ids, durability or logs would decode it.
type decodedRow struct {
	ID                            string    `json:"id"`
	CorrelationID                 string    `json:"correlationId"`
	UserID                        string    `json:"userId"`
	UserPrincipalName             string    `json:"userPrincipalName"`
	UserDisplayName               string    `json:"userDisplayName"`
	StartDateTime                 time.Time `json:"startDateTime"`
	InviteDateTime                time.Time `json:"inviteDateTime"`
	FailureDateTime               time.Time `json:"failureDateTime"`
	EndDateTime                   time.Time `json:"endDateTime"`
	Duration                      int64     `json:"duration"`
	CallType                      string    `json:"callType"`
	SuccessfulCall                *bool     `json:"successfulCall"`
	CallerNumber                  string    `json:"callerNumber"`
	CalleeNumber                  string    `json:"calleeNumber"`
	MediaPathLocation             string    `json:"mediaPathLocation"`
	SignalingLocation             string    `json:"signalingLocation"`
	FinalSipCode                  int64     `json:"finalSipCode"`
	CallEndSubReason              int64     `json:"callEndSubReason"`
	FinalSipCodePhrase            string    `json:"finalSipCodePhrase"`
	TrunkFullyQualifiedDomainName string    `json:"trunkFullyQualifiedDomainName"`
	MediaBypassEnabled            *bool     `json:"mediaBypassEnabled"`
}

// decode decodes every page with the JSON library alone.
func (d *day) decode(b *testing.B) int {
	rows := 0
	for _, body := range d.pages.pages {
		var page struct {
			Value []decodedRow `json:"value"`
		}
		require.NoError(b, jsonv2.Unmarshal(body, &page))
		rows += len(page.Value)
	}
	return rows
}

// commit reads the day into a new ledger with log records, and with spans if there is a tracer, and
// returns the number of calls counted.
func (d *day) commit(b *testing.B, tracer ledger.SpanEncoder) int {
	ctx := context.WithoutCancel(b.Context())
	l, err := ledger.Open(ctx, ledger.Settings{
		Storage: ledger.Storage{Folder: filepath.Join(b.TempDir(), "ledger")}, Now: time.Now,
		Options: metrics.Options{ZeroFor: 2 * time.Minute, SeriesLimit: 10_000, Native: true},
		Tuning: ledger.Tuning{
			Privacy: cdr.DefaultPolicy(), Encoder: otlp.Encoder{}, Tracer: tracer,
			TracesHistory: true, OutboxLimit: 1 << 40,
		},
	})
	require.NoError(b, err)
	defer l.Close() //nolint:errcheck // the measured commits were checked
	feed, err := l.Feed(ctx, ledger.FeedSpec{
		Settings: counting.Settings{
			Source: "bench", Provider: "msgraph", Feed: "direct_routing", History: time.Since(d.from) + time.Hour,
			Lookback: 48 * time.Hour,
		},
	})
	require.NoError(b, err)
	counted := 0
	d.read(b, func(page *collector.Page) error {
		result, err := feed.Commit(ctx, page)
		counted += result.New
		return err
	})
	if spans, _ := l.Spans().Waiting(); (spans > 0) != (tracer != nil) {
		b.Fatalf("%d spans wait", spans)
	}
	return counted
}

// cpu is the processor time of this process up to now.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// rate measures a run in rows per second of the clock and of one core.
func rate(b *testing.B, run func() int) (wall, core float64) {
	began, used := time.Now(), cpu(b)
	rows := float64(run())
	return rows / time.Since(began).Seconds(), rows / (cpu(b) - used).Seconds()
}

// BenchmarkPipeline reads the same recorded pages with the JSON library alone, with
// decoding and mapping, and with all of it: decode, map, redact, encode log
// records, commit durably. Ratios are of processor time, pair by pair.
func BenchmarkPipeline(b *testing.B) {
	d := recordDay(b)
	var decode, mapped, all, wall float64
	var allocs uint64
	n := 0
	for b.Loop() {
		_, c := rate(b, func() int { return d.decode(b) })
		decode += c
		_, c = rate(b, func() int { return d.read(b, func(*collector.Page) error { return nil }) })
		mapped += c
		before := mallocs()
		w, c := rate(b, func() int { return d.commit(b, nil) })
		allocs += mallocs() - before
		all, wall = all+c, wall+w
		n++
	}
	runs := float64(n)
	b.ReportMetric(decode/runs, "decode-rows/cpu-s")
	b.ReportMetric(mapped/runs, "decode+map-rows/cpu-s")
	b.ReportMetric(all/runs, "pipeline-rows/cpu-s")
	b.ReportMetric(wall/runs, "pipeline-rows/s")
	b.ReportMetric(all/decode, "pipeline/decode")
	b.ReportMetric(float64(allocs)/runs/pipelineRows, "pipeline-allocs/row")
}

// BenchmarkTraces reads the same recorded pages with log records only, and with spans in addition.
// The ratio is of processor time, pair by pair; it should be at least two thirds.
func BenchmarkTraces(b *testing.B) {
	d := recordDay(b)
	var logs, traces float64
	for b.Loop() {
		_, c := rate(b, func() int { return d.commit(b, nil) })
		logs += c
		_, c = rate(b, func() int { return d.commit(b, otlp.Encoder{}) })
		traces += c
	}
	b.ReportMetric(traces/logs, "traces/logs")
}

// mallocs is how many objects this process has allocated.
func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}
