package httpclient

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inBubble runs a subtest in virtual time.
func inBubble(t *testing.T, name string, test func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, test) })
}

// fakeTransport answers from a function, without a network.
type fakeTransport func(*http.Request) (*http.Response, error)

func (f fakeTransport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answer makes a response; the header lines are "Name: value".
func answer(status int, body string, header ...string) *http.Response {
	resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		resp.Header.Add(name, value)
	}
	return resp
}

// reply is an answer of a script: with a reader in place of the text if there is one, or an error.
type reply struct {
	status int
	body   string
	header []string
	reader io.Reader
	err    error
}

func replies(status int, body string, header ...string) reply {
	return reply{status: status, body: body, header: header}
}

func fails(err error) reply { return reply{err: err} }

// script answers each request with the next reply; the last one is repeated.
func script(answers ...reply) (fakeTransport, *recorder) {
	rec := &recorder{started: time.Now()}
	return func(*http.Request) (*http.Response, error) {
		next := answers[min(rec.request(), len(answers)-1)]
		if next.err != nil {
			return nil, next.err
		}
		resp := answer(next.status, next.body, next.header...)
		if next.reader != nil {
			resp.Body = io.NopCloser(next.reader)
		}
		return resp, nil
	}, rec
}

// recorder notes when requests were sent.
type recorder struct {
	mu      sync.Mutex
	started time.Time
	at      []time.Duration
}

func (r *recorder) request() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.at = append(r.at, time.Since(r.started))
	return len(r.at) - 1
}

func (r *recorder) times() []time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Duration(nil), r.at...)
}

// tokens is a TokenSource that makes token-1, token-2 and so on.
type tokens struct {
	mu          sync.Mutex
	made        int
	current     string
	invalidated []string
	err         error
}

func (s *tokens) Token(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return "", s.err
	}
	if s.current == "" {
		s.made++
		s.current = "token-" + string(rune('0'+s.made))
	}
	return s.current, nil
}

func (s *tokens) Invalidate(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.invalidated = append(s.invalidated, token)
	if token == s.current {
		s.current = ""
	}
}

// observed adds up what an Observer is told.
type observed struct {
	mu        sync.Mutex
	codes     []string
	throttled map[string]time.Duration
}

func (o *observed) Request(feed, code string, duration time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if duration < 0 {
		code += " with a negative duration"
	}
	o.codes = append(o.codes, feed+" "+code)
}

func (o *observed) Throttled(feed string, duration time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.throttled == nil {
		o.throttled = map[string]time.Duration{}
	}
	o.throttled[feed] += duration
}

const testBase = "https://api.example"

// newTest makes a client; change may be nil.
func newTest(t *testing.T, transport http.RoundTripper, change func(*Settings)) *Client {
	t.Helper()
	settings := Settings{BaseURL: testBase, Transport: transport}
	if change != nil {
		change(&settings)
	}
	client, err := New(settings)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return client
}

// readAll is a Fetch callback that stores the body.
func readAll(into *string) func([]byte) error {
	return func(body []byte) error {
		*into = string(body)
		return nil
	}
}

// pipeServer serves HTTP over net.Pipe, so that both ends live in a synctest bubble.
func pipeServer(t *testing.T, handler http.Handler) *http.Transport {
	t.Helper()
	listener := &pipeListener{conns: make(chan net.Conn), done: make(chan struct{})}
	server := &http.Server{Handler: handler}
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serve: %v", err)
		}
	})
	transport := &http.Transport{DialContext: listener.dial}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		_ = server.Close()
		serving.Wait()
	})
	return transport
}

type pipeListener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.done:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// bubbleSleep lets the time of a synctest bubble pass.
func bubbleSleep(t *testing.T, d time.Duration) {
	if err := pauseFor(t.Context(), d); err != nil {
		t.Error(err)
	}
}

// pauseFor waits, or returns the context's error.
func pauseFor(ctx context.Context, d time.Duration) error {
	sleep(ctx, d)
	return ctx.Err()
}
