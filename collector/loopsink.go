package collector

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// errNoLedger is a feed of gauges that tries to commit.
var errNoLedger = errors.New("this feed has no ledger to commit to")

// loopSink is the sink of a loop's feed.
type loopSink struct{ loop *Loop }

// Commit writes a page; what it made of it goes to the own metrics and the log.
// A page in hand outlives the loop's stop for a while.
func (s *loopSink) Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error) {
	set := &s.loop.settings
	if set.Ledger == nil {
		return ledger.Result{}, errNoLedger
	}
	ctx, release := outlive(ctx, set.CommitGrace)
	defer release()
	result, err := set.Ledger.Commit(ctx, page)
	if err != nil {
		return ledger.Result{}, err
	}
	s.observe(&result)
	return result, nil
}

func (s *loopSink) observe(r *ledger.Result) {
	o := s.loop.settings.Observer
	o.Rows("new", r.New)
	o.Rows("duplicate", r.Duplicate)
	o.Rows("revised", r.Revised)
	o.Rows("invalid", r.Invalid)
	o.Rows("ignored", r.Ignored)
	o.Rows("too_old", r.TooOld)
	o.Delays(r.Delays)
	if len(r.Overflow) > 0 {
		o.Overflow(r.Overflow)
	}
	for _, row := range r.BadRows {
		s.loop.settings.Logger.Warn("a row can't be read and isn't counted", "at", row.At, "problem", row.Problem)
	}
}

// Gauges replaces the snapshot.
func (s *loopSink) Gauges(values []Gauge) {
	kept := make([]Gauge, len(values))
	for i, g := range values {
		g.Labels = slices.Clone(g.Labels)
		kept[i] = g
	}
	s.loop.mu.Lock()
	defer s.loop.mu.Unlock()
	s.loop.health.gauges = kept
}

// Now is the feed's clock.
func (s *loopSink) Now() time.Time { return s.loop.settings.Clock.Now() }

// Gauges are the feed's snapshot: nil before the first, and after three failed
// polls in a row. The caller doesn't change it.
func (l *Loop) Gauges() []Gauge {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health.gauges
}

// outlive is a context that ends so long after its parent, or at release.
func outlive(parent context.Context, grace time.Duration) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		stop()
		cancel()
	}
}
