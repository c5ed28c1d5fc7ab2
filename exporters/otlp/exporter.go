package otlp

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/sdk/resource"
	collogspb "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/grpc"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Exporter sends log records, or metrics, to an OTLP endpoint.
type Exporter struct {
	send   func(context.Context) error
	health *health
	conn   *grpc.ClientConn // nil for HTTP, and when it was closed
}

// NewLogs makes an exporter of log records. It connects to nothing yet.
func NewLogs(s Settings, outbox Outbox, count Count, logger *slog.Logger) (*Exporter, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	logs := &sender{
		outbox: outbox, envelope: newEnvelope(s), count: count, health: &health{signal: "logs", logger: logger}, logger: logger,
		timeout: s.Timeout, grace: s.ShutdownTimeout,
	}
	if conn == nil {
		logs.uploader = newHTTPUploader(s)
	} else {
		logs.uploader = grpcUploader{collogspb.NewLogsServiceClient(conn)}
	}
	return &Exporter{send: logs.run, health: logs.health, conn: conn}, nil
}

// NewMetrics makes an exporter of what the sources show. It connects to nothing yet.
func NewMetrics(s Settings, logger *slog.Logger, sources ...metrics.Source) (*Exporter, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	m := &metricsSender{
		settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...), health: &health{signal: "metrics", logger: logger},
		producer: NewProducer(s.Version, time.Now, sources...),
	}
	e := &Exporter{send: m.run, health: m.health, conn: conn}
	if m.Exporter, err = newMetricExporter(s, conn); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Run sends until the context ends, then what is left, for at most the shutdown
// timeout. It returns once, with an error if the outbox was closed under it.
func (e *Exporter) Run(ctx context.Context) error { return e.send(ctx) }

// Status may be asked at any time, from any goroutine.
func (e *Exporter) Status() Status { return e.health.current() }

// Close closes the connection of gRPC, after Run has returned. It may be called again.
func (e *Exporter) Close() (err error) {
	if e.conn != nil {
		err, e.conn = e.conn.Close(), nil
	}
	return err
}
