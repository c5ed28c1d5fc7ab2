package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// besideLevel is the shallowest level of ranges that is read beside a token that
	// works: every 8 intervals. What the token misses is then seen within 8 intervals or
	// a quarter of its delay, whichever is longer.
	besideLevel = 3
	// drainPatience is after how many intervals without the end of a drain the ranges
	// keep the bound on delays by themselves again, and drainTries after how many
	// failures in a row: some 10 s.
	drainPatience = 4
	drainTries    = 4
)

// SyncFeed reads by changes where the account offers it, with ranges at deep levels
// beside it, and else by ranges alone (counting.md 11). A poll is a piece of a range or
// a step of a drain: one request for what has changed since the token. Neither waits
// for more than one poll of the other.
//
//	                 a drain has ended
//	ranges alone ─────────────────────────▶ changes, and ranges of level 3 and deeper
//	     ▲                                           │
//	     └───────────────────────────────────────────┘
//	       not offered, failing, or no drain ended for 4 intervals
//
// One plan serves both states, so there is nothing to hand over between them: to it the
// levels that the token stands in for are late, and a level that is late still owes what
// was late when it was last read. The token is kept with the plan. It isn't safe for concurrent
// use: one loop polls it.
type SyncFeed struct {
	ranges *RangeFeed
	reader SyncReader
	drain  drain
	beside bool // the last poll was a step of a drain
}

// NewSyncFeed makes a feed of a reader by changes and of the ranges beside it, whose Interval is the feed's.
func NewSyncFeed(reader SyncReader, beside RangeSettings) *SyncFeed {
	ranges := NewRangeFeed(beside)
	return &SyncFeed{
		ranges: ranges,
		reader: reader,
		drain:  drain{interval: ranges.ladder.Interval},
		beside: true, // ranges begin: their first read is short and sets the clock
	}
}

// Poll implements Feed: it makes the next step of a drain or reads the next piece of a
// range, whichever is due first, and each in turn while both are.
func (f *SyncFeed) Poll(ctx context.Context, state ledger.State, sink Sink) error {
	f.ranges.load(state)
	f.ranges.seen = f.ranges.view(state)
	f.settle()
	if changes, ranges := f.drainWait(), f.ranges.Wait(); changes <= 0 && ranges <= 0 {
		f.beside = !f.beside
	} else {
		f.beside = changes <= ranges
	}
	if f.beside {
		err := f.step(ctx, state, sink)
		f.settle()
		if !errors.Is(err, ErrNoSync) {
			return err
		}
	}
	return f.ranges.Poll(ctx, state, sink)
}

// drainWait is how long from now to the next step of a drain.
func (f *SyncFeed) drainWait() time.Duration {
	return f.drain.due() - f.ranges.settings.Clock.Elapsed()
}

// settle decides which levels are left to changes.
func (f *SyncFeed) settle() {
	level := 0
	if f.byChanges() {
		level = besideLevel
	}
	f.ranges.from(level)
}

// byChanges says whether changes are read, so that ranges may be few.
func (f *SyncFeed) byChanges() bool { return f.drain.reliable(f.ranges.settings.Clock.Elapsed()) }

// Wait implements Paced.
func (f *SyncFeed) Wait() time.Duration {
	return max(min(f.drainWait(), f.ranges.Wait()), 0)
}

// Trouble implements Paced.
func (f *SyncFeed) Trouble() error {
	if err := f.ranges.Trouble(); err != nil {
		return err
	}
	return f.drain.err
}

// Reads implements Paced: `changes`, with ranges at deep levels beside them, or `ranges`.
func (f *SyncFeed) Reads() string {
	if f.byChanges() {
		return "changes"
	}
	return "ranges"
}

// Unread implements Paced.
func (f *SyncFeed) Unread() []string { return f.ranges.Unread() }

// errStuck is a provider that says that there is more and doesn't go on.
var errStuck = errors.New("the provider says that there are more changes, and gave the same token again")

// errNoToken is a provider that gives no token to go on from.
var errNoToken = errors.New("the provider's changes came without a token")

// step asks once for what has changed and commits it with the token.
func (f *SyncFeed) step(ctx context.Context, state ledger.State, sink Sink) error {
	c := f.ranges.settings.Clock
	mark := f.ranges.plan.Changes
	if mark.Token == "" {
		mark.Since = f.restart(state)
	}
	d := &f.drain
	if !d.under {
		d.began, d.now, d.fresh, d.doubt = c.Elapsed(), c.Now(), mark.Token == "", false
	}
	d.doubt = d.doubt || f.ranges.doubtful()
	page, at, err := f.reader.Sync(ctx, mark.Token, mark.Since)
	if err == nil && at.Token == "" {
		err = errNoToken
	}
	moved := false
	if err == nil {
		moved, err = f.commit(ctx, state, sink, page, plan.Changes{Token: at.Token, Since: mark.Since}, at.More)
	}
	if err == nil && at.More && at.Token == mark.Token {
		err = errStuck // what came is committed; it isn't asked for again at once
	}
	if err != nil {
		return f.failed(ctx, err)
	}
	if d.refused {
		f.ranges.settings.Logger.Info("the account offers to read by changes: that is how it is read now")
	}
	d.backoff, d.refused, d.under = backoff{}, false, at.More || !moved
	if d.under {
		return nil
	}
	d.next, d.trusted = d.began+d.interval, c.Elapsed()+drainPatience*d.interval
	if !d.fresh {
		d.losses = 0
	}
	return nil
}

// restart is from when on changes are asked for without a token: as far back as a
// catch-up goes. The first history is left to ranges: it may be long.
func (f *SyncFeed) restart(state ledger.State) time.Time {
	v, l := f.ranges.seen, f.ranges.ladder
	from := v.Now
	if state.HistoryDone {
		from = plan.Earliest(from, v.Watermark)
	}
	from = plan.Latest(from.Add(-l.Lookback-l.Lookback/4), plan.Latest(v.Floor, v.Edge))
	from, _ = plan.Outward(from, from)
	return from
}

// commit commits what a step has brought, and says whether the token is kept with it.
func (f *SyncFeed) commit(ctx context.Context, state ledger.State, sink Sink, page *Page, mark plan.Changes, more bool) (moved bool, err error) {
	r := f.ranges
	c := r.settings.Clock
	began := c.sample().Add(f.drain.began - c.Elapsed())
	var alike twins // within one answer: a row that changes once more comes once more
	alike.number(page.Records)
	// The first commit of a new feed sets its origin, and so has no position: the same
	// is asked for once more.
	if moved = r.asked || len(state.Plan) > 0 || !c.hasDate(); moved {
		p, position := r.plan.Clone(), ledger.Position{}
		p.Changes = mark
		if !more {
			position.Watermark = f.watermark(state, p, began)
		}
		err = r.commitPlan(ctx, sink, p, page, position)
	} else {
		_, err = r.commitPage(ctx, sink, page)
	}
	r.asked = r.asked || err == nil
	return moved, err
}

// watermark is what a drain that has ended moves the watermark to, given when it began
// by the provider's own time; zero if it moves none. Like a shallow range it leaves what
// the deepest level owes within its reach.
func (f *SyncFeed) watermark(state ledger.State, p *plan.Plan, began time.Time) time.Time {
	v := f.ranges.seen
	v.Now = f.ranges.settings.Clock.Now()
	if !state.HistoryDone || f.drain.doubt || p.Changes.Since.After(v.Watermark) {
		return time.Time{}
	}
	known := p.Clone()
	known.DropFuture(v.Now)
	to := plan.Earliest(plan.Earliest(began, f.drain.now), known.Bound(v))
	if !to.After(state.Watermark) {
		return time.Time{}
	}
	return to
}

// failed takes note of a step that failed, and says what the poll returns.
func (f *SyncFeed) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil || notTheFeeds(err) {
		return err
	}
	d, tick, logger := &f.drain, f.ranges.settings.Clock.Elapsed(), f.ranges.settings.Logger
	switch {
	case errors.Is(err, ErrNoSync):
		if !d.refused {
			logger.Warn("the account doesn't offer to read by changes, so ranges of time are read alone", "error", err.Error(), "ask_again_in", askAgain.String())
		}
		d.under, d.trusted, d.refused = false, 0, true
		d.backoff = backoff{retry: tick + askAgain}
		return err
	case errors.Is(err, ErrTokenLost):
		f.ranges.plan.Changes = plan.Changes{}
		d.under, d.backoff = false, backoff{}
		if d.losses++; d.losses == 1 { // the drain begins anew at once
			logger.Warn("the provider no longer knows how far changes were read, so they are read again from further back", "error", err.Error())
			return nil
		}
		d.backoff = backoff{failures: 1, err: err, retry: tick + max(d.interval, doubling(d.interval, longestLoss, d.losses-1))}
		return err
	}
	d.fail(err, tick, f.ranges.settings.Random)
	return err
}

const (
	// askAgain is after how long an account that didn't offer to read by changes is
	// asked whether it does now; a start asks too.
	askAgain = 24 * time.Hour
	// longestLoss is the longest wait before a token that is lost again and again is
	// begun anew: each time much is read again.
	longestLoss = time.Hour
)

// drain is how reading by changes has gone in this process: from a first request to the
// answer that says that nothing newer exists. Its times are those of a clock that only
// counts up.
type drain struct {
	interval time.Duration

	// under says that newer changes are there than the last step has brought.
	under bool
	// began is when the drain's first request was made, and now what the feed's clock
	// said then. fresh says that it began without a token, doubt that the time was in
	// doubt at one of its steps.
	began        time.Duration
	now          time.Time
	fresh, doubt bool
	// next is when the next drain is due, unless a step has failed.
	next time.Duration
	backoff

	// losses is how many tokens were lost since one was good for a drain of its own.
	losses int
	// refused says that the account doesn't offer it.
	refused bool
	// trusted is up to when it counts that a drain has ended.
	trusted time.Duration
}

// due is when the next step is.
func (d *drain) due() time.Duration {
	if d.under {
		return d.retry
	}
	return max(d.next, d.retry)
}

// reliable says whether changes are read, so that ranges may be few: a drain has ended not
// long ago, and the next step comes before that is too long.
func (d *drain) reliable(tick time.Duration) bool {
	return d.failures < drainTries && max(tick, d.due()) < d.trusted
}
