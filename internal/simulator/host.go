package simulator

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Host is what the server of every simulated provider has: HTTPS with its own authority, the provider's time, faults, and a record of
// the requests. It is safe for concurrent use.
type Host struct {
	*Timeline
	authority   *Authority
	certificate *tls.Certificate
	listeners   []*Listener
	faults      *Faults
	recorder    *Recorder
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
	if _, err = h.Listen(address, handler); err != nil {
		return nil, err
	}
	return h, nil
}

// Listen opens a further HTTPS listener, such as another host's, and returns its URL.
func (h *Host) Listen(address string, handler http.Handler) (string, error) {
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := Serve(address, h.certificate, handler)
	if err != nil {
		h.Close()
		return "", err
	}
	h.listeners = append(h.listeners, l)
	return l.URL(), nil
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
	// From, To and Skip are the range and the offset that were asked for; More says that another page follows.
	From, To time.Time
	Skip     int
	More     bool
	// Rows is the number of rows in the body.
	Rows int
	// Refused requests meet no faults.
	Refused bool
	// Gzip compresses the body for clients that accept it.
	Gzip bool
	// Own are the provider's own faults that can happen to this request, and how each changes the reply.
	Own map[Fault]func(*Reply)
}

// Answer makes and sends the reply to a request to an endpoint, with a fault if one is due, and records it.
func (h *Host) Answer(w http.ResponseWriter, r *http.Request, endpoint string, reply func() Reply) {
	seen := Seen{Endpoint: endpoint, At: h.Now()}
	number := h.recorder.Begin(endpoint)
	defer func() { h.recorder.End(seen) }()
	a := reply()
	if !a.Refused {
		ask := Request{Endpoint: endpoint, Continued: a.Skip > 0, HasNext: a.More, From: a.From, To: a.To, Number: number}
		seen.Fault = h.faults.Next(ask, func(f Fault) bool { return f == NoFault || isTransport(f) || a.Own[f] != nil })
	}
	if change := a.Own[seen.Fault]; change != nil {
		change(&a)
	}
	seen.From, seen.To, seen.Skip, seen.Status = a.From, a.To, a.Skip, StatusOf(seen.Fault, a.Status)
	if seen.Status == http.StatusOK && Delivers(seen.Fault) {
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

// JSON encodes a value that always has a JSON form, without escapes for HTML.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("simulated provider: %v", err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
