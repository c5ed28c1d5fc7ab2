package simulator

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

// Host is the server of every simulated provider: HTTPS with its own authority, the provider's
// clock, faults and counts of the requests. It is safe for concurrent use.
type Host struct {
	*Authority
	server   *http.Server
	done     sync.WaitGroup
	faults   *Faults
	recorder Recorder
	url      string
	at       time.Time // where the provider's clock stands; zero: it follows the machine's

	mu     sync.Mutex // guards the fields below
	offset time.Duration
	held   time.Time // where publication stands; zero while it runs
}

// NewHost listens on a free loopback port. Its clock stands at an instant until it is moved; zero
// means that it follows the machine's. Faults may be nil if the handler doesn't call Answer. After an
// error nothing stays open.
func NewHost(at time.Time, faults *Faults, handler http.Handler) (*Host, error) {
	authority, err := NewAuthority()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // A listener outlives any request.
	if err != nil {
		return nil, fmt.Errorf("listen for simulated provider: %w", err)
	}
	h := &Host{
		Authority: authority, faults: faults, at: at, url: "https://" + listener.Addr().String(),
	}
	h.server = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: time.Minute,
		// Connections that clients break, on purpose in tests, don't matter.
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{h.Certificate}, MinVersion: tls.VersionTLS12},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		},
	}
	// It only returns when Close closes the listener.
	h.done.Go(func() { _ = h.server.ServeTLS(listener, "", "") })
	return h, nil
}

// connKey finds a request's connection in its context.
type connKey struct{}

// reset closes a request's connection with an RST.
func reset(r *http.Request) {
	conn, _ := r.Context().Value(connKey{}).(net.Conn)
	if t, ok := conn.(*tls.Conn); ok {
		conn = t.NetConn()
	}
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
		_ = t.Close()
	}
	panic(http.ErrAbortHandler)
}

// Close stops listening. It may be called twice.
func (h *Host) Close() {
	_ = h.server.Close() // What is open is cut off: a test that ends doesn't wait.
	h.done.Wait()
}

// BaseURL is the server's address, for base_url.
func (h *Host) BaseURL() string { return h.url }

// Requests counts the requests.
func (h *Host) Requests() *Recorder { return &h.recorder }

// Recorder counts requests by endpoint and status; 0 stands for all statuses, the empty endpoint for
// all endpoints.
type Recorder struct {
	mu sync.Mutex
	of map[string]map[int]int // guarded by mu
}

// add counts one more, and returns its endpoint's number.
func (c *Recorder) add(endpoint string, status int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]map[int]int{}
	}
	for _, name := range [...]string{"", endpoint} {
		if c.of[name] == nil {
			c.of[name] = map[int]int{}
		}
		c.of[name][status]++
	}
	return c.of[endpoint][status]
}

// Count are the numbers of an endpoint; empty means all.
func (c *Recorder) Count(endpoint string) map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.of[endpoint])
}
