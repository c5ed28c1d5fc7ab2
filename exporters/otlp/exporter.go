package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Parts are what an Exporter reads and tells.
type Parts struct {
	// Sources are what metrics are read from.
	Sources []metrics.Source
	// Outbox and Observer are needed for logs only.
	Outbox   Outbox
	Observer Observer
	// Logger is told of trouble and of refused records; nil for none.
	Logger *slog.Logger
	// Now is the clock; nil for the system's.
	Now func() time.Time
}

// Status is how sending goes. Nothing in it is secret.
type Status struct{ Logs, Metrics SignalStatus }

// State is that of both signals: retrying if one is, off if both are.
func (s Status) State() State {
	switch {
	case s.Logs.State == StateRetrying || s.Metrics.State == StateRetrying:
		return StateRetrying
	case s.Logs.State == StateOff && s.Metrics.State == StateOff:
		return StateOff
	}
	return StateOK
}

// Exporter sends metrics and log records to an OTLP endpoint.
type Exporter struct {
	logs    *sender        // nil if off
	metrics *metricsSender // nil if off

	logsHealth, metricsHealth *health

	close func() error
}

// New makes an exporter. It connects to nothing yet; an error says which setting
// is wrong.
func New(settings Settings, parts Parts) (*Exporter, error) {
	s := settings.withDefaults()
	endpoint, err := s.endpoint()
	if err != nil {
		return nil, err
	}
	if parts.Logger == nil {
		parts.Logger = slog.New(slog.DiscardHandler)
	}
	if parts.Now == nil {
		parts.Now = time.Now
	}
	if s.Logs && (parts.Outbox == nil || parts.Observer == nil) {
		return nil, errors.New("logs need an outbox and an observer")
	}
	h, err := newHeaders(s.Headers, endpoint)
	if err != nil {
		return nil, err
	}
	e := &Exporter{
		logsHealth:    newHealth("logs", s.Logs, parts.Logger, parts.Now),
		metricsHealth: newHealth("metrics", s.Metrics, parts.Logger, parts.Now),
		close:         func() error { return nil },
	}
	upload, exporter, err := e.connect(s, endpoint, h, parts.Now)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	if s.Logs {
		envelope, err := newEnvelope(s)
		if err != nil {
			return nil, errors.Join(err, e.Close())
		}
		e.logs = &sender{
			outbox: parts.Outbox, uploader: upload, envelope: envelope, observer: parts.Observer, health: e.logsHealth, logger: parts.Logger,
			timeout: s.Timeout, grace: s.ShutdownTimeout,
		}
	}
	if s.Metrics {
		e.metrics = &metricsSender{
			Exporter: exporter, settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...), health: e.metricsHealth,
			producer: NewProducer(s.Version, parts.Now, parts.Sources...),
		}
	}
	return e, nil
}

// connect makes what speaks the protocol, for both signals.
func (e *Exporter) connect(s Settings, endpoint *url.URL, h headers, now func() time.Time) (uploader, sdkmetric.Exporter, error) {
	if s.Protocol == GRPC {
		conn, err := dial(s, endpoint, h)
		if err != nil {
			return nil, nil, err
		}
		e.close = conn.Close
		exporter, err := newGRPCMetrics(s, conn)
		return grpcUploader{collogspb.NewLogsServiceClient(conn)}, exporter, err
	}
	client := newHTTPClient(s, h, now)
	e.close = func() error { client.CloseIdleConnections(); return nil }
	exporter, err := newHTTPMetrics(s, signalURL(s, endpoint, "metrics"), client)
	return &httpUploader{url: signalURL(s, endpoint, "logs"), client: client, timeout: s.Timeout, plain: s.Uncompressed, now: now}, exporter, err
}

// signalURL appends /v1/<signal> to the endpoint, unless it is complete, without its
// user and password.
func signalURL(s Settings, endpoint *url.URL, signal string) string {
	u := *endpoint
	u.User = nil
	if s.Complete {
		return u.String()
	}
	return u.JoinPath("v1", signal).String()
}

// Run sends until the context ends, then what is left, for at most the shutdown
// timeout. It returns once, with an error if the outbox was closed under it.
func (e *Exporter) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	if e.metrics != nil {
		wg.Go(func() { e.metrics.run(ctx) })
	}
	if e.logs != nil {
		if err := e.logs.run(ctx); err != nil {
			cancel()
			return err
		}
	}
	return nil
}

// Status may be asked at any time, from any goroutine.
func (e *Exporter) Status() Status {
	return Status{Logs: e.logsHealth.current(), Metrics: e.metricsHealth.current()}
}

// Close lets connections go, after Run has returned. It may be called again.
func (e *Exporter) Close() error {
	closing := e.close
	e.close = func() error { return nil }
	return closing()
}
