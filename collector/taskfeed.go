package collector

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

// TaskQueue holds the tasks that wait in the ledger; *ledger.Feed is one.
type TaskQueue interface {
	// Due returns the tasks that are due and weren't set aside, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]work.Item, error)
	// SetAside returns the tasks that were set aside and are due to be tried again.
	SetAside(ctx context.Context, now time.Time, limit int) ([]work.Item, error)
	// Waiting returns how many tasks wait, due or not, and how many were set aside.
	Waiting(ctx context.Context) (waiting, setAside int, err error)
}

const (
	// gapMargin is how far before a gap in notifications calls are listed again: a first version is up to 150 min late.
	gapMargin = 3 * time.Hour
	// longestHold is how long the list waits at most for the records that it has named to be fetched.
	longestHold = time.Hour
)

// errNothingDue is a poll that had nothing to do: neither a success nor a failure.
var errNothingDue = errors.New("nothing is due")

// TaskFeed reads lists that only name calls, and fetches the calls. A named call is a task in the ledger until it was
// fetched, so that neither a crash nor a refusal loses it.
//
//	list ──────────┐
//	               ├─▶ tasks in the ledger ─▶ fetch ─▶ record, and tasks for later
//	notifications ─┘
//
// The watermark, the end of the first history and the next piece of the list wait until all calls
// that the list has named were fetched. A TaskFeed isn't safe for concurrent use: one loop polls
// it.
type TaskFeed struct {
	*RangeFeed // of the lists

	fetching fetching
	upkeep   subscriptionUpkeep
	listAt   time.Duration // when the list goes on although records wait, by Clock.Elapsed
}

// subscriptionUpkeep is the state of maintaining the subscription. Its backoff is also the wait after a success.
type subscriptionUpkeep struct {
	backoff

	// gap is since when notifications may be missing; zero once the ledger has it as a span to be read.
	gap time.Time
}

// NewTaskFeed makes the feed of a list, its Info.Reader, and what fetches.
func NewTaskFeed(settings FeedSettings) *TaskFeed {
	f := &TaskFeed{RangeFeed: newRangeFeed(settings), fetching: fetching{refusals: make(map[string]witness.Refusals)}}
	f.RangeFeed.recordsWait = f.recordsWait
	return f
}

// Poll implements Feed: it does what is due and returns the first failure. An error of the ledger
// stops it. So the subscription, which would expire meanwhile, comes first, and fetching, which a
// full outbox stops, last.
func (f *TaskFeed) Poll(ctx context.Context) error {
	defer f.showTasks(ctx)
	result := errNothingDue
	for _, part := range []struct {
		wait func(ctx context.Context) time.Duration
		poll func(ctx context.Context) error
	}{{f.upkeepWait, f.maintain}, {f.listWait, f.list}, {f.fetchWait, f.fetch}} {
		if part.wait(ctx) > 0 {
			continue
		}
		err := catchPanic(ctx, part.poll)
		if ctx.Err() != nil || isLedgerError(err) {
			return err
		}
		if errors.Is(result, errNothingDue) || result == nil && !errors.Is(err, errNothingDue) {
			result = err
		}
	}
	return result
}

// showTasks shows how many tasks wait. If the ledger can't be read, the next poll tries again.
func (f *TaskFeed) showTasks(ctx context.Context) {
	if waiting, setAside, err := f.settings.Queue.Waiting(ctx); err == nil {
		f.settings.Metrics.Tasks("record", waiting, setAside)
	}
}

// Wait implements Feed.
func (f *TaskFeed) Wait(ctx context.Context) time.Duration {
	return max(0, min(f.listWait(ctx), f.fetchWait(ctx), f.upkeepWait(ctx)))
}

// Trouble implements Feed.
func (f *TaskFeed) Trouble() error {
	return cmp.Or(f.RangeFeed.Trouble(), f.fetching.err, f.upkeep.err)
}

// listWait is how long from now to the next piece of the list.
func (f *TaskFeed) listWait(ctx context.Context) time.Duration {
	return max(f.RangeFeed.Wait(ctx), f.listAt-f.settings.Clock.Elapsed())
}

func (f *TaskFeed) list(ctx context.Context) error {
	if err := f.RangeFeed.Poll(ctx); err != nil {
		return err
	}
	f.listAt = 0
	if f.withheld {
		f.listAt = f.settings.Clock.Elapsed() + longestHold
	}
	return f.release(ctx)
}

// upkeepWait is how long from now until the subscription is maintained.
func (f *TaskFeed) upkeepWait(context.Context) time.Duration {
	switch manager := f.settings.Info.Subscription; {
	case manager == nil:
		return neverDue
	case f.upkeep.failures == 0 && manager.Urgent():
		return 0
	}
	return f.upkeep.retry - f.settings.Clock.Elapsed()
}

// maintain maintains the subscription and has the calls listed whose notifications may have been missed.
func (f *TaskFeed) maintain(ctx context.Context) error {
	c, k := f.settings.Clock, &f.upkeep
	if c.pending() {
		c.sampleDate() // so that no request has a wrong time
	}
	nextIn, gap, err := f.settings.Info.Subscription.Maintain(ctx, c.provider())
	if !gap.IsZero() && (k.gap.IsZero() || gap.Before(k.gap)) {
		k.gap = gap
	}
	if err == nil && !k.gap.IsZero() {
		if err = f.addGap(ctx); err == nil {
			k.gap = time.Time{}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		k.backoff = backoff{retry: c.Elapsed() + nextIn}
	case !isLedgerError(err):
		k.fail(err, c.Elapsed(), f.settings.Random)
	}
	return err
}

// addGap has the calls listed that started since a little before the gap, as far as they may be read (counting.md 5).
// It moves no position: the regular list covers that time too.
func (f *TaskFeed) addGap(ctx context.Context) error {
	earlier, now := f.settings.Clock.times()
	from := plan.Latest(plan.Earliest(f.upkeep.gap, earlier).Add(-gapMargin), f.settings.Ledger.State().Floor)
	if keeps := f.settings.Info.Limits.Retention; keeps > 0 {
		from = plan.Latest(from, now.Add(-keeps))
	}
	return f.addSpan(ctx, from, now)
}

// recordsWait says whether records are still to be fetched: all others were, or were put off as poison. If only a few
// are left and all of them were refused, the list goes on, so that other calls aren't late.
func (f *TaskFeed) recordsWait(ctx context.Context) (bool, error) {
	parallel := f.settings.Info.Fetcher.Parallel()
	items, err := f.settings.Queue.Due(ctx, f.settings.Clock.Now(), parallel)
	isNew := func(w work.Item) bool { return f.fetching.refusals[w.Key].Count() == 0 }
	if len(items) < parallel && !slices.ContainsFunc(items, isNew) {
		f.listAt = 0
	}
	return len(items) > 0, asLedgerError(err)
}

// release commits the position that was withheld, once no record holds it.
func (f *TaskFeed) release(ctx context.Context) error {
	if !f.withheld {
		return nil
	}
	if waits, err := f.recordsWait(ctx); err != nil || waits {
		return err
	}
	return f.commitReached(ctx, &rangePoll{plan: f.plan.Clone(), spans: f.settings.Ledger.State().Spans}, nil, nil)
}
