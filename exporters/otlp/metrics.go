package otlp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	"google.golang.org/grpc"
)

const (
	// maxPoints is how many data points go into one request: under 4 MiB, which is
	// what gRPC servers take unless told otherwise.
	maxPoints = 4000
	// The SDK tries again within the timeout of one export; the next interval brings
	// newer values anyway.
	firstRetry, maxRetry = time.Second, 5 * time.Second
)

// metricsSender exports a producer's metrics at an interval.
type metricsSender struct {
	producer sdkmetric.Producer
	exporter sdkmetric.Exporter
	resource *resource.Resource
	interval time.Duration
	timeout  time.Duration
	grace    time.Duration
}

// run exports until the context ends, then once more: the last values. How that
// went is in the health.
func (m *metricsSender) run(ctx context.Context) {
	reader := sdkmetric.NewPeriodicReader(m.exporter,
		sdkmetric.WithInterval(m.interval), sdkmetric.WithTimeout(m.timeout),
		sdkmetric.WithProducer(m.producer), sdkmetric.WithMaxExportBatchSize(maxPoints))
	// A reader reads only as part of a provider. It has no instruments of its own.
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader), sdkmetric.WithResource(m.resource))
	<-ctx.Done()
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.grace)
	defer cancel()
	// The exporter below reports its errors; what is left says that time is up.
	_ = provider.Shutdown(last)
}

// watched is the SDK's exporter with its errors where they are seen: the reader
// hands them to a global handler.
type watched struct {
	sdkmetric.Exporter
	resource *resource.Resource
	health   *health
	timeout  time.Duration
	interval time.Duration
}

// Export implements metric.Exporter.
func (w *watched) Export(ctx context.Context, rm *metricdata.ResourceMetrics) error {
	if len(rm.ScopeMetrics) == 0 {
		return nil
	}
	// The provider's has what the environment says on top, which the configuration
	// has resolved already.
	rm.Resource = w.resource
	limited, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	limited, last := withAttempt(limited)
	err := w.Exporter.Export(limited, rm)
	switch {
	case err == nil:
		w.health.working()
	case errors.Is(ctx.Err(), context.Canceled):
		// The reader is being shut down, and exports once more.
	case !last.made:
		// The SDK's own words: nothing was sent.
		w.health.failing(err.Error(), w.interval)
	case last.problem == "":
		if w.health.refusing("the endpoint accepted a request in part") {
			w.health.logger.Warn("OTLP endpoint refused some data points of a request")
		}
	default:
		w.health.failing(last.problem, w.interval)
	}
	return nil
}

// newHTTPMetrics makes the SDK's exporter on our client. All options that the
// environment could set are given, as the configuration has read it.
func newHTTPMetrics(ctx context.Context, s Settings, url string, client *http.Client) (sdkmetric.Exporter, error) {
	compression := otlpmetrichttp.GzipCompression
	if s.Uncompressed {
		compression = otlpmetrichttp.NoCompression
	}
	exporter, err := otlpmetrichttp.New(ctx,
		otlpmetrichttp.WithEndpointURL(url), otlpmetrichttp.WithHTTPClient(client),
		otlpmetrichttp.WithTLSClientConfig(nil), otlpmetrichttp.WithHeaders(nil),
		otlpmetrichttp.WithCompression(compression), otlpmetrichttp.WithTimeout(s.Timeout),
		otlpmetrichttp.WithMaxResponseSize(maxResponse),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
			Enabled: true, InitialInterval: firstRetry, MaxInterval: maxRetry, MaxElapsedTime: s.Timeout,
		}))
	if err != nil {
		return nil, fmt.Errorf("make exporter of metrics: %w", err)
	}
	return exporter, nil
}

// newGRPCMetrics makes the SDK's exporter on our connection, which has the
// headers, the security and the compression.
func newGRPCMetrics(ctx context.Context, s Settings, conn *grpc.ClientConn) (sdkmetric.Exporter, error) {
	exporter, err := otlpmetricgrpc.New(ctx,
		otlpmetricgrpc.WithGRPCConn(conn), otlpmetricgrpc.WithHeaders(nil), otlpmetricgrpc.WithTimeout(s.Timeout),
		otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{
			Enabled: true, InitialInterval: firstRetry, MaxInterval: maxRetry, MaxElapsedTime: s.Timeout,
		}))
	if err != nil {
		return nil, fmt.Errorf("make exporter of metrics: %w", err)
	}
	return exporter, nil
}
