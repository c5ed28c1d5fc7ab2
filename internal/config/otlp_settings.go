package config

import (
	"maps"
	"net/url"
	"time"
)

// Defaults of the OpenTelemetry specification, "OpenTelemetry Protocol Exporter".
const (
	defaultHTTPEndpoint = "http://localhost:4318"
	defaultGRPCEndpoint = "http://localhost:4317"
	defaultTimeout      = 10 * time.Second
)

// OTLPSettings is what the exporters need to send metrics and logs: the keys of
// [OTLP], completed from the environment.
type OTLPSettings struct {
	Logs    OTLPSignal
	Metrics OTLPSignal
	// Interval is that of metrics.
	Interval time.Duration
	// LogTimestamp is [LogTimestampStart] or [LogTimestampObserved].
	LogTimestamp string
	// ResourceAttributes are those of the file over those of the environment.
	ResourceAttributes map[string]string
	// OutboxLimit is the number of log records that may wait.
	OutboxLimit int64
	// OutboxFull is [OutboxPause] or [OutboxSkipLogs].
	OutboxFull string
	// ShutdownTimeout is how long the outbox is sent from at the end.
	ShutdownTimeout time.Duration
}

// OTLPSignal is where and how one signal is sent.
type OTLPSignal struct {
	Enabled bool
	// Protocol is [ProtocolHTTP] or [ProtocolGRPC].
	Protocol string
	// Endpoint is complete: for HTTP with the signal's path. For gRPC only its host
	// and its scheme count: http is without TLS.
	Endpoint *url.URL
	// Headers are sent with every request.
	Headers   map[string]Secret
	TLSConfig TLSConfig
	// Timeout is that of one request.
	Timeout time.Duration
	// Compression is "gzip" or "none".
	Compression string
}

// ResolveOTLP completes what the file says with the variables of the OpenTelemetry
// specification: OTEL_EXPORTER_OTLP_ and OTEL_EXPORTER_OTLP_LOGS_ or _METRICS_
// followed by ENDPOINT, PROTOCOL, HEADERS, CERTIFICATE, CLIENT_KEY,
// CLIENT_CERTIFICATE, TIMEOUT, COMPRESSION and INSECURE, OTEL_RESOURCE_ATTRIBUTES
// and OTEL_SERVICE_NAME. A key in the file wins over all variables, the variable of
// a signal over the general one, and an empty variable is not set.
//
// It returns nil without an error if OTLP is off: the file has no such key and
// OTEL_EXPORTER_OTLP_ENDPOINT is not set. The error is [Problems] with the file
// "environment" and the variables as paths.
func ResolveOTLP(o *OTLP, getenv func(string) string) (*OTLPSettings, error) {
	if o == nil {
		if getenv(otlpPrefix+"ENDPOINT") == "" {
			return nil, nil
		}
		o = new(OTLP)
		o.SetDefaults()
	}
	e := &otlpEnv{getenv: getenv}
	attributes := e.resourceAttributes()
	maps.Copy(attributes, o.ResourceAttributes)
	s := &OTLPSettings{
		Logs:               e.signal(o, "LOGS", "v1/logs"),
		Metrics:            e.signal(o, "METRICS", "v1/metrics"),
		Interval:           o.Interval,
		LogTimestamp:       o.LogTimestamp,
		ResourceAttributes: attributes,
		OutboxLimit:        o.OutboxLimit,
		OutboxFull:         o.OutboxFull,
		ShutdownTimeout:    o.ShutdownTimeout,
	}
	s.Logs.Enabled, s.Metrics.Enabled = o.Logs, o.Metrics
	if err := e.problems.asError(); err != nil {
		return nil, err
	}
	return s, nil
}
