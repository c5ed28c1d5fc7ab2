package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
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

// TaskSettings are what NewTaskFeed needs.
type TaskSettings struct {
	// Ranges list what there is: the Reader's pages carry work. With a webhook, which
	// makes the list a second line, its Interval is twice the feed's (counting.md 12).
	Ranges RangeSettings
	// Fetcher does the work, Queue is where it waits.
	Fetcher Fetcher
	Queue   TaskQueue
	// Subscription is maintained beside reading; nil: there is none.
	Subscription SubscriptionManager
}

// backfillMargin is how far before a gap in notifications calls are listed again: their
// records may have come within it (a first version is up to 150 min late).
const backfillMargin = 3 * time.Hour

// errNothingDue is a poll that had nothing to do: neither a success nor a failure.
var errNothingDue = errors.New("nothing is due")

// TaskFeed reads lists that only name what there is, and then, one by one, what they
// name. What a list or a notification has named waits in the ledger until it was
// fetched, so neither a crash nor a refusal loses it.
//
//	list ──────────┐
//	               ├─▶ tasks in the ledger ─▶ fetch ─▶ record, and tasks for later
//	notifications ─┘
//
// A poll does what is due of three things, each in its turn: a piece of a list, some
// fetching, what the subscription manager wants. The watermark, and the end of the first history, wait
// until what a list has named was fetched, and so does the next piece of the list.
//
// It isn't safe for concurrent use: one loop polls it. Woken and Wake may be called by
// others.
type TaskFeed struct {
	settings TaskSettings
	ranges   *RangeFeed
	fetching fetching
	upkeep   upkeep
	holding  holding
	last     part
	woken    chan struct{}
}

// part is one of the things that a poll does.
type part int

const (
	listing part = iota
	fetchingPart
	subscriptionPart
	parts
)

// upkeep is how maintaining the subscription goes. Times are those of a clock that only counts up.
type upkeep struct {
	next     time.Duration
	failures int
	err      error
	// gap is since when notifications may be missing, until that was listed.
	gap time.Time
}

// NewTaskFeed makes a feed of a list and what fetches.
func NewTaskFeed(settings TaskSettings) *TaskFeed {
	return &TaskFeed{
		settings: settings,
		ranges:   NewRangeFeed(settings.Ranges),
		fetching: newFetching(settings.Fetcher),
		last:     parts - 1,
		woken:    make(chan struct{}, 1),
	}
}

// Wake says that there may be something to do.
func (f *TaskFeed) Wake() {
	select {
	case f.woken <- struct{}{}:
	default: // it will be woken already
	}
}

// Woken is for the loop: it polls at once when something comes.
func (f *TaskFeed) Woken() <-chan struct{} { return f.woken }

// Poll implements Feed: it does the next part that is due.
func (f *TaskFeed) Poll(ctx context.Context, state ledger.State, sink Sink) error {
	defer f.showTasks(ctx)
	f.scheduleFetch(ctx)
	for range parts {
		f.last = (f.last + 1) % parts
		if f.wait(f.last) > 0 {
			continue
		}
		switch f.last {
		case listing:
			return f.list(ctx, state, sink)
		case fetchingPart:
			return f.fetch(ctx, sink)
		default:
			return f.maintain(ctx, state, sink)
		}
	}
	return errNothingDue
}

// showTasks shows how much is still to be fetched. If the ledger can't say, the next poll
// asks again.
func (f *TaskFeed) showTasks(ctx context.Context) {
	if waiting, setAside, err := f.settings.Queue.Waiting(ctx); err == nil {
		f.ranges.settings.Observer.Tasks("record", waiting, setAside)
	}
}

// wait is how long from now to when a part is due.
func (f *TaskFeed) wait(p part) time.Duration {
	tick := f.clock().Elapsed()
	switch p {
	case listing:
		return max(f.ranges.Wait(), f.holding.until-tick)
	case fetchingPart:
		return f.fetching.wait(tick)
	default:
		if f.settings.Subscription == nil {
			return never
		}
		if f.upkeep.failures == 0 && f.settings.Subscription.Urgent() {
			return 0
		}
		return f.upkeep.next - tick
	}
}

func (f *TaskFeed) clock() *Clock { return f.ranges.settings.Clock }

// Wait implements Paced.
func (f *TaskFeed) Wait() time.Duration {
	f.scheduleFetch(context.Background())
	return max(0, min(f.wait(listing), f.wait(fetchingPart), f.wait(subscriptionPart)))
}

// Trouble implements Paced.
func (f *TaskFeed) Trouble() error {
	for _, err := range []error{f.ranges.Trouble(), f.fetching.err, f.upkeep.err} {
		if err != nil {
			return err
		}
	}
	return nil
}

// list reads a piece of the list.
func (f *TaskFeed) list(ctx context.Context, state ledger.State, sink Sink) error {
	if err := f.ranges.Poll(ctx, state, &taskSink{Sink: sink, feed: f, state: state}); err != nil {
		return err
	}
	f.holding.wait(f.clock().Elapsed())
	return f.release(ctx, sink)
}

// maintain does what the subscription manager wants, and lists what may have been missed.
func (f *TaskFeed) maintain(ctx context.Context, state ledger.State, sink Sink) error {
	c, k := f.clock(), &f.upkeep
	if c.pending() {
		c.sample() // so that nothing is asked for by a wrong time
	}
	again, gap, err := f.settings.Subscription.Maintain(ctx, c.Now())
	if !gap.IsZero() && (k.gap.IsZero() || gap.Before(k.gap)) {
		k.gap = gap
	}
	if err == nil && !k.gap.IsZero() {
		if err = f.backfill(ctx, state, sink); err == nil {
			k.gap = time.Time{}
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		k.failures, k.err, k.next = 0, nil, c.Elapsed()+again
	case notTheFeeds(err): // the loop waits by itself
	default:
		k.failures++
		k.err = err
		k.next = c.Elapsed() + max(retryDelay(k.failures, f.ranges.settings.Random), httpclient.RetryAfter(err))
	}
	return err
}

// backfill lists what started since a little before the gap, as far as it may be read
// (counting.md 5). It moves no position: the list is read all the same.
func (f *TaskFeed) backfill(ctx context.Context, state ledger.State, sink Sink) error {
	now := sink.Now()
	from := plan.Latest(plan.Earliest(f.upkeep.gap, now).Add(-backfillMargin), state.Floor)
	reader := f.settings.Ranges.Reader
	if limits := reader.Limits(); limits.Retention > 0 {
		from = plan.Latest(from, now.Add(-limits.Retention))
	}
	filled := &taskSink{Sink: sink, feed: f, state: state}
	driver := Driver{Reader: reader, Commit: func(ctx context.Context, page *Page) (ledger.Result, error) {
		return f.ranges.commitPage(ctx, filled, page)
	}}
	for from.Before(now) {
		to := now
		if longest := reader.Limits().MaxRange - 2*time.Second; longest > 0 {
			to = plan.Earliest(to, from.Add(longest))
		}
		begin, end := plan.Outward(from, to)
		if err := driver.Read(ctx, begin, end); err != nil {
			return err
		}
		from = to
	}
	return nil
}

// Unread are the spans of time that are stepped over. It may be called at any time.
func (f *TaskFeed) Unread() []string { return f.ranges.Unread() }

// longestHold is how long the list waits at most until what it has named was fetched.
const longestHold = time.Hour

// holding is a position that waits until what was named is done, or put off. A list that
// was read has only named calls: they have been looked for when they were fetched. If the
// watermark went before them, so would the floor, and they would be too old; and the first
// history would be shown while it is counted (counting.md 5, 7, 20). It isn't stored: the
// plan finds it again after a restart.
type holding struct {
	held bool
	// at is the time up to which nothing may be due.
	at          time.Time
	watermark   time.Time
	historyDone bool
	// until is when the next piece is listed even so.
	until time.Duration
}

// hold takes a position that was kept back.
func (h *holding) hold(watermark time.Time, historyDone bool, at time.Time) {
	h.held = true
	h.at = plan.Latest(h.at, at)
	h.watermark = plan.Latest(h.watermark, watermark)
	h.historyDone = h.historyDone || historyDone
}

// wait lets the list wait for what was named.
func (h *holding) wait(tick time.Duration) {
	if h.held {
		h.until = tick + longestHold
	}
}

// taskSink is the sink of a TaskFeed's list.
type taskSink struct {
	Sink

	feed  *TaskFeed
	state ledger.State
}

// Commit implements Sink: what is named is due at once, and what depends on its being
// fetched stays behind.
func (s *taskSink) Commit(ctx context.Context, page *ledger.Page) (ledger.Result, error) {
	h, named := &s.feed.holding, false
	for i := range page.Enqueue {
		if w := &page.Enqueue[i]; w.Due.IsZero() {
			w.Due, named = page.ObservedAt, true
		}
	}
	var kept ledger.Position
	if p := page.Position; p != nil {
		kept.Watermark, kept.HistoryDone = p.Watermark, p.HistoryDone && !s.state.HistoryDone
		p.Watermark, p.HistoryDone = time.Time{}, false
	}
	result, err := s.Sink.Commit(ctx, page)
	if err != nil {
		return result, err
	}
	if kept.HistoryDone || !kept.Watermark.IsZero() || named && h.held { // what is named again is due only now
		h.hold(kept.Watermark, kept.HistoryDone, page.ObservedAt)
	}
	return result, nil
}

// release commits the position that waits, once nothing holds it: all was fetched, or a
// witness says that the provider refuses only some. The list goes on before that if there
// are only a few left, which were refused: other calls aren't to be late for that.
func (f *TaskFeed) release(ctx context.Context, sink Sink) error {
	h, now := &f.holding, sink.Now()
	if !h.held {
		return nil
	}
	// Our clock may have been set back since.
	tasks, err := f.settings.Queue.Due(ctx, plan.Earliest(h.at, now), f.fetching.parallel)
	switch {
	case err != nil:
		return err
	case len(tasks) > 0:
		if f.fetching.onlyRefused(tasks) {
			h.until = 0
		}
		return nil
	}
	position := &ledger.Position{Watermark: h.watermark, HistoryDone: h.historyDone}
	if _, err := sink.Commit(ctx, &ledger.Page{Position: position, ObservedAt: now}); err != nil {
		return err
	}
	*h = holding{}
	return nil
}
