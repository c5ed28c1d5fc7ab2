package otlp

import (
	"crypto/tls"
	"net/http"
	"time"
)

// scopeName is the instrumentation scope of everything that is sent.
const scopeName = "github.com/cdr-exporter/cdr-exporter"

// Settings are how an Exporter sends, as the configuration has checked them.
type Settings struct {
	// Endpoint is a URL, https for TLS, without a user; for gRPC only scheme and host count.
	Endpoint string
	// GRPC is spoken to the endpoint, instead of HTTP with protobuf.
	GRPC    bool
	Headers Headers
	// TLS is used if the endpoint's scheme is https; nil for the system's roots.
	TLS *tls.Config
	// Interval is the time between two exports of metrics.
	Interval time.Duration
	// Timeout bounds one request.
	Timeout time.Duration
	// Uncompressed sends requests as they are; otherwise they are gzipped.
	Uncompressed bool
	// ShutdownTimeout is how long Run goes on delivering after its context ended.
	ShutdownTimeout time.Duration
	// Resource are attributes that add to or override service.name, service.version and service.instance.id.
	Resource map[string]string
	// InstanceID and Version describe this exporter in the resource.
	InstanceID, Version string
	// Transport replaces the HTTP transport, which isn't gRPC's; nil for one made from TLS.
	Transport http.RoundTripper
	// Deliver takes the requests instead of the endpoint; nil: they are sent.
	Deliver Deliver
}
