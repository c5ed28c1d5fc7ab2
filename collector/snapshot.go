package collector

import (
	"context"
	"maps"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// ActiveCalls counts the calls in progress by direction; smallest says that one page is enough.
// Nothing of it is committed.
type ActiveCalls func(ctx context.Context, smallest bool) (map[cdr.Direction]int, error)

// Probe reads the smallest page and says how many calls it holds.
func (read ActiveCalls) Probe(ctx context.Context) (rows int, err error) {
	count, err := read(ctx, true)
	for _, n := range count {
		rows += n
	}
	return rows, err
}

// failedSnapshots is after how many failed reads in a row the calls in progress are no longer shown, snapshotOverdue
// how long after the next read was due: it may wait for the provider's limit.
const (
	failedSnapshots = 3
	snapshotOverdue = 5 * time.Minute
)

// activeCalls are the calls in progress, and until which reading of the clock they are shown.
type activeCalls struct {
	byDirection map[cdr.Direction]int
	until       time.Duration
}

// snapshot is the part of a feed that shows the calls in progress.
type snapshot struct {
	backoff

	settings FeedSettings
	active   atomic.Pointer[activeCalls] // nil: not shown
}

func (s *snapshot) wait(context.Context) time.Duration { return s.retry - s.settings.Clock.Elapsed() }

// do takes a new snapshot of the calls in progress. After an error the former one stays,
// until several reads have failed. Inbound and outbound calls are always shown, the others when
// there are any.
func (s *snapshot) do(ctx context.Context) error {
	began := s.settings.Clock.Elapsed()
	var read map[cdr.Direction]int
	err := catchPanic(ctx, func(ctx context.Context) (err error) {
		read, err = s.settings.Info.ActiveCalls(ctx, false)
		return err
	})
	if err != nil {
		if ctx.Err() == nil {
			s.fail(err, s.settings.Clock.Elapsed(), s.settings.Random)
		}
		if s.failures >= failedSnapshots {
			s.active.Store(nil)
		}
		return err
	}
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	maps.Copy(active, read)
	s.settings.Clock.sampleDate()
	interval := s.settings.Info.PollInterval()
	s.active.Store(&activeCalls{active, s.settings.Clock.Elapsed() + interval + snapshotOverdue})
	s.backoff = backoff{retry: began + interval}
	return nil
}

// ActiveCalls are the calls in progress: nil before the first read, after three failed reads in a
// row, and once the next read is overdue. The caller doesn't change it.
func (l *Loop) ActiveCalls() map[cdr.Direction]int {
	if l.active == nil {
		return nil
	}
	if active := l.active.active.Load(); active != nil && l.settings.Clock.Elapsed() <= active.until {
		return active.byDirection
	}
	return nil
}
