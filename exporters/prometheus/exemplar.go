package prometheus

import (
	"encoding/hex"
	"math"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
)

// The labels of an exemplar: the names that the log record's trace id and uid have in a
// store of logs. With their values they stay within the 128 characters of OpenMetrics.
var (
	traceLabel = "trace_id"
	uidLabel   = "log_record_uid"
)

// infinity is the upper bound of the last bucket, which is written down only for its
// exemplar.
var infinity = math.Inf(1)

// madeExemplar is an exemplar in the form of the protocol, with what it was made of. Both
// are replaced, never changed.
type madeExemplar struct {
	of  *metrics.Exemplar
	out *dto.Exemplar
}

// exemplars are a point's exemplars in the form of the protocol, those that haven't changed
// since the last scrape as they were; nil if there are none. The caller may keep the slice.
func (s *series) exemplars(all []*metrics.Exemplar) []*dto.Exemplar {
	if len(all) == 0 {
		return nil
	}
	if len(s.made) != len(all) {
		s.made = make([]madeExemplar, len(all))
	}
	out := make([]*dto.Exemplar, len(all))
	for i, e := range all {
		if made := &s.made[i]; made.of != e {
			*made = madeExemplar{of: e, out: makeExemplar(e)}
		}
		out[i] = s.made[i].out
	}
	return out
}

func makeExemplar(e *metrics.Exemplar) *dto.Exemplar {
	trace, uid, value := hex.EncodeToString(e.TraceID[:]), string(e.RecordUID[:]), e.Value
	return &dto.Exemplar{
		Label:     []*dto.LabelPair{{Name: &uidLabel, Value: &uid}, {Name: &traceLabel, Value: &trace}},
		Value:     &value,
		Timestamp: timestamppb.New(e.At),
	}
}

// writeExemplars adds the exemplars of the classic buckets, and all of them to the native
// histogram if there is one.
func (h *histogram) writeExemplars() {
	last := len(h.exemplars) - 1
	h.out.Exemplars = nil
	for i, e := range h.exemplars {
		switch {
		case e == nil:
			continue
		case i == last:
			h.out.Bucket = append(h.out.Bucket, &dto.Bucket{UpperBound: &infinity, CumulativeCount: &h.value.Count, Exemplar: e})
		default:
			h.out.Bucket[i].Exemplar = e
		}
		if h.value.Native != nil {
			h.out.Exemplars = append(h.out.Exemplars, e)
		}
	}
}
