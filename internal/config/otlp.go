package config

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"
)

// The values of the keys of [OTLP] with a fixed set of values.
const (
	ProtocolHTTP = "http/protobuf"
	ProtocolGRPC = "grpc"

	LogTimestampStart    = "start"
	LogTimestampObserved = "observed"

	OutboxPause    = "pause"
	OutboxSkipLogs = "skip_logs"
)

// OTLP is the user's configuration of sending metrics, logs and traces to an OpenTelemetry
// endpoint. The exporters need [OTLPSettings].
type OTLP struct {
	// Endpoint is the base URL of all signals; empty means the environment's.
	Endpoint string `yaml:"endpoint"`
	// Protocol is [ProtocolHTTP] or [ProtocolGRPC]; empty means the environment's.
	Protocol string `yaml:"protocol"`
	// Headers are sent with every request, including those of headers_file.
	Headers map[string]Secret `yaml:"headers"`
	// InsecureHeaders allows headers over plain http, such as to a collector in the same cluster.
	InsecureHeaders bool      `yaml:"insecure_headers"`
	TLSConfig       TLSConfig `yaml:"tls_config"`
	// Logs, Metrics and Traces say what is sent.
	Logs    bool `yaml:"logs"`
	Metrics bool `yaml:"metrics"`
	Traces  bool `yaml:"traces"`
	// TracesHistory says that calls of a feed's first history get spans too.
	TracesHistory bool `yaml:"traces_history"`
	// Interval is the interval of metrics.
	Interval time.Duration `yaml:"interval"`
	// LogTimestamp is [LogTimestampStart] or [LogTimestampObserved].
	LogTimestamp string `yaml:"log_timestamp"`
	// ResourceAttributes override the attributes of the environment and of the exporter.
	ResourceAttributes map[string]string `yaml:"resource_attributes"`
	// OutboxLimit is the number of log records that may wait, and also the number of spans.
	OutboxLimit int64 `yaml:"outbox_limit"`
	// OutboxFull is [OutboxPause] or [OutboxSkipLogs].
	OutboxFull string `yaml:"outbox_full"`
	// ShutdownTimeout is how long the outbox is drained at shutdown.
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
	r.OneOf("protocol", cmp.Or(o.Protocol, ProtocolHTTP), ProtocolHTTP, ProtocolGRPC)
	if o.Endpoint != "" {
		if _, err := checkEndpoint(o.Endpoint, len(o.Headers) > 0 && !o.InsecureHeaders); err != nil {
			r.Problemf("endpoint", "%s", err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.Headers)) {
		if err := checkHeader(name, o.Headers[name]); err != nil {
			r.Problemf(KeyPath("headers", name), "%s", err)
		}
	}
	if _, empty := o.ResourceAttributes[""]; empty {
		r.Problemf("resource_attributes", "must not hold an empty name")
	}
	r.DurationAtLeast("interval", o.Interval, minInterval)
	r.OneOf("log_timestamp", o.LogTimestamp, LogTimestampStart, LogTimestampObserved)
	r.AtLeast("outbox_limit", o.OutboxLimit, 1)
	r.OneOf("outbox_full", o.OutboxFull, OutboxPause, OutboxSkipLogs)
	r.DurationAtLeast("shutdown_timeout", o.ShutdownTimeout, 0)
}

// checkEndpoint parses an OTLP endpoint. Plain http, which is common inside a cluster, is only
// refused if requests carry headers, because they are secrets.
func checkEndpoint(raw string, hasSecrets bool) (*url.URL, error) {
	u, err := parseServiceURL(raw)
	if err != nil {
		return nil, errors.New("must be a URL with scheme and host, such as http://127.0.0.1:4318, without " +
			"user, query and fragment")
	}
	if hasSecrets && u.Scheme == "http" && !IsLoopback(u.Hostname()) {
		return nil, errors.New("must be https, because headers with secrets travel on it; plain http with " +
			"headers is for loopback hosts " +
			"(127.0.0.1, ::1, localhost), or set otlp.insecure_headers: true if the network between is trusted")
	}
	return u, nil
}

// checkHeader reports why a header can't be sent. The content of a file is checked when it is used.
func checkHeader(name string, value Secret) error {
	if !httpguts.ValidHeaderFieldName(name) {
		return errors.New("must be the name of an HTTP header, such as Authorization")
	}
	if value.file != "" {
		return nil
	}
	if text, err := value.Value(context.Background()); err != nil || !httpguts.ValidHeaderFieldValue(text) {
		return errors.New("must be one line without control characters")
	}
	return nil
}
