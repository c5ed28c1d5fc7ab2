package config

import "time"

// Values of the keys of [OTLP] that allow only some.
const (
	ProtocolHTTP = "http/protobuf"
	ProtocolGRPC = "grpc"

	LogTimestampStart    = "start"
	LogTimestampObserved = "observed"

	OutboxPause    = "pause"
	OutboxSkipLogs = "skip_logs"
)

// OTLP is what the user wrote about sending metrics and logs to an OpenTelemetry
// endpoint. What the exporters need is [OTLPSettings].
type OTLP struct {
	// Endpoint is the base URL of metrics and logs; empty means the environment's.
	Endpoint string `yaml:"endpoint"`
	// Protocol is [ProtocolHTTP] or [ProtocolGRPC]; empty means the environment's.
	Protocol string `yaml:"protocol"`
	// Headers are sent with every request, those of headers_file included.
	Headers map[string]Secret `yaml:"headers"`
	// InsecureHeaders allows headers over plain http, such as to a collector in the same cluster.
	InsecureHeaders bool      `yaml:"insecure_headers"`
	TLSConfig       TLSConfig `yaml:"tls_config"`
	// Logs and Metrics say what is sent.
	Logs    bool `yaml:"logs"`
	Metrics bool `yaml:"metrics"`
	// Interval is that of metrics.
	Interval time.Duration `yaml:"interval"`
	// LogTimestamp is [LogTimestampStart] or [LogTimestampObserved].
	LogTimestamp string `yaml:"log_timestamp"`
	// ResourceAttributes override those of the environment and of the exporter.
	ResourceAttributes map[string]string `yaml:"resource_attributes"`
	// OutboxLimit is the number of log records that may wait.
	OutboxLimit int64 `yaml:"outbox_limit"`
	// OutboxFull is [OutboxPause] or [OutboxSkipLogs].
	OutboxFull string `yaml:"outbox_full"`
	// ShutdownTimeout is how long the outbox is sent from at the end.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
}

// SetDefaults implements [Defaulter].
func (o *OTLP) SetDefaults() {
	*o = OTLP{
		Logs:            true,
		Metrics:         true,
		Interval:        15 * time.Second,
		LogTimestamp:    LogTimestampStart,
		OutboxLimit:     1_000_000,
		OutboxFull:      OutboxPause,
		ShutdownTimeout: 10 * time.Second,
	}
}

// Validate implements [Validator].
func (o *OTLP) Validate(r *Report) {
	if o.Protocol != "" {
		r.OneOf("protocol", o.Protocol, ProtocolHTTP, ProtocolGRPC)
	}
	if o.Endpoint != "" {
		if _, err := checkEndpoint(o.Endpoint, len(o.Headers) > 0 && !o.InsecureHeaders); err != nil {
			r.Problemf("endpoint", "%s", err)
		}
	}
	validateHeaders(r, o.Headers)
	for name := range o.ResourceAttributes {
		if name == "" {
			r.Problemf("resource_attributes", "must not hold an empty name")
		}
	}
	r.DurationAtLeast("interval", o.Interval, minInterval)
	r.OneOf("log_timestamp", o.LogTimestamp, LogTimestampStart, LogTimestampObserved)
	r.AtLeast("outbox_limit", o.OutboxLimit, 1)
	r.OneOf("outbox_full", o.OutboxFull, OutboxPause, OutboxSkipLogs)
	r.DurationAtLeast("shutdown_timeout", o.ShutdownTimeout, 0)
}
