package otlp

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"

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

// Exporter sends log records, or metrics, to an OTLP endpoint.
type Exporter struct {
	send   func(context.Context) error
	health *health
	close  func() error
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
	endpoint.User = nil // it is in the headers
	e := &Exporter{close: func() error { return nil }}
	if s.Metrics {
		err = e.prepareMetrics(s, endpoint, h, parts)
	} else {
		err = e.prepareLogs(s, endpoint, h, parts)
	}
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func (e *Exporter) prepareLogs(s Settings, endpoint *url.URL, h headers, parts Parts) error {
	if parts.Outbox == nil || parts.Observer == nil {
		return errors.New("logs need an outbox and an observer")
	}
	envelope, err := newEnvelope(s)
	if err != nil {
		return err
	}
	e.health = newHealth("logs", parts.Logger, parts.Now)
	logs := &sender{
		outbox: parts.Outbox, envelope: envelope, observer: parts.Observer, health: e.health, logger: parts.Logger,
		timeout: s.Timeout, grace: s.ShutdownTimeout,
	}
	e.send = logs.run
	if s.Protocol == GRPC {
		conn, err := e.dial(s, endpoint, h)
		logs.uploader = grpcUploader{collogspb.NewLogsServiceClient(conn)}
		return err
	}
	client := e.newHTTPClient(s, h, parts.Now)
	logs.uploader = &httpUploader{url: endpoint.String(), client: client, timeout: s.Timeout, plain: s.Uncompressed, now: parts.Now}
	return nil
}

func (e *Exporter) prepareMetrics(s Settings, endpoint *url.URL, h headers, parts Parts) (err error) {
	e.health = newHealth("metrics", parts.Logger, parts.Now)
	sender := &metricsSender{
		settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...), health: e.health,
		producer: NewProducer(s.Version, parts.Now, parts.Sources...),
	}
	e.send = sender.run
	if s.Protocol != GRPC {
		sender.Exporter, err = newHTTPMetrics(s, endpoint.String(), e.newHTTPClient(s, h, parts.Now))
		return err
	}
	conn, err := e.dial(s, endpoint, h)
	if err == nil {
		sender.Exporter, err = newGRPCMetrics(s, conn)
	}
	return err
}

func (e *Exporter) dial(s Settings, endpoint *url.URL, h headers) (*grpc.ClientConn, error) {
	conn, err := dial(s, endpoint, h)
	if err == nil {
		e.close = conn.Close
	}
	return conn, err
}

func (e *Exporter) newHTTPClient(s Settings, h headers, now func() time.Time) *http.Client {
	client := newHTTPClient(s, h, now)
	e.close = func() error { client.CloseIdleConnections(); return nil }
	return client
}

// Run sends until the context ends, then what is left, for at most the shutdown
// timeout. It returns once, with an error if the outbox was closed under it.
func (e *Exporter) Run(ctx context.Context) error { return e.send(ctx) }

// Status may be asked at any time, from any goroutine.
func (e *Exporter) Status() Status { return e.health.current() }

// Close lets connections go, after Run has returned. It may be called again.
func (e *Exporter) Close() error {
	closing := e.close
	e.close = func() error { return nil }
	return closing()
}
