package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// table is the spans that a feed has to read again, as a ledger has them.
type table []work.Item

func (t *table) stepOver(span Span, data string) {
	put, done := StepOver(*t, span, noon, data, "")
	*t = work.Spans(*t, done, []work.Item{put})
}

func (t *table) texts() string {
	var all []string
	for i := range *t {
		all = append(all, SpanText(&(*t)[i]))
	}
	return strings.Join(all, " ")
}

func minutes(from, to int) Span {
	return Span{From: noon.Add(time.Duration(from) * time.Minute), To: noon.Add(time.Duration(to) * time.Minute)}
}

// TestStepOver: spans that touch become one; those of which rows are missing keep their own numbers
// until there are a hundred, and the watermark stands before the first of these.
func TestStepOver(t *testing.T) {
	p, nine := New(Ladder{Interval: time.Minute, Lookback: time.Hour}), minutes(0, 9).To
	again := SpanItem(noon.Add(30*time.Second), noon.Add(90*time.Second), noon) // of an audit: no read leaves it out
	spans := table{again}
	spans.stepOver(minutes(0, 1), "")
	spans.stepOver(minutes(1, 2), "")
	p.Reached = nine
	if got, aside := p.Release(spans), SetAside(spans); !p.Reached.IsZero() || !got.Equal(nine) ||
		len(spans) != 2 || len(aside) != 1 || aside[0] != minutes(0, 2) {
		t.Errorf("stepped over are %v, the watermark is %s", spans.texts(), got)
	}
	spans = work.Spans(spans, []work.Item{again}, nil)
	spans.stepOver(minutes(2, 3), MissingRows(2, 5))
	spans.stepOver(minutes(3, 4), MissingRows(1, 3))
	const want = "2026-03-01T12:00:00Z/2026-03-01T12:02:00Z 2026-03-01T12:02:00Z/2026-03-01T12:03:00Z (2 of 5 rows) " +
		"2026-03-01T12:03:00Z/2026-03-01T12:04:00Z (1 of 3 rows)"
	if got := spans.texts(); got != want {
		t.Errorf("stepped over are %s", got)
	}
	p.Reached = nine
	if got := p.Release(spans); !got.Equal(minutes(2, 3).From) || !p.Reached.Equal(nine) {
		t.Errorf("the watermark is %s, reached is %s", got, p.Reached)
	}
	for i := 4; i < 500; i++ {
		spans.stepOver(minutes(i, i+1), MissingRows(0, 1))
	}
	last := spans[len(spans)-1]
	if len(spans) > 101 || !SpanOf(&last).To.Equal(minutes(0, 500).To) || !strings.HasPrefix(last.Data, "0 of ") {
		t.Errorf("%d spans are stepped over, the last one is %s", len(spans), SpanText(&last))
	}
}

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
