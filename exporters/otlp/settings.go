package otlp

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// scopeName is the instrumentation scope of everything that is sent.
const scopeName = "github.com/cdr-exporter/cdr-exporter"

// Protocol is how the endpoint is spoken to.
type Protocol string

// The protocols.
const (
	HTTP Protocol = "http/protobuf"
	GRPC Protocol = "grpc"
)

// LogTimestamp is what a log record's Timestamp says.
type LogTimestamp string

// The timestamps of log records.
const (
	// StartTimestamp is the call's start.
	StartTimestamp LogTimestamp = "start"
	// ObservedTimestamp is when the record was first read, for stores that refuse
	// old records.
	ObservedTimestamp LogTimestamp = "observed"
)

// Header gives the present value of a request header. It is asked before every
// request, so a secret kept in a file may change; it must be safe for concurrent
// use. Its error must not hold the secret.
type Header func() (string, error)

// Settings are what an Exporter needs. Zero durations take the defaults of the
// configuration: interval 15s, timeout 10s, shutdown timeout 10s.
type Settings struct {
	// Endpoint is a URL, https for TLS; for gRPC only scheme and host count. A user
	// and password in it are sent as basic authentication.
	Endpoint string
	Protocol Protocol
	Headers  map[string]Header
	// TLS is used if the endpoint's scheme is https; nil for the system's roots.
	TLS *tls.Config
	// Metrics says that metrics are sent, not log records.
	Metrics bool
	// Interval is the time between two exports of metrics.
	Interval time.Duration
	// Timeout bounds one request.
	Timeout time.Duration
	// Uncompressed sends requests as they are; otherwise they are gzipped.
	Uncompressed bool
	// ShutdownTimeout is how long Run goes on delivering after its context ended.
	ShutdownTimeout time.Duration
	// Resource are resource attributes that add to or override service.name,
	// service.version and service.instance.id.
	Resource map[string]string
	// InstanceID and Version describe this exporter in the resource.
	InstanceID, Version string
	// Transport replaces the HTTP transport; nil for one made from TLS. It isn't
	// used by gRPC.
	Transport http.RoundTripper
}

// withDefaults fills what was left out.
func (s Settings) withDefaults() Settings {
	s.Protocol = cmp.Or(s.Protocol, HTTP)
	s.Interval = cmp.Or(max(s.Interval, 0), 15*time.Second)
	s.Timeout = cmp.Or(max(s.Timeout, 0), 10*time.Second)
	s.ShutdownTimeout = cmp.Or(max(s.ShutdownTimeout, 0), 10*time.Second)
	return s
}

// endpoint parses the endpoint. Its errors don't repeat it: it may hold a password.
func (s Settings) endpoint() (*url.URL, error) {
	if s.Protocol != HTTP && s.Protocol != GRPC {
		return nil, fmt.Errorf("protocol %q: want %s or %s", s.Protocol, HTTP, GRPC)
	}
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("endpoint: want a URL like http://127.0.0.1:4318 or https://otlp.example.com")
	}
	if u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("endpoint: a URL without a query")
	}
	return u, nil
}
