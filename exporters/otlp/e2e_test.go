//go:build e2e

package otlp

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	colmetricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// collector is an OpenTelemetry Collector that writes what it receives to files.
type collector struct {
	http, grpc    string // endpoints
	logs, metrics string // files
	stop          func()
}

func freeAddress(t *testing.T) string {
	t.Helper()
	address, err := simulator.FreeAddress(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// startCollector starts otelcol from CDR_TOOLS_BIN. It isn't waited for: the
// exporter tries until it is there.
func startCollector(t *testing.T) *collector {
	t.Helper()
	binary := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "otelcol")
	if _, err := os.Stat(binary); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must hold otelcol: %v", err)
	}
	dir := t.TempDir()
	c := &collector{
		http: freeAddress(t), grpc: freeAddress(t),
		logs: filepath.Join(dir, "logs.json"), metrics: filepath.Join(dir, "metrics.json"),
	}
	config := fmt.Sprintf(`
receivers: {otlp: {protocols: {http: {endpoint: %q}, grpc: {endpoint: %q}}}}
exporters: {file/logs: {path: %q}, file/metrics: {path: %q}}
service:
  telemetry: {metrics: {level: none}}
  pipelines:
    logs: {receivers: [otlp], exporters: [file/logs]}
    metrics: {receivers: [otlp], exporters: [file/metrics]}
`, c.http, c.grpc, c.logs, c.metrics)
	path := filepath.Join(dir, "config.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	command := exec.CommandContext(context.Background(), binary, "--config", path)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	c.stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Errorf("stop otelcol: %v", err)
		}
		if err := command.Wait(); err != nil {
			t.Errorf("otelcol: %v\n%s", err, &output)
		}
	}
	t.Cleanup(c.stop)
	return c
}

// readLines reads a file of JSON lines, each a request.
func readLines[M proto.Message](t *testing.T, path string, fresh func() M) []M {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []M
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		m := fresh()
		if err := protojson.Unmarshal(lines.Bytes(), m); err != nil {
			t.Fatalf("%v in\n%s", err, lines.Text())
		}
		all = append(all, m)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// damaged is a batch whose middle record no receiver can read: its trace id is
// three bytes long.
func damaged() *ledger.Batch {
	b := batch(3, "x")
	bad := appendString(nil, recordTraceID, []byte{1, 2, 3})
	b.Data = append(protowire.AppendBytes(protowire.AppendTag(b.Data, scopeLogsRecords, protowire.BytesType), bad), batch(3, "y").Data...)
	b.Records = 3
	return b
}

// TestE2ECollector sends to a real OpenTelemetry Collector and reads what it got.
func TestE2ECollector(t *testing.T) {
	for name, grpc := range map[string]bool{"HTTP": false, "gRPC": true} {
		t.Run(name, func(t *testing.T) {
			c := startCollector(t)
			endpoint := c.http
			if grpc {
				endpoint = c.grpc
			}
			var many []string
			for i := range 1000 {
				many = append(many, fmt.Sprintf("m%d", i))
			}
			var log bytes.Buffer
			outbox, count := newOutbox(batch(1, "a", "b"), batch(2, many...), damaged()), &tally{}
			e := newBoth(t, Settings{
				Endpoint: "http://" + endpoint, GRPC: grpc, Interval: time.Hour,
				ShutdownTimeout: 30 * time.Second, Version: "1.2.3", InstanceID: "instance",
			}, parts{
				sources: []metrics.Source{oneCall(7)}, outbox: outbox, count: count.count, logger: slog.New(slog.NewTextHandler(&log, nil)),
			})
			closing(t, e)
			acked := make(chan struct{})
			outbox.onEvent = func(event string) {
				if event == "ack 3" {
					close(acked)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() { done <- e.Run(ctx) }()
			<-acked
			cancel()
			if err := <-done; err != nil {
				t.Errorf("run: %v", err)
			}
			c.stop()
			checkCollected(t, c, slices.Concat([]string{"a", "b"}, many, []string{"x", "y", "y"})) // y comes again, as the witness against the bad one
			if count.counts() != [2]int{1004, 1} {
				t.Errorf("sent and rejected %v, want 1004 and 1; log:\n%s", count.counts(), &log)
			}
		})
	}
}

func checkCollected(t *testing.T, c *collector, want []string) {
	t.Helper()
	var got []string
	for _, req := range readLines(t, c.logs, func() *collogspb.ExportLogsServiceRequest { return &collogspb.ExportLogsServiceRequest{} }) {
		got = append(got, idsOf(req)...)
		for _, resource := range req.GetResourceLogs() {
			checkAttributes(t, resource.GetResource().GetAttributes(), map[string]string{
				"service.name": "cdr-exporter", "service.version": "1.2.3", "service.instance.id": "instance",
			})
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the Collector has %d records, want %d in their order", len(got), len(want))
	}
	if text, err := os.ReadFile(c.metrics); err != nil || !strings.Contains(string(text), `"traceId":"c98e00000000000000000000000000e0"`) ||
		!strings.Contains(string(text), `"filteredAttributes":[{"key":"log.record.uid"`) {
		t.Errorf("the Collector has no exemplar: %v, %s", err, text)
	}
	points := 0
	for _, req := range readLines(t, c.metrics, func() *colmetricspb.ExportMetricsServiceRequest { return &colmetricspb.ExportMetricsServiceRequest{} }) {
		points += sumPoints(req)
	}
	if points == 0 {
		t.Error("the Collector has no metrics")
	}
}
