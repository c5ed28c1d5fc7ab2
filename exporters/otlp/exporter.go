package otlp

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// Exporter sends log records, or metrics, to an OTLP endpoint.
type Exporter struct {
	// Run sends until the context ends, then what is left, within the shutdown timeout. It returns once; the error is that the outbox was closed.
	Run func(context.Context) error
	// Status may be asked at any time, from any goroutine.
	Status func() Status

	conn *grpc.ClientConn // nil for HTTP, and when it was closed
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
		logs.post = newHTTPUploader(s).upload
	} else {
		logs.post = grpcUploader{conn}.upload
	}
	return &Exporter{Run: logs.run, Status: logs.health.current, conn: conn}, nil
}

// NewMetrics makes an exporter of what the sources show. It connects to nothing yet.
func NewMetrics(s Settings, logger *slog.Logger, sources ...metrics.Source) (*Exporter, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	m := &metricsSender{
		settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...), health: &health{signal: "metrics", logger: logger},
		producer: Producer{s.Version, sources},
	}
	e := &Exporter{Run: m.run, Status: m.health.current, conn: conn}
	if m.Exporter, err = newMetricExporter(s, conn); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close closes the connection of gRPC, after Run has returned. It may be called again.
func (e *Exporter) Close() (err error) {
	if e.conn != nil {
		err, e.conn = e.conn.Close(), nil
	}
	return err
}
