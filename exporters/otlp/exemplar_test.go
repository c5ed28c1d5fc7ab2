package otlp

import (
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// anExemplar is the exemplar of oneCall.
func anExemplar(value float64) *metrics.Exemplar {
	e := &metrics.Exemplar{TraceID: [16]byte{0xc9, 0x8e, 15: 0xe0}, Value: value, At: callStart.Add(time.Minute)}
	copy(e.RecordUID[:], "0123456789abcdef0123456789abcdef")
	return e
}

func checkExemplar[N int64 | float64](t *testing.T, all []metricdata.Exemplar[N], value N) {
	t.Helper()
	if len(all) != 1 {
		t.Fatalf("%d exemplars, want 1", len(all))
	}
	want, e := anExemplar(0), all[0]
	uid := attribute.String("log.record.uid", string(want.RecordUID[:]))
	if e.Value != value || !e.Time.Equal(want.At) || [16]byte(e.TraceID) != want.TraceID ||
		len(e.FilteredAttributes) != 1 || e.FilteredAttributes[0] != uid {
		t.Errorf("exemplar %+v", e)
	}
}

func TestExemplars(t *testing.T) {
	source := fixed{metrics.Snapshot{Families: []metrics.Family{
		{Def: metrics.CallFailures, Points: []metrics.Point{
			{Labels: labelSet(metrics.CallFailures, "s"), Value: 9, Exemplars: []*metrics.Exemplar{anExemplar(1)}},
			{Labels: labelSet(metrics.CallFailures, "x"), Value: 9},
		}},
		{Def: metrics.CallDuration, Points: []metrics.Point{{
			Labels:    labelSet(metrics.CallDuration, "s"),
			Hist:      &metrics.HistValue{Count: 1, Sum: 2.5e6, Buckets: make([]uint64, 15)},
			Exemplars: []*metrics.Exemplar{1: anExemplar(2.5), 14: nil},
		}}},
	}}}
	got := produce(t, Producer{"1", []metrics.Source{source}})
	failures, ok := got["cdr.call.failures"].Data.(metricdata.Sum[int64])
	if !ok || len(failures.DataPoints[1].Exemplars) != 0 {
		t.Fatalf("cdr.call.failures is %+v", got["cdr.call.failures"])
	}
	checkExemplar(t, failures.DataPoints[0].Exemplars, 1)
	durations, ok := got["cdr.call.duration"].Data.(metricdata.Histogram[float64])
	if !ok {
		t.Fatalf("cdr.call.duration is %+v", got["cdr.call.duration"])
	}
	checkExemplar(t, durations.DataPoints[0].Exemplars, 2.5)
}
