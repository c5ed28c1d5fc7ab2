package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

// gapMargin is how far before a gap in notifications calls are listed again: a first version is up to 150 min late.
const gapMargin = 3 * time.Hour

// subscription is the part of a feed that keeps the provider's notifications coming. Its backoff is also the wait after
// a success.
type subscription struct {
	*committer
	backoff

	// gap is since when notifications may be missing; zero once the ledger has it as a span to be read.
	gap time.Time
}

func (s *subscription) wait(context.Context) time.Duration {
	if s.failures == 0 && s.settings.Info.Subscription.Urgent() {
		return 0
	}
	return s.retry - s.settings.Clock.Elapsed()
}

// do maintains the subscription and has the calls listed whose notifications may have been missed.
func (s *subscription) do(ctx context.Context) error {
	c := s.settings.Clock
	if c.pending() {
		c.sampleDate() // so that no request has a wrong time
	}
	nextIn, gap, err := s.settings.Info.Subscription.Maintain(ctx, c.provider())
	if !gap.IsZero() && (s.gap.IsZero() || gap.Before(s.gap)) {
		s.gap = gap
	}
	if err == nil && !s.gap.IsZero() {
		if err = s.addGap(ctx); err == nil {
			s.gap = time.Time{}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		s.backoff = backoff{retry: c.Elapsed() + nextIn}
	case !isLedgerError(err):
		s.fail(err, c.Elapsed(), s.settings.Random)
	}
	return err
}

// addGap has the calls listed that started since a little before the gap, as far as they may be read (counting.md 5).
// It moves no position: the regular list covers that time too.
func (s *subscription) addGap(ctx context.Context) error {
	earlier, now := s.settings.Clock.times()
	from := plan.Latest(plan.Earliest(s.gap, earlier).Add(-gapMargin), s.settings.Ledger.State().Floor)
	if keeps := s.settings.Info.Limits.Retention; keeps > 0 {
		from = plan.Latest(from, now.Add(-keeps))
	}
	return s.addSpan(ctx, from, now)
}
