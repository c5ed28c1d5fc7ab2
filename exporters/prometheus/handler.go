package prometheus

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/klauspost/compress/gzhttp"
	prom "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// maxInFlight is how many scrapes are served at once, as in node_exporter; others get 503.
const maxInFlight = 40

// Handler serves the metrics of the gatherer, of the Go runtime and of the process, and
// cdr_exporter_build_info. It writes text, OpenMetrics (with created samples) or protobuf,
// compressed if the scraper accepts it. A metric that can't be shown is left out, logged and
// counted; an empty answer is an error.
func Handler(gatherer prom.Gatherer, logger *slog.Logger) http.Handler {
	registry := prom.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		version.NewCollector("cdr_exporter"),
	)
	both := func() ([]*dto.MetricFamily, error) {
		all, err := gatherer.Gather()
		more, moreErr := registry.Gather()
		all = append(all, more...)
		sortFamilies(all)
		return all, errors.Join(err, moreErr)
	}
	// promhttp's own gzip takes as long as the rest of a scrape; gzhttp's takes half of that.
	return gzhttp.GzipHandler(promhttp.HandlerFor(prom.GathererFunc(both), promhttp.HandlerOpts{
		DisableCompression: true,
		ErrorLog: slog.NewLogLogger(logger.With("scrape", "failed in part").Handler(),
			slog.LevelError),
		ErrorHandling:                       promhttp.ContinueOnError,
		Registry:                            registry,
		MaxRequestsInFlight:                 maxInFlight,
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: true,
	}))
}
