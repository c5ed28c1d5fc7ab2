package prometheus

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// exemplarOf is an exemplar whose ids are made of a digit.
func exemplarOf(digit byte, value float64, at time.Time) *metrics.Exemplar {
	e := &metrics.Exemplar{Value: value, At: at}
	for i := range e.TraceID {
		e.TraceID[i] = digit<<4 | digit
	}
	for i := range e.RecordUID {
		e.RecordUID[i] = "0123456789abcdef"[15-digit]
	}
	return e
}

// withExemplars is the sample with exemplars of the counter and of two buckets, the last
// one's among them.
func withExemplars(at time.Time) []metrics.Family {
	families := sample()
	families[0].Points[0].Exemplars = []*metrics.Exemplar{nil, exemplarOf(1, 2.5, at), nil, exemplarOf(2, 31.25, at)}
	families[1].Points[0].Exemplars = []*metrics.Exemplar{exemplarOf(3, 1, at)}
	return families
}

// written is an exemplar as OpenMetrics writes it.
func written(digit byte, value float64, at time.Time) string {
	e := exemplarOf(digit, value, at)
	return fmt.Sprintf(`# {log_record_uid="%s",trace_id="%x"} %v %v`, e.RecordUID, e.TraceID, value,
		float64(at.UnixMilli())/1000)
}

func TestExemplarsInOpenMetrics(t *testing.T) {
	at := start.Add(1500 * time.Millisecond)
	h := handler(t, withExemplars(at)...)
	var got []string
	for line := range strings.Lines(string(body(t, scrape(t, h, acceptOpenMetrics, "").Body))) {
		if series, exemplar, found := strings.Cut(strings.TrimSuffix(line, "\n"), " # "); found {
			name, _, _ := strings.Cut(series, "{")
			_, le, _ := strings.Cut(series, "le=")
			got = append(got, name+" "+strings.SplitAfterN(le, "}", 2)[0]+" # "+exemplar)
		}
	}
	unix := "1.7723664015e+09"
	for i, want := range []string{
		`cdr_call_duration_seconds_bucket "5.0"} ` + written(1, 2.5, at),
		`cdr_call_duration_seconds_bucket "+Inf"} ` + written(2, 31.25, at),
		`cdr_calls_total  ` + strings.Replace(written(3, 1, at), "} 1 ", "} 1.0 ", 1),
	} {
		if i >= len(got) || got[i] != want || !strings.HasSuffix(want, unix) {
			t.Errorf("exemplars %q, number %d must be %s", got, i+1, want)
		}
	}
	if len(got) != 3 {
		t.Errorf("%d exemplars, want 3", len(got))
	}
	characters := 0 // the format allows 128 of names and values
	for _, pair := range newExemplar(exemplarOf(7, 1, start)).GetLabel() {
		characters += len(pair.GetName()) + len(pair.GetValue())
	}
	if characters > 128 {
		t.Errorf("an exemplar has labels of %d characters", characters)
	}
	if text := body(t, scrape(t, h, "text/plain", "").Body); strings.Contains(string(text), "trace_id") {
		t.Error("the text format, which has none, shows exemplars")
	}
}

func TestExemplarsOfNativeHistograms(t *testing.T) {
	families := withExemplars(start)
	h := gather(t, showing(families...))[duration.Name].GetMetric()[0].GetHistogram()
	if all := h.GetExemplars(); len(all) != 2 || all[0].GetValue() != 2.5 || !all[1].GetTimestamp().AsTime().
		Equal(start) {
		t.Errorf("exemplars of the native histogram: %v", all)
	}
	buckets := h.GetBucket()
	last := buckets[len(buckets)-1]
	if len(buckets) != 4 || !math.IsInf(last.GetUpperBound(), 1) || last.GetCumulativeCount() != 6 ||
		buckets[0].Exemplar != nil || buckets[1].Exemplar == nil {
		t.Errorf("classic buckets: %v", buckets)
	}
	families[0].Points[0].Native = false
	if h = gather(t, showing(families...))[duration.Name].GetMetric()[0].GetHistogram(); len(h.GetExemplars()) != 0 ||
		h.GetBucket()[1].Exemplar == nil {
		t.Errorf("without native histograms: %v", h)
	}
}
