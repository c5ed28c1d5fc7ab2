package collector

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

// TaskQueue is what waits in the ledger; *ledger.Feed is one.
type TaskQueue interface {
	// Due is the work that is due and wasn't set aside, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]ledger.Task, error)
	// SetAside is the work that was set aside and is due to be tried again.
	SetAside(ctx context.Context, now time.Time, limit int) ([]ledger.Task, error)
	// Waiting is how much work waits, due or not, and how much was set aside.
	Waiting(ctx context.Context) (waiting, setAside int, err error)
}

const (
	// gapMargin is how far before a gap in notifications calls are listed again: a first version is up to 150 min late.
	gapMargin = 3 * time.Hour
	// longestHold is how long the list waits at most until what it has named was fetched.
	longestHold = time.Hour
)

// errNothingDue is a poll that had nothing to do: neither a success nor a failure.
var errNothingDue = errors.New("nothing is due")

// TaskFeed reads lists that only name calls, and fetches what they name. That waits in the ledger until it was
// fetched, so neither a crash nor a refusal loses it.
//
//	list ──────────┐
//	               ├─▶ tasks in the ledger ─▶ fetch ─▶ record, and tasks for later
//	notifications ─┘
//
// The watermark, and the end of the first history, wait until what a list has named was fetched, and so does the
// next piece of the list. It isn't safe for concurrent use: one loop polls it.
type TaskFeed struct {
	*RangeFeed // of the lists; its positions are held

	fetching fetching
	upkeep   upkeep
}

// upkeep is how maintaining the subscription goes. Its backoff is also the wait after a success.
type upkeep struct {
	backoff

	// gap is since when notifications may be missing, until that was listed.
	gap time.Time
}

// held is a position that waits until what was named is done, or put off. A list that
// was read has only named calls: they have been looked for when they were fetched. If the
// watermark went before them, so would the floor, and they would be too old; and the first
// history would be shown while it is counted (counting.md 5, 7, 20). It isn't stored: the
// plan finds it again after a restart. It is empty if at is zero.
type held struct {
	ledger.Position

	at    time.Time     // up to which nothing may be due
	until time.Duration // when the next piece is listed even so, by Clock.Elapsed
}

// NewTaskFeed makes the feed of a list, its Info.Reader, and what fetches.
func NewTaskFeed(settings FeedSettings) *TaskFeed {
	f := &TaskFeed{RangeFeed: newRangeFeed(settings), fetching: fetching{refusals: make(map[string]witness.Case)}}
	f.held = new(held)
	return f
}

// Poll implements Feed: it does what is due, and returns the first failure. What the ledger refuses stops it: the subscription, which would end
// meanwhile, comes first, and fetching last, since the outbox may be full.
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
		if ctx.Err() != nil || notTheFeeds(err) {
			return err
		}
		if errors.Is(result, errNothingDue) || result == nil && !errors.Is(err, errNothingDue) {
			result = err
		}
	}
	return result
}

// showTasks shows how much is still to be fetched. If the ledger can't say, the next poll asks again.
func (f *TaskFeed) showTasks(ctx context.Context) {
	if waiting, setAside, err := f.settings.Queue.Waiting(ctx); err == nil {
		f.settings.Own.Tasks("record", waiting, setAside)
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
	return max(f.RangeFeed.Wait(ctx), f.held.until-f.settings.Clock.Elapsed())
}

func (f *TaskFeed) list(ctx context.Context) error {
	if err := f.RangeFeed.Poll(ctx); err != nil {
		return err
	}
	if !f.held.at.IsZero() {
		f.held.until = f.settings.Clock.Elapsed() + longestHold
	}
	return f.release(ctx)
}

// upkeepWait is how long from now until the subscription is maintained.
func (f *TaskFeed) upkeepWait(context.Context) time.Duration {
	switch manager := f.settings.Info.Subscription; {
	case manager == nil:
		return never
	case f.upkeep.failures == 0 && manager.Urgent():
		return 0
	}
	return f.upkeep.retry - f.settings.Clock.Elapsed()
}

// maintain does what the subscription manager wants, and lists what may have been missed.
func (f *TaskFeed) maintain(ctx context.Context) error {
	c, k := f.settings.Clock, &f.upkeep
	if c.pending() {
		c.sample() // so that nothing is asked for by a wrong time
	}
	again, gap, err := f.settings.Info.Subscription.Maintain(ctx, c.Now())
	if !gap.IsZero() && (k.gap.IsZero() || gap.Before(k.gap)) {
		k.gap = gap
	}
	if err == nil && !k.gap.IsZero() {
		if err = f.listGap(ctx); err == nil {
			k.gap = time.Time{}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		k.backoff = backoff{retry: c.Elapsed() + again}
	case !notTheFeeds(err):
		k.fail(err, c.Elapsed(), f.settings.Random)
	}
	return err
}

// listGap lists what started since a little before the gap, as far as it may be read
// (counting.md 5). It moves no position: the list is read all the same.
func (f *TaskFeed) listGap(ctx context.Context) error {
	now, limits := f.settings.Clock.Now(), f.settings.Info.Limits
	from := plan.Latest(plan.Earliest(f.upkeep.gap, now).Add(-gapMargin), f.settings.Ledger.State().Floor)
	for _, most := range []time.Duration{limits.Retention, limits.MaxRange - 2*time.Second} {
		if most > 0 {
			from = plan.Latest(from, now.Add(-most))
		}
	}
	_, _, err := f.read(ctx, from, now)
	return err
}

// keep keeps a position back until what was named up to now was fetched.
func (h *held) keep(p ledger.Position, state ledger.State, now time.Time) {
	ends := p.HistoryDone && !state.HistoryDone
	if ends || !p.Watermark.IsZero() {
		h.at = plan.Latest(h.at, now)
		h.Watermark = plan.Latest(h.Watermark, p.Watermark)
		h.HistoryDone = h.HistoryDone || ends
	}
}

// release commits the position that waits, once nothing holds it: all was fetched, or a
// witness says that the provider refuses only some. The list goes on before that if there
// are only a few left, which were refused: other calls aren't to be late for that.
func (f *TaskFeed) release(ctx context.Context) error {
	h, now, parallel := f.held, f.settings.Clock.Now(), f.settings.Info.Fetcher.Parallel()
	if h.at.IsZero() {
		return nil
	}
	// Our clock may have been set back since.
	tasks, err := f.settings.Queue.Due(ctx, plan.Earliest(h.at, now), parallel)
	if err != nil {
		return err
	}
	if len(tasks) > 0 {
		if len(tasks) < parallel && !slices.ContainsFunc(tasks, func(w Task) bool { return f.fetching.refusals[w.Key].Refusals() == 0 }) {
			h.until = 0
		}
		return nil
	}
	if _, err := f.commitPage(ctx, &Page{Position: &h.Position}); err != nil {
		return err
	}
	*h = held{}
	return nil
}
