package otlpsink

import (
	"crypto/tls"
	"time"

	"google.golang.org/grpc/codes"
)

// Settings say how the sink listens.
type Settings struct {
	// Listen is the address of the HTTP listener, ListenGRPC of the other; 127.0.0.1:0 if empty.
	Listen, ListenGRPC string
	// TLS serves both over TLS.
	TLS *tls.Config
	// Headers are required of every request, HTTP or gRPC metadata.
	Headers map[string]string
}

// Signal is a kind of telemetry.
type Signal uint8

// The signals.
const (
	// AnySignal is every signal.
	AnySignal Signal = iota
	LogSignal
	MetricSignal
)

// Log is one log record.
type Log struct {
	// UID is log.record.uid.
	UID string
	// Number is its place in the order of first arrival, from 0.
	Number int
	// Event is the event name; Feed, Source and RecordID are attributes.
	Event, Source, Feed, RecordID string
	Time, Observed                time.Time
	// Severity is the number; SeverityText its text.
	Severity     int
	SeverityText string
	Body         string
	// TraceID is in hexadecimal.
	TraceID string
	// Scope is the instrumentation scope's name.
	Scope string
	// Attributes and Resource hold string, int64, float64, bool, []any and map[string]any.
	Attributes, Resource map[string]any
}

// PointKind is the kind of a metric point.
type PointKind string

// The kinds of points.
const (
	Sum       PointKind = "sum"
	Gauge     PointKind = "gauge"
	Histogram PointKind = "histogram"
)

// Point is the newest value of one metric's one set of attributes.
type Point struct {
	Name, Unit, Description string
	Kind                    PointKind
	// Monotonic and Cumulative are of sums and histograms.
	Monotonic, Cumulative bool
	Attributes            map[string]string
	Resource              map[string]any
	// Start is when the value was 0; Time when it was taken.
	Start, Time time.Time
	// Value is of sums and gauges; Sum and Count of histograms, whose Bounds and Buckets are explicit.
	Value   float64
	Sum     float64
	Count   uint64
	Bounds  []float64
	Buckets []uint64
}

// Reply is how the sink answers instead of accepting.
type Reply struct {
	// Signal is which requests it answers.
	Signal Signal
	// Status is the HTTP status; Code the gRPC code. The other protocol is answered with its own kind of failure: 503 or Unavailable.
	Status int
	Code   codes.Code
	// RetryAfter is sent as the header or as gRPC retry information.
	RetryAfter time.Duration
	// Match limits it to requests that hold a record with such a uid.
	Match func(Log) bool
	// RejectLogs makes a partial success: the records that Match (all, if nil) are rejected, the rest is kept.
	RejectLogs bool
	// Message is the partial success's or the error's.
	Message string
	// Delay comes before the answer. Alone it is a slow acceptance.
	Delay time.Duration
	// Accept keeps what came although the answer is a failure: an acknowledgement that got lost.
	Accept bool
	// Drop closes the connection without an answer (HTTP), or is Unavailable.
	Drop bool
	// Times is how often; zero is until ClearFailures.
	Times int
}
