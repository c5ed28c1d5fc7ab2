//go:build e2e

package cdrreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// collector is a Collector with the receiver, as the builder makes it; `make tools` has it built.
type collector struct {
	t      *testing.T
	secret string
	folder string // has its configuration, the ledger and what the file exporters write
	cmd    *exec.Cmd
}

// newCollector configures one. The secret comes from the environment.
func newCollector(t *testing.T, tenant map[string]any, rest string) *collector {
	t.Helper()
	c := &collector{t: t, folder: t.TempDir()}
	graph := tenant["sources"].([]any)[0].(map[string]any)["msgraph"].(map[string]any)
	c.secret, graph["client_secret"] = graph["client_secret"].(string), "${env:SECRET}"
	receiver, err := json.Marshal(tenant) // JSON is YAML
	require.NoError(t, err)
	text := fmt.Sprintf("receivers:\n  cdr: %s\n%s  telemetry: {metrics: {level: none}}\n", receiver,
		strings.ReplaceAll(rest, "FOLDER", c.folder))
	require.NoError(t, os.WriteFile(filepath.Join(c.folder, "otelcol.yaml"), []byte(text), 0o600))
	return c
}

func (c *collector) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(c.t.Context()),
		filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "otelcol-cdr"), args...)
	cmd.Env = append(os.Environ(), "SECRET="+c.secret, "CDR_LEDGER_VERIFY=1")
	return cmd
}

func (c *collector) start() {
	c.t.Helper()
	c.cmd = c.command("--config=" + filepath.Join(c.folder, "otelcol.yaml"))
	log, err := os.OpenFile(filepath.Join(c.folder, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(c.t, err)
	defer func() { _ = log.Close() }()
	ready := strings.Count(c.log(), "Everything is ready")
	c.cmd.Stdout, c.cmd.Stderr = log, log
	require.NoError(c.t, c.cmd.Start())
	c.t.Cleanup(func() {
		if c.cmd.ProcessState == nil {
			c.end(syscall.SIGKILL)
		}
		if text := c.log(); c.t.Failed() {
			c.t.Logf("the Collector's log ends:\n%s", text[max(0, len(text)-4000):])
		} else if strings.Contains(text, c.secret) {
			c.t.Error("the Collector's log has the secret")
		}
	})
	// it minds signals from then on
	require.Eventually(c.t, "the Collector is ready", func() bool {
		return strings.Count(c.log(), "Everything is ready") > ready
	})
}

// log is what the Collector has logged until now.
func (c *collector) log() string {
	text, err := os.ReadFile(filepath.Join(c.folder, "log"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	return string(text)
}

// end sends a signal and waits.
func (c *collector) end(signal syscall.Signal) {
	c.t.Helper()
	_ = c.cmd.Process.Signal(signal)
	if err := c.cmd.Wait(); err != nil && signal == syscall.SIGTERM {
		c.t.Errorf("the Collector ends with %v", err)
	}
}

// lineStart is the beginning of a line of a file exporter.
var lineStart = regexp.MustCompile(`\{"resource(?:Logs|Metrics|Spans)":`)

// lines are the whole lines that a file exporter has written: a kill may have torn one, and the next one follows it.
func (c *collector) lines(file string) (all [][]byte) {
	data, err := os.ReadFile(filepath.Join(c.folder, file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.t.Fatal(err)
	}
	for line := range bytes.Lines(data) {
		if begins := lineStart.FindAllIndex(line, -1); len(begins) > 0 {
			line = line[begins[len(begins)-1][0]:]
		}
		if json.Valid(line) {
			all = append(all, line)
		}
	}
	return all
}

// records are how often each log record is in a file, by log.record.uid.
func (c *collector) records(file string) map[string]int {
	found := make(map[string]int)
	for _, line := range c.lines(file) {
		request, err := new(plog.JSONUnmarshaler).UnmarshalLogs(line)
		require.NoError(c.t, err)
		for _, resource := range request.ResourceLogs().All() {
			for _, scope := range resource.ScopeLogs().All() {
				for _, r := range scope.LogRecords().All() {
					uid, _ := r.Attributes().Get("log.record.uid")
					found[uid.AsString()]++
				}
			}
		}
	}
	return found
}

// counted is the newest sum of cdr.calls.
func (c *collector) counted() (sum int64) {
	for _, line := range c.lines("metrics.json") {
		request, err := new(pmetric.JSONUnmarshaler).UnmarshalMetrics(line)
		require.NoError(c.t, err)
		if n, there := sumIn(request, "cdr.calls"); there {
			sum = n
		}
	}
	return sum
}

// traces are the spans in a file, by their ids. It fails if two of one id aren't the same.
func (c *collector) traces() map[pcommon.SpanID]ptrace.Span {
	found := make(map[pcommon.SpanID]ptrace.Span)
	for _, line := range c.lines("traces.json") {
		request, err := new(ptrace.JSONUnmarshaler).UnmarshalTraces(line)
		require.NoError(c.t, err)
		for _, resource := range request.ResourceSpans().All() {
			for _, scope := range resource.ScopeSpans().All() {
				for _, s := range scope.Spans().All() {
					if was, again := found[s.SpanID()]; again && shown(was) != shown(s) {
						c.t.Errorf("the span %s came as %s and then as %s", s.SpanID(), shown(was), shown(s))
					}
					found[s.SpanID()] = s
				}
			}
		}
	}
	return found
}

// shown is all that a span says.
func shown(s ptrace.Span) string {
	return fmt.Sprint(s.TraceID(), s.ParentSpanID(), s.Name(), s.StartTimestamp(), s.EndTimestamp(), s.Status().Code(),
		s.Attributes().AsRaw(), s.Links().Len())
}

// roots is how many traces there are.
func roots(spans map[pcommon.SpanID]ptrace.Span) (n int) {
	for _, s := range spans {
		if s.ParentSpanID().IsEmpty() {
			n++
		}
	}
	return n
}

// wantParents wants the parent of each span around it.
func wantParents(t *testing.T, spans map[pcommon.SpanID]ptrace.Span) {
	t.Helper()
	for _, s := range spans {
		if s.ParentSpanID().IsEmpty() {
			continue
		}
		parent, known := spans[s.ParentSpanID()]
		if !known || parent.TraceID() != s.TraceID() || s.StartTimestamp() < parent.StartTimestamp() ||
			s.EndTimestamp() > parent.EndTimestamp() {
			t.Errorf("%s of trace %s has no parent around it", s.Name(), s.TraceID())
		}
	}
}

// TestE2EReceiver: across kill -9 of the whole Collector and a restart, every log record reaches
// two file pipelines, each call has one trace, and the metrics count each call once.
func TestE2EReceiver(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t)
	tenant["otlp"].(map[string]any)["traces_history"] = true
	c := newCollector(t, tenant, `exporters:
  file/one: {path: FOLDER/one.json, rotation: {}}
  file/two: {path: FOLDER/two.json, rotation: {}}
  file/traces: {path: FOLDER/traces.json, rotation: {}}
  file/metrics: {path: FOLDER/metrics.json, rotation: {}}
service:
  pipelines:
    logs/one: {receivers: [cdr], exporters: [file/one]}
    logs/two: {receivers: [cdr], exporters: [file/two]}
    metrics: {receivers: [cdr], exporters: [file/metrics]}
    traces: {receivers: [cdr], exporters: [file/traces]}
`)
	if out, err := c.command("validate", "--config="+filepath.Join(c.folder, "otelcol.yaml")).
		CombinedOutput(); err != nil {
		t.Fatalf("validate: %v\n%s", err, out)
	}
	for kill := range 3 { // in the middle of the first history, and after it
		c.start()
		require.Eventually(t, "records arrive", func() bool { return len(c.records("two.json")) > 0 })
		if kill > 0 {
			require.Eventually(t, "spans arrive", func() bool { return len(c.traces()) > 0 })
		}
		if kill == 2 {
			require.Eventually(t, "all calls are counted", func() bool { return c.counted() == calls })
		}
		c.end(syscall.SIGKILL)
	}
	c.start()
	require.Eventually(t, "all has arrived", func() bool {
		return len(c.records("one.json")) == calls && len(c.records("two.json")) == calls && roots(c.traces()) == calls
	})
	c.end(syscall.SIGTERM)
	spans := len(c.traces())
	wantParents(t, c.traces())
	before := c.records("one.json")
	seen := len(c.lines("metrics.json"))
	c.start()
	require.Eventually(t, "metrics arrive", func() bool { return len(c.lines("metrics.json")) > seen+1 })
	c.end(syscall.SIGTERM)
	if n := c.counted(); n != calls {
		t.Errorf("cdr.calls is %d, want %d", n, calls)
	}
	if after := c.traces(); len(after) != spans || roots(after) != calls || spans == calls {
		t.Errorf("after a restart there are %d spans, %d before", len(after), spans)
	}
	if after := c.records("one.json"); fmt.Sprint(after) != fmt.Sprint(before) || len(after) != calls {
		t.Errorf("after a restart %d log records came, %d before; want each of %d, and none again", len(after),
			len(before), calls)
	}
}

// TestE2ERefusing: records that an endpoint behind the Collector refuses temporarily survive a
// restart and are offered again. Wrong credentials cost no record. Of records that it refuses for
// good, only the record at fault is set aside.
func TestE2ERefusing(t *testing.T) {
	t.Parallel()
	sink, err := otlpsink.Start(otlpsink.Settings{})
	require.NoError(t, err)
	t.Cleanup(sink.Close)
	tenant := newTenant(t)
	tenant["otlp"].(map[string]any)["shutdown_timeout"] = "1s"
	c := newCollector(t, tenant, fmt.Sprintf(`exporters:
  otlp_http: {endpoint: %q, sending_queue: {enabled: false}, retry_on_failure: {enabled: false}}
service:
  pipelines:
    logs: {receivers: [cdr], exporters: [otlp_http]}
    metrics: {receivers: [cdr], exporters: [otlp_http]}
`, sink.URL()))
	for _, status := range []int{503, 401} {
		sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: status})
		c.start()
		require.Eventually(t, "the refusal is logged", func() bool {
			return strings.Contains(c.log(), fmt.Sprintf("HTTP Status Code %d", status))
		})
		c.end(syscall.SIGTERM)
		sink.ClearFailures()
	}
	if n := len(sink.Logs()); n != 0 {
		t.Fatalf("%d log records came while all were refused", n)
	}
	var poison string
	sink.Fail(otlpsink.Reply{OnlyLogs: true, Status: 400, Match: func(l otlpsink.Log) bool {
		if poison == "" {
			poison = l.UID // under the sink's lock
		}
		return l.UID == poison
	}})
	c.start()
	require.Eventually(t, "the other records arrive", func() bool { return len(sink.Logs()) == calls-1 })
	require.Eventually(t, "all has arrived", func() bool {
		for _, p := range sink.Metric("cdr.exporter.otlp.records") {
			if p.Attributes["result"] == "rejected" {
				return p.Value == 1
			}
		}
		return false
	})
	c.end(syscall.SIGTERM)
	if !strings.Contains(c.log(), poison) {
		t.Error("the log doesn't name the record that was set aside")
	}
}

// TestE2EInvalid: the Collector says all that is wrong, and doesn't start.
func TestE2EInvalid(t *testing.T) {
	t.Parallel()
	tenant := newTenant(t)
	tenant["privacy"] = map[string]any{"users": "show"}
	tenant["otlp"].(map[string]any)["endpoint"] = "http://127.0.0.1:4318"
	c := newCollector(t, tenant, "exporters: {file: {path: FOLDER/out.json}}\nservice:\n  pipelines: {logs: "+
		"{receivers: [cdr], exporters: [file]}}\n")
	out, err := c.command("--config=" + filepath.Join(c.folder, "otelcol.yaml")).CombinedOutput()
	for _, part := range []string{
		"receivers::cdr: otlp.endpoint: has no effect in a receiver",
		"privacy.users: must be mask, hash, drop or keep",
	} {
		if err == nil || !strings.Contains(string(out), part) {
			t.Errorf("the Collector ends with %v and doesn't say %q:\n%s", err, part, out)
		}
	}
}
