package collector

import (
	"context"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// ActiveCalls is a Feed of the calls in progress: a snapshot, of which nothing is committed. It counts them by direction; smallest says that
// one page is enough. After an error the former snapshot stays; it is the loop that drops it when several reads have failed.
type ActiveCalls func(ctx context.Context, smallest bool) (map[cdr.Direction]int, error)

// Poll implements Feed. Inbound and outbound calls are always shown, the others when there are any.
func (read ActiveCalls) Poll(ctx context.Context, _ ledger.State, sink Sink) error {
	count, err := read(ctx, false)
	if err != nil {
		return err
	}
	var gauges []Gauge
	for _, d := range []cdr.Direction{cdr.Inbound, cdr.Outbound, cdr.Internal, cdr.DirectionUnknown} {
		if n := count[d]; n > 0 || d == cdr.Inbound || d == cdr.Outbound {
			gauges = append(gauges, Gauge{Metric: "cdr_active_calls", Labels: []string{d.String()}, Value: float64(n)})
		}
	}
	sink.Gauges(gauges)
	return nil
}

// Probe reads the smallest page and says how many calls it holds.
func (read ActiveCalls) Probe(ctx context.Context) (rows int, err error) {
	count, err := read(ctx, true)
	for _, n := range count {
		rows += n
	}
	return rows, err
}
