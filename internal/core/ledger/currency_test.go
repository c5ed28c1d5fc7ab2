package ledger

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// priceEncoder makes log records and spans of what a call cost.
type priceEncoder struct{}

func (priceEncoder) AppendRecord(batch []byte, r *cdr.Record, e *counting.Event) []byte {
	batch = fmt.Append(batch, e.Name)
	for _, c := range r.Charges {
		batch = fmt.Append(batch, " ", c.Component, " ", c.Amount.String(), " ", c.Currency)
	}
	return append(batch, '\n')
}

func (e priceEncoder) AppendSpans(batch []byte, ends []int, r *cdr.Record, s *counting.Span) ([]byte, []int) {
	batch = append(batch, "span of "...)
	batch = e.AppendRecord(batch, r, &s.Event)
	return batch, append(ends, len(batch))
}

// A log record and a span have the currency in which the metrics count an amount, also where the
// provider names none: then a first version has the source's, and a later one keeps what is known.
func TestLoggedCurrencyIsTheCountedOne(t *testing.T) {
	r := newRig(t)
	r.tuning.Encoder, r.tuning.Tracer = priceEncoder{}, priceEncoder{}
	r.spec.ChargesLater = true
	r.reopen()
	r.live()
	for _, record := range []*cdr.Record{
		call("a", charge(t, "usage", "", "0.10")),
		call("a", charge(t, "usage", "", "0.20"), charge(t, "connection", "", "0.01")),
		call("b", charge(t, "usage", "EUR", "1")),
		call("b", charge(t, "usage", "", "2")),
		call("c"),
		call("c", charge(t, "usage", "", "3")),
		call("d"),
	} {
		r.records(record)
	}
	r.records(call("d", charge(t, "usage", "EUR", "4")), call("d", charge(t, "usage", "", "5")))
	var logged, traced []string
	for _, line := range r.logs() {
		if span, is := strings.CutPrefix(line, "span of "); is {
			traced = append(traced, span)
		} else {
			logged = append(logged, line)
		}
	}
	if want := []string{
		"cdr.call usage 0.1 XXX", "cdr.call.revised usage 0.2 XXX connection 0.01 XXX", "cdr.call usage 1 EUR",
		"cdr.call.revised usage 2 EUR",
		"cdr.call", "cdr.call.revised usage 3 XXX", "cdr.call", "cdr.call.revised usage 4 EUR",
		"cdr.call.revised usage 5 EUR",
	}; !slices.Equal(logged, want) {
		t.Errorf("logged %q, want %q", logged, want)
	}
	if want := []string{
		"cdr.call usage 0.1 XXX", "cdr.call usage 1 EUR", "cdr.call.revised usage 3 XXX",
		"cdr.call.revised usage 5 EUR",
	}; !slices.Equal(traced, want) {
		t.Errorf("spans of %q, want %q", traced, want)
	}
}
