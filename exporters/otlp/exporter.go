package otlp

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Exporter sends log records, or metrics, to an OTLP endpoint.
type Exporter struct {
	send   func(context.Context) error
	health *health
	close  func() error // of the connection of gRPC
}

// NewLogs makes an exporter of log records. It connects to nothing yet.
func NewLogs(s Settings, outbox Outbox, count Count, logger *slog.Logger) (*Exporter, error) {
	envelope, err := newEnvelope(s)
	if err != nil {
		return nil, err
	}
	h := newHealth("logs", logger)
	logs := &sender{
		outbox: outbox, envelope: envelope, count: count, health: h, logger: logger, timeout: s.Timeout, grace: s.ShutdownTimeout,
	}
	e := &Exporter{send: logs.run, health: h, close: noConnection}
	if !s.GRPC {
		logs.uploader = newHTTPUploader(s)
		return e, nil
	}
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	logs.uploader, e.close = grpcUploader{collogspb.NewLogsServiceClient(conn)}, sync.OnceValue(conn.Close)
	return e, nil
}

// NewMetrics makes an exporter of what the sources show. It connects to nothing yet.
func NewMetrics(s Settings, logger *slog.Logger, sources ...metrics.Source) (*Exporter, error) {
	m := &metricsSender{
		settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...), health: newHealth("metrics", logger),
		producer: NewProducer(s.Version, time.Now, sources...),
	}
	e := &Exporter{send: m.run, health: m.health, close: noConnection}
	var err error
	if !s.GRPC {
		m.Exporter, err = newHTTPMetrics(s)
		return e, err
	}
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	if m.Exporter, err = newGRPCMetrics(s, conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	e.close = sync.OnceValue(conn.Close)
	return e, nil
}

// Run sends until the context ends, then what is left, for at most the shutdown
// timeout. It returns once, with an error if the outbox was closed under it.
func (e *Exporter) Run(ctx context.Context) error { return e.send(ctx) }

// Status may be asked at any time, from any goroutine.
func (e *Exporter) Status() Status { return e.health.current() }

// Close closes the connection of gRPC, after Run has returned. It may be called again.
func (e *Exporter) Close() error { return e.close() }

func noConnection() error { return nil }
