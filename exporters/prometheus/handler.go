package prometheus

import (
	"fmt"
	"log/slog"
	"net/http"

	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// maxInFlight is how many scrapes are served at once, as in node_exporter;
// further ones get 503.
const maxInFlight = 40

// Handler serves the collector's metrics, the Go runtime's, the process's and
// cdr_exporter_build_info from a registry of its own, as text, OpenMetrics (with
// created samples) or protobuf, compressed if the scraper takes it. An error
// says which metric is defined twice.
func Handler(collector *Collector, logger *slog.Logger) (http.Handler, error) {
	registry := prom.NewRegistry()
	all := []prom.Collector{
		collector,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		version.NewCollector("cdr_exporter"),
	}
	for _, one := range all {
		if err := registry.Register(one); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return handlerFor(registry, logger), nil
}

// handlerFor serves a registry. A metric that can't be shown is left out, logged
// and counted; an empty answer is an error.
func handlerFor(registry *prom.Registry, logger *slog.Logger) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:                            slog.NewLogLogger(logger.With("scrape", "failed in part").Handler(), slog.LevelError),
		ErrorHandling:                       promhttp.ContinueOnError,
		Registry:                            registry,
		MaxRequestsInFlight:                 maxInFlight,
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: true,
	})
}
