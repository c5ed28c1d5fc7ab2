package simulator

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Host is the server of every simulated provider: HTTPS with its own authority, the provider's
// clock, faults, counts of the requests, and another host for links in answers. It is safe for
// concurrent use.
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
	caught []string
}

// NewHost listens on a free loopback port. Its clock stands at an instant until it is moved; zero
// means that it follows the machine's. HostileURL answers with the hostile body. After an error
// nothing stays open.
func NewHost(at time.Time, faults *Faults, handler http.Handler, hostile string) (*Host, error) {
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
		Handler:           h.catch(handler, hostile),
		ReadHeaderTimeout: time.Minute,
		// Connections that clients break, on purpose in tests, don't matter.
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{h.Certificate}, MinVersion: tls.VersionTLS12},
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{},
				c)
		},
	}
	// It only returns when Close closes the listener.
	h.done.Go(func() { _ = h.server.ServeTLS(listener, "", "") })
	return h, nil
}

// connKey finds a request's connection in its context.
type connKey struct{}

// catch answers requests to the other host with a body, and records them.
func (h *Host) catch(handler http.Handler, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if "https://"+r.Host != h.HostileURL() {
			handler.ServeHTTP(w, r)
			return
		}
		h.mu.Lock()
		h.caught = append(h.caught, r.RequestURI)
		h.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}
}

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

// HostileURL is the address of another host for links: the same server by another name.
func (h *Host) HostileURL() string { return strings.Replace(h.url, "127.0.0.1", "localhost", 1) }

// Caught are the URIs of the requests that followed hostile links.
func (h *Host) Caught() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.caught)
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

// Recorder counts requests by endpoint and status; 0 stands for all statuses.
type Recorder = counts[int]

// counts are numbers by endpoint; the empty endpoint stands for all.
type counts[K comparable] struct {
	mu sync.Mutex
	of map[string]map[K]int // guarded by mu
}

// add counts one more, and returns its endpoint's number.
func (c *counts[K]) add(endpoint string, key K) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]map[K]int{}
	}
	for _, name := range [...]string{"", endpoint} {
		if c.of[name] == nil {
			c.of[name] = map[K]int{}
		}
		c.of[name][key]++
	}
	return c.of[endpoint][key]
}

// Count are the numbers of an endpoint; empty means all.
func (c *counts[K]) Count(endpoint string) map[K]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.of[endpoint])
}

// Answer makes and sends the answer to a request to an endpoint, with a fault if one is due, and
// counts it.
func (h *Host) Answer(w http.ResponseWriter, r *http.Request, endpoint string, reply func() Reply) {
	number, fault := h.recorder.add(endpoint, 0)-1, NoFault
	a := reply()
	if !a.Refused {
		a.Endpoint, a.Number = endpoint, number
		fault = h.faults.next(a.Request, func(f Fault) bool {
			_, known := transport[f]
			return f == NoFault || known || a.Own[f] != nil
		})
	}
	if change := a.Own[fault]; change != nil {
		change(&a)
	} else if a.Do != nil && statusOf(fault, http.StatusOK) < http.StatusBadRequest {
		a.Do(&a)
	}
	if a.Status = statusOf(fault, a.Status); a.Status != 0 {
		defer h.recorder.add(endpoint, a.Status) // after the body was sent
	}
	if a.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		a.Body = Gzip(a.Body)
	}
	h.write(w, r, fault, a)
}

// Gzip compresses a body.
func Gzip(body []byte) []byte {
	var b bytes.Buffer
	// A buffer never fails, and the level is valid.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
