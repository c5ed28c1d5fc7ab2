package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

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
	f.drain.stepBegins(c.Elapsed(), c.Now(), mark.Token == "", f.ranges.doubtful())
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
	if f.drain.refused {
		f.ranges.settings.Logger.Info("the account offers to read by changes: that is how it is read now")
	}
	f.drain.stepCommitted(c.Elapsed(), at.More || !moved)
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
	p := r.plan.Clone()
	p.Changes = mark
	// The first commit of a new feed sets its origin, and so has no position: the same
	// is asked for once more.
	if moved = r.asked || len(state.Plan) > 0 || !c.hasDate(); moved {
		data, err := p.Encode()
		if err != nil {
			return false, err
		}
		page.Position = &ledger.Position{Plan: data}
		if !more {
			page.Position.Watermark = f.watermark(state, p, began)
		}
	}
	if _, err := r.commitPage(ctx, sink, page); err != nil {
		return false, err
	}
	r.asked = true
	if moved {
		r.plan, r.stored = p, page.Position.Plan
	}
	return moved, nil
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
	tick, logger := f.ranges.settings.Clock.Elapsed(), f.ranges.settings.Logger
	switch {
	case errors.Is(err, ErrNoSync):
		if !f.drain.refused {
			logger.Warn("the account doesn't offer to read by changes, so ranges of time are read alone", "error", err.Error(), "ask_again_in", askAgain.String())
		}
		f.drain.refuse(tick)
		return err
	case errors.Is(err, ErrTokenLost):
		f.ranges.plan.Changes = plan.Changes{}
		f.drain.lost(err, tick)
		if f.drain.err == nil {
			logger.Warn("the provider no longer knows how far changes were read, so they are read again from further back", "error", err.Error())
		}
		return f.drain.err
	}
	after := httpclient.RetryAfter(err)
	f.drain.failed(err, after, tick)
	if after > 0 {
		f.ranges.attempts.throttled = tick + after // for all requests
	}
	return err
}
