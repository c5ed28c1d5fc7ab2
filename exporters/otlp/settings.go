package otlp

import (
	"crypto/tls"
	"net/http"
	"time"
)

// scopeName is the instrumentation scope of all that is sent.
const scopeName = "github.com/cdr-exporter/cdr-exporter"

// Settings are the settings of an Exporter, which the configuration has checked.
type Settings struct {
	// Endpoint is a URL, https for TLS, without a user; for gRPC only scheme and host matter.
	Endpoint string
	// GRPC uses gRPC instead of HTTP with protobuf.
	GRPC    bool
	Headers Headers
	// TLS is used if the endpoint's scheme is https; nil for the system's roots.
	TLS *tls.Config
	// Interval is the time between two exports of metrics.
	Interval time.Duration
	// Timeout limits one request.
	Timeout time.Duration
	// Uncompressed sends requests without gzip.
	Uncompressed bool
	// ShutdownTimeout is how long Run continues to deliver after its context ended.
	ShutdownTimeout time.Duration
	// Resource are attributes that add to or override service.name, service.version and service.instance.id.
	Resource map[string]string
	// InstanceID and Version describe this exporter in the resource.
	InstanceID, Version string
	// Transport replaces the HTTP transport, not gRPC's; if nil, it is made from TLS.
	Transport http.RoundTripper
	// Deliver takes the requests instead of the endpoint; if nil, they are sent.
	Deliver Deliver
}
