package otlp

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
)

// maxPoints is the number of data points in one request: under 4 MiB, the default limit of gRPC
// servers.
const maxPoints = 4000

// metricsSender is the SDK's exporter of metrics. It reports errors to the health, because the
// SDK's reader only has a global handler for them.
type metricsSender struct {
	sdkmetric.Exporter

	settings Settings
	producer sdkmetric.Producer
	resource *resource.Resource
	health   *health
}

// run exports until the context ends, then once more with the last values. The health has the
// result.
func (m *metricsSender) run(ctx context.Context) error {
	reader := sdkmetric.NewPeriodicReader(m,
		sdkmetric.WithInterval(m.settings.Interval), sdkmetric.WithTimeout(m.settings.Timeout),
		sdkmetric.WithProducer(m.producer), sdkmetric.WithMaxExportBatchSize(maxPoints))
	// A reader only works as part of a provider. This provider has no instruments.
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(m.resource))
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.settings.ShutdownTimeout)
	defer cancel()
	// The exporter below reports its errors; any other error means that the time is up.
	_ = provider.Shutdown(last)
	return nil
}

// Export implements metric.Exporter.
func (m *metricsSender) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	if len(rm.ScopeMetrics) == 0 {
		return nil
	}
	// The provider's resource includes the environment, which the configuration has already
	// resolved.
	rm.Resource = m.resource
	limited, cancel := context.WithTimeout(ctx, m.settings.Timeout)
	defer cancel()
	err := m.Exporter.Export(limited, rm)
	failure, failed := errors.AsType[answer](err)
	switch {
	case err == nil:
		m.health.working()
	case errors.Is(ctx.Err(), context.Canceled):
		// The reader is shutting down, and exports once more.
	case failed && failure.kind == accepted:
		if m.health.refusing(failure.problem) {
			m.health.logger.Warn("OTLP endpoint refused some data points of a request", "rejected", failure.rejected)
		}
	case failed:
		m.health.failing(failure.problem)
	default:
		m.health.failing(networkProblem(err, m.settings.Timeout))
	}
	return nil
}

// newMetricExporter makes the SDK's exporter, on our HTTP client or gRPC connection, which handle
// headers, security and errors. It sets all options that the environment could set, with the
// configuration's values. Nothing is retried: the next interval has newer values.
func newMetricExporter(s Settings, conn *grpc.ClientConn) (sdkmetric.Exporter, error) {
	if conn != nil {
		return otlpmetricgrpc.New(context.Background(),
			otlpmetricgrpc.WithGRPCConn(conn), otlpmetricgrpc.WithHeaders(nil), otlpmetricgrpc.WithTimeout(s.Timeout),
			otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{}))
	}
	compression := otlpmetrichttp.GzipCompression
	if s.Uncompressed {
		compression = otlpmetrichttp.NoCompression
	}
	return otlpmetrichttp.New(context.Background(),
		otlpmetrichttp.WithEndpointURL(s.Endpoint), otlpmetrichttp.WithHTTPClient(newHTTPClient(s)),
		otlpmetrichttp.WithTLSClientConfig(nil), otlpmetrichttp.WithHeaders(nil),
		otlpmetrichttp.WithCompression(compression), otlpmetrichttp.WithTimeout(s.Timeout),
		otlpmetrichttp.WithMaxResponseSize(maxResponse), otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{}))
}
