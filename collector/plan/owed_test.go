package plan

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// FuzzSpanOf: whatever a key says, a span that is found is written as it was.
func FuzzSpanOf(f *testing.F) {
	f.Add("2026-03-01T12:00:00Z/2026-03-01T12:02:00Z")
	f.Add("2026-03-01T12:00:00Z")
	f.Fuzz(func(t *testing.T, key string) {
		span := SpanOf(&work.Item{Key: key})
		if span != (Span{}) && SpanOf(&work.Item{Key: span.String()}) == (Span{}) {
			t.Errorf("%q is %s, which isn't a span", key, span)
		}
	})
}
