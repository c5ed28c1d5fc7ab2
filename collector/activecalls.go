package collector

import (
	"context"
	"maps"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// ActiveCalls counts the calls in progress by direction; smallest says that one page is enough. It is polled like a Feed, and nothing of it is
// committed.
type ActiveCalls func(ctx context.Context, smallest bool) (map[cdr.Direction]int, error)

// Probe reads the smallest page and says how many calls it holds.
func (read ActiveCalls) Probe(ctx context.Context) (rows int, err error) {
	count, err := read(ctx, true)
	for _, n := range count {
		rows += n
	}
	return rows, err
}

// countActive takes a new snapshot of the calls in progress. After an error the former one stays, until several reads have failed. Inbound and
// outbound calls are always shown, the others when there are any.
func (l *Loop) countActive(ctx context.Context) error {
	read, err := l.settings.Info.ActiveCalls(ctx, false)
	if err != nil {
		return err
	}
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	maps.Copy(active, read)
	l.update(func(h *health) { h.active = active })
	return nil
}

// ActiveCalls are the calls in progress: nil before the first read, and after three failed reads in a row. The caller doesn't change it.
func (l *Loop) ActiveCalls() map[cdr.Direction]int { return l.health.Load().active }
