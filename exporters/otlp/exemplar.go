package otlp

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// exemplars are a point's exemplars: the trace and the uid of the call's log record.
func exemplars[N int64 | float64](p *metrics.Point, convert func(float64) N) []metricdata.Exemplar[N] {
	var all []metricdata.Exemplar[N]
	for _, e := range p.Exemplars {
		if e != nil {
			all = append(all, metricdata.Exemplar[N]{
				FilteredAttributes: []attribute.KeyValue{attribute.String("log.record.uid", string(e.RecordUID[:]))},
				Time:               e.At, Value: convert(e.Value), TraceID: e.TraceID[:],
			})
		}
	}
	return all
}
