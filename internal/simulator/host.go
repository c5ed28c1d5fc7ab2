package simulator

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Host is what the server of every simulated provider has: HTTPS with its own authority, the provider's time, faults, a record of the
// requests, and another host that answers may link to. It is safe for concurrent use.
type Host struct {
	*Timeline
	authority   *Authority
	certificate *tls.Certificate
	listeners   []*Listener
	faults      *Faults
	recorder    *Recorder
	hostile     string

	mu     sync.Mutex
	caught []Caught // guarded by mu
}

// Caught is a request that followed a hostile link.
type Caught struct {
	URI string
	// WithToken says that it brought an Authorization header.
	WithToken bool
}

// NewHost listens on an address; an empty one is a free port on loopback. An error leaves nothing open.
func NewHost(address string, clock Clock, faults *Faults, handler http.Handler) (*Host, error) {
	h := &Host{Timeline: NewTimeline(clock), faults: faults, recorder: NewRecorder()}
	var err error
	if h.authority, err = NewAuthority(); err != nil {
		return nil, err
	}
	if h.certificate, err = h.authority.Leaf(); err != nil {
		return nil, err
	}
	if _, err = h.listen(address, h.certificate, handler); err != nil {
		return nil, err
	}
	return h, nil
}

// ListenPlain opens a further listener, without TLS, and returns its URL.
func (h *Host) ListenPlain(handler http.Handler) (string, error) { return h.listen("", nil, handler) }

// ListenHostile opens another host, for links that lead away. It keeps the requests that follow them, and answers with a body.
func (h *Host) ListenHostile(body string) (err error) {
	h.hostile, err = h.listen("", h.certificate, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		h.caught = append(h.caught, Caught{URI: r.RequestURI, WithToken: r.Header.Get("Authorization") != ""})
		h.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(body))
	}))
	return err
}

func (h *Host) listen(address string, certificate *tls.Certificate, handler http.Handler) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := Serve(address, certificate, handler)
	if err != nil {
		h.Close()
		return "", err
	}
	h.listeners = append(h.listeners, l)
	return l.URL(), nil
}

// HostileURL is the other host's address.
func (h *Host) HostileURL() string { return h.hostile }

// Caught are the requests that followed hostile links.
func (h *Host) Caught() []Caught {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.caught)
}

// Close stops listening. It may be called twice.
func (h *Host) Close() {
	for _, l := range h.listeners {
		l.Close()
	}
}

// BaseURL is the server's address, for base_url.
func (h *Host) BaseURL() string { return h.listeners[0].URL() }

// CA is the certificate of the server's authority, in PEM.
func (h *Host) CA() []byte { return h.authority.PEM() }

// WriteCA writes CA to a file, for tls_config.ca_file.
func (h *Host) WriteCA(path string) error { return h.authority.WriteFile(path) }

// Pool holds CA, for clients in process.
func (h *Host) Pool() *x509.CertPool { return h.authority.Pool() }

// Requests is the record of requests and of how they were answered.
func (h *Host) Requests() *Recorder { return h.recorder }

// Reply is the answer to a request before any fault, and what the request asked for.
type Reply struct {
	Answer
	// From, To and Skip are the range and the offset that were asked for; Continued says that a next link was followed, More that another page
	// follows.
	From, To        time.Time
	Skip            int
	Continued, More bool
	// Rows is the number of rows in the body.
	Rows int
	// Refused requests meet no faults.
	Refused bool
	// Gzip compresses the body for clients that accept it.
	Gzip bool
	// Own are the provider's own faults that can happen to this request, and how each changes the reply.
	Own map[Fault]func(*Reply)
	// Do does what the request asks for, unless a fault refuses it; nil for a request that changes nothing.
	Do func(*Reply)
}

// Answer makes and sends the reply to a request to an endpoint, with a fault if one is due, and records it.
func (h *Host) Answer(w http.ResponseWriter, r *http.Request, endpoint string, reply func() Reply) {
	seen := Seen{Endpoint: endpoint, At: h.Now()}
	number := h.recorder.Begin(endpoint)
	defer func() { h.recorder.End(seen) }()
	a := reply()
	if !a.Refused {
		ask := Request{Endpoint: endpoint, Continued: a.Continued || a.Skip > 0, HasNext: a.More, From: a.From, To: a.To, Number: number}
		seen.Fault = h.faults.Next(ask, func(f Fault) bool { return f == NoFault || isTransport(f) || a.Own[f] != nil })
	}
	if change := a.Own[seen.Fault]; change != nil {
		change(&a)
	} else if a.Do != nil && StatusOf(seen.Fault, http.StatusOK) < http.StatusBadRequest {
		a.Do(&a)
	}
	seen.From, seen.To, seen.Skip, seen.Status = a.From, a.To, a.Skip, StatusOf(seen.Fault, a.Status)
	if seen.Status == http.StatusOK && delivers(seen.Fault) {
		seen.Rows = a.Rows
	}
	a.Now = h.Now()
	if a.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		a.Header.Set("Content-Encoding", "gzip")
		a.Body = compress(a.Body)
	}
	h.faults.Write(w, r, seen.Fault, a.Answer)
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	// A buffer takes everything, and the level is valid.
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	_, _ = z.Write(body)
	_ = z.Close()
	return b.Bytes()
}
