package otlp

import (
	"context"
	"errors"
	"log/slog"

	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// Exporter sends log records, spans or metrics to an OTLP endpoint.
type Exporter struct {
	// Run sends until the context ends. Then it sends the rest, within the shutdown timeout. It
	// returns once; its error means that the outbox was closed.
	Run func(context.Context) error
	// Status is safe for concurrent use.
	Status func() Status

	conn *grpc.ClientConn // nil for HTTP, and after Close
}

// NewLogs makes an exporter of log records. It doesn't connect yet.
func NewLogs(s Settings, outbox Outbox, count Count, logger *slog.Logger) (*Exporter, error) {
	return newSender(s, "logs", exportLogs, &sender{outbox: outbox, count: count, logger: logger})
}

// NewTraces makes an exporter of spans. It doesn't connect yet.
func NewTraces(s Settings, outbox Outbox, count Count, logger *slog.Logger) (*Exporter, error) {
	return newSender(s, "traces", exportTraces, &sender{outbox: outbox, count: count, logger: logger})
}

// newSender completes the sender of a signal. method is the gRPC method to call.
func newSender(s Settings, signal, method string, to *sender) (*Exporter, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	to.health, to.logger = &health{signal: signal, logger: to.logger}, to.logger.With("signal", signal)
	to.envelope, to.timeout, to.grace = newEnvelope(s), s.Timeout, s.ShutdownTimeout
	if conn == nil {
		to.post = newHTTPUploader(s).upload
	} else {
		to.post = grpcUploader{conn, method}.upload
	}
	return &Exporter{Run: to.run, Status: to.health.current, conn: conn}, nil
}

// NewMetrics makes an exporter of the sources' metrics. It doesn't connect yet.
func NewMetrics(s Settings, logger *slog.Logger, sources ...metrics.Source) (*Exporter, error) {
	conn, err := dial(s)
	if err != nil {
		return nil, err
	}
	m := &metricsSender{
		settings: s, resource: resource.NewSchemaless(resourceAttributes(s)...),
		health:   &health{signal: "metrics", logger: logger},
		producer: Producer{s.Version, sources},
	}
	e := &Exporter{Run: m.run, Status: m.health.current, conn: conn}
	if m.Exporter, err = newMetricExporter(s, conn); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

// Close closes the gRPC connection after Run has returned. It may be called again.
func (e *Exporter) Close() (err error) {
	if e.conn != nil {
		err, e.conn = e.conn.Close(), nil
	}
	return err
}
