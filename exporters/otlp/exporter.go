package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"time"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
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

	closeOnce sync.Once
	close     func() error
	closeErr  error
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
	h, err := newHeaders(s.Headers, endpoint)
	if err != nil {
		return nil, err
	}
	b := builder{settings: s, parts: parts, endpoint: endpoint, headers: h}
	return b.build()
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
	e.closeOnce.Do(func() { e.closeErr = e.close() })
	return e.closeErr
}

// builder puts an exporter together.
type builder struct {
	settings Settings
	parts    Parts
	endpoint *url.URL
	headers  *headers
}

func (b *builder) build() (*Exporter, error) {
	around, err := newEnvelope(b.settings)
	if err != nil {
		return nil, err
	}
	e := &Exporter{
		logsHealth:    newHealth("logs", b.settings.Logs, b.parts.Logger, b.parts.Now),
		metricsHealth: newHealth("metrics", b.settings.Metrics, b.parts.Logger, b.parts.Now),
	}
	if b.settings.Protocol == GRPC {
		err = b.buildGRPC(e, around)
	} else {
		err = b.buildHTTP(e, around)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func (b *builder) buildHTTP(e *Exporter, around envelope) error {
	client := newHTTPClient(b.settings, b.headers, b.parts.Now)
	e.close = func() error { client.CloseIdleConnections(); return nil }
	return b.signals(e,
		&httpUploader{
			url: b.signalURL("logs"), client: client, envelope: around,
			timeout: b.settings.Timeout, now: b.parts.Now, plain: b.settings.Uncompressed,
		},
		func(ctx context.Context) (sdkmetric.Exporter, error) {
			return newHTTPMetrics(ctx, b.settings, b.signalURL("metrics"), client)
		})
}

func (b *builder) buildGRPC(e *Exporter, around envelope) error {
	conn, err := dial(b.settings, b.endpoint, b.headers)
	if err != nil {
		return err
	}
	e.close = conn.Close
	err = b.signals(e,
		&grpcUploader{client: collogspb.NewLogsServiceClient(conn), envelope: around, timeout: b.settings.Timeout},
		func(ctx context.Context) (sdkmetric.Exporter, error) { return newGRPCMetrics(ctx, b.settings, conn) })
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}

// signals makes what is switched on.
func (b *builder) signals(e *Exporter, u uploader, exporter func(context.Context) (sdkmetric.Exporter, error)) error {
	s, p := b.settings, b.parts
	if s.Logs {
		if p.Outbox == nil || p.Observer == nil {
			return errors.New("logs need an outbox and an observer")
		}
		e.logs = &sender{
			outbox: p.Outbox, uploader: u, observer: p.Observer, health: e.logsHealth, logger: p.Logger, grace: s.ShutdownTimeout,
		}
	}
	if s.Metrics {
		inner, err := exporter(context.Background())
		if err != nil {
			return err
		}
		resource := sdkResource(s)
		e.metrics = &metricsSender{
			producer: NewProducer(s.Version, p.Now, p.Sources...), resource: resource,
			exporter: &watched{
				Exporter: inner, resource: resource, health: e.metricsHealth, timeout: s.Timeout, interval: s.Interval,
			},
			interval: s.Interval, timeout: s.Timeout, grace: s.ShutdownTimeout,
		}
	}
	return nil
}

// signalURL appends /v1/<signal> to the endpoint, unless it is complete, without its
// user and password.
func (b *builder) signalURL(signal string) string {
	u := *b.endpoint
	u.User = nil
	if b.settings.Complete {
		return u.String()
	}
	return u.JoinPath("v1", signal).String()
}
