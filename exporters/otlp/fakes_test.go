package otlp

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// fakeOutbox is the ledger's outbox in memory.
type fakeOutbox struct {
	mu       sync.Mutex
	batches  []*outbox.Batch
	nextErrs []error // given out one by one before the batches
	ackErrs  []error
	acked    []int64
	more     chan struct{}
	// onEvent is called with what happens, under the lock.
	onEvent func(event string)
}

func newOutbox(batches ...*outbox.Batch) *fakeOutbox {
	return &fakeOutbox{batches: batches, more: make(chan struct{}, 1), onEvent: func(string) {}}
}

func (o *fakeOutbox) add(b *outbox.Batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.batches = append(o.batches, b)
	select {
	case o.more <- struct{}{}:
	default:
	}
}

func (o *fakeOutbox) Next(ctx context.Context, after int64) (*outbox.Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.nextErrs) > 0 {
		err := o.nextErrs[0]
		o.nextErrs = o.nextErrs[1:]
		return nil, err
	}
	for _, b := range o.batches {
		if b.ID > after {
			return b, nil
		}
	}
	return nil, nil
}

func (o *fakeOutbox) Ack(_ context.Context, id int64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.ackErrs) > 0 {
		err := o.ackErrs[0]
		o.ackErrs = o.ackErrs[1:]
		if err != nil {
			o.onEvent("ack fails")
			return err
		}
	}
	at := slices.IndexFunc(o.batches, func(b *outbox.Batch) bool { return b.ID == id })
	if at < 0 {
		panic("a batch is deleted that isn't there")
	}
	o.onEvent("ack " + strconv.FormatInt(id, 10))
	o.batches, o.acked = slices.Delete(o.batches, at, at+1), append(o.acked, id)
	return nil
}

func (o *fakeOutbox) Wait(ctx context.Context) {
	select {
	case <-o.more:
	case <-ctx.Done():
	}
}

func (o *fakeOutbox) left() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.batches)
}

// tally counts what was observed.
type tally struct {
	mu             sync.Mutex
	sent, rejected int
}

func (c *tally) count(result string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if result == "sent" {
		c.sent += n
	} else {
		c.rejected += n
	}
}

func (c *tally) counts() [2]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return [2]int{c.sent, c.rejected}
}

// event is the log event of the record with that id.
func event(id string) *counting.Event {
	e := bareEvent()
	e.RecordID = id
	return e
}

func uidFor(id string) string {
	uid := event(id).UID("")
	return string(uid[:])
}

// batch makes a batch of records with these ids.
func batch(id int64, ids ...string) *outbox.Batch {
	b := &outbox.Batch{ID: id, Source: "wave", Feed: "call_log", Records: len(ids)}
	for _, one := range ids {
		r := bareRecord()
		r.CallerNumber = "+4930123456"
		b.Data = Encoder{}.AppendRecord(b.Data, r, event(one))
	}
	return b
}

// idsOf are the record ids of a request.
func idsOf(req *collogspb.ExportLogsServiceRequest) []string {
	var ids []string
	for _, resource := range req.GetResourceLogs() {
		for _, scope := range resource.GetScopeLogs() {
			for _, record := range scope.GetLogRecords() {
				ids = append(ids, attributeOf(record, "cdr.record.id").GetStringValue())
			}
		}
	}
	return ids
}

// roundTripper is a transport made of a function.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// unpack reads a compressed request.
func unpack(r io.Reader, into proto.Message) error {
	plain, err := gzip.NewReader(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(plain)
	return errors.Join(err, proto.Unmarshal(body, into))
}

// idsIn are the record ids of a request to /v1/logs.
func idsIn(t testing.TB, r *http.Request) []string {
	t.Helper()
	req := new(collogspb.ExportLogsServiceRequest)
	if err := unpack(r.Body, req); err != nil {
		t.Errorf("read request: %v", err)
	}
	return idsOf(req)
}

// accepts answers any request.
func accepts(*http.Request) (*http.Response, error) { return respond(200, asProtobuf, ""), nil }

// respond makes an HTTP answer.
func respond(code int, header map[string]string, body string) *http.Response {
	res := &http.Response{
		StatusCode: code, Status: strconv.Itoa(code), Header: http.Header{},
		Body: io.NopCloser(bytes.NewBufferString(body)),
	}
	for k, v := range header {
		res.Header.Set(k, v)
	}
	return res
}

// logsAnswer is a body of ExportLogsServiceResponse.
func logsAnswer(t testing.TB, rejected int64, message string) string {
	t.Helper()
	b, err := proto.Marshal(&collogspb.ExportLogsServiceResponse{
		PartialSuccess: &collogspb.ExportLogsPartialSuccess{RejectedLogRecords: rejected, ErrorMessage: message},
	})
	require.NoError(t, err)
	return string(b)
}

var asProtobuf = map[string]string{"Content-Type": "application/x-protobuf"}

// inBubble runs a subtest in virtual time.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// elapse waits in the time of a synctest bubble.
func elapse(d time.Duration) { <-time.After(d) }

// listen opens a port of loopback.
func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// closing closes an exporter, or what else there is, at the end of the test.
func closing(t *testing.T, c io.Closer) {
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

// parts are what the exporters of a test read.
type parts struct {
	sources []metrics.Source
	outbox  Outbox
	count   Count
	logger  *slog.Logger
}

// complete fills in what a test leaves out, as the configuration does.
func complete(s Settings, p *parts) Settings {
	s.Interval = cmp.Or(s.Interval, 15*time.Second)
	s.Timeout = cmp.Or(s.Timeout, 10*time.Second)
	s.ShutdownTimeout = cmp.Or(s.ShutdownTimeout, 10*time.Second)
	p.logger = cmp.Or(p.logger, slog.New(slog.DiscardHandler))
	return s
}

func newLogs(t *testing.T, s Settings, p parts) *Exporter {
	t.Helper()
	s = complete(s, &p)
	e, err := NewLogs(s, p.outbox, p.count, p.logger)
	require.NoError(t, err)
	return e
}

func newTraces(t *testing.T, s Settings, p parts) *Exporter {
	t.Helper()
	s = complete(s, &p)
	e, err := NewTraces(s, p.outbox, p.count, p.logger)
	require.NoError(t, err)
	return e
}

func newMetrics(t *testing.T, s Settings, p parts) *Exporter {
	t.Helper()
	s = complete(s, &p)
	e, err := NewMetrics(s, p.logger, p.sources...)
	require.NoError(t, err)
	return e
}

// started runs an exporter until stop, which waits for its end.
func started(t *testing.T, e *Exporter) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
}

// drain runs an exporter until it has sent everything, as at a shutdown.
func drain(t *testing.T, e *Exporter) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, e.Run(ctx))
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
