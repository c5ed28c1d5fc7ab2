package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// besideLevel is the shallowest level that is always read by ranges: every 8 intervals. What a token misses is then seen within
	// 8 intervals or a quarter of its delay, whichever is longer.
	besideLevel = 3
	// drainSteps bounds the requests of one drain, so that no other read waits for long.
	drainSteps = 4
	// askAgain is after how long an account that didn't offer to read by changes is asked whether it does now; a start asks too.
	askAgain = 24 * time.Hour
	// longestLoss is the longest wait before a token that is lost again and again is begun anew: each time much is read again.
	longestLoss = time.Hour
)

// errStuck is a provider that says that there is more and doesn't go on.
var errStuck = errors.New("the provider says that there are more changes, and gave the same token again")

// changes is how reading by changes goes in this process (counting.md 11). Once an interval a drain asks for what changed since the token, until
// the provider says that nothing newer exists. To the plan that is a complete read of the levels below besideLevel, which aren't due then. While
// drains fail, don't end or aren't offered, these levels are due, and are read by ranges. The token is kept with the plan.
type changes struct {
	backoff

	next    time.Duration // when the next drain may begin, by Clock.Elapsed
	ended   bool          // the latest drain has
	refused bool          // the account doesn't offer it
}

// readChanges makes a drain if one is due, and says whether the poll is done with that. The error is that of a commit.
func (f *RangeFeed) readChanges(ctx context.Context, r *reading) (done bool, err error) {
	c := &f.changes
	if f.settings.Info.Sync == nil || r.doubt || r.tick < max(c.next, c.retry) {
		return false, nil
	}
	c.next = r.tick + f.ladder.Interval/2
	fresh, failures := r.plan.Changes.Token == "", c.failures
	if c.ended, err = f.drain(ctx, r); err != nil || !c.ended {
		return false, err
	}
	if c.refused {
		f.settings.Logger.Info("the account offers to read by changes: that is how it is read now")
	}
	c.refused, c.err = false, nil
	if !fresh && c.failures == failures { // the token was good
		c.backoff = backoff{}
	}
	level := min(besideLevel, f.ladder.Last()) - 1
	if level < 0 {
		return false, nil // there is one level only
	}
	r.task = r.plan.NextTask(level, r.view)
	if r.plan.Changes.Since.After(r.task.Cursor) || !r.task.Join.After(r.view.Floor) {
		return false, nil // it doesn't stand for that read, or it would stand for the reads of all levels
	}
	r.step = plan.Step{From: r.task.Cursor, To: r.task.To}
	if err = f.conclude(ctx, r, 0); err != nil {
		return false, err
	}
	f.levels.forget(level + 1) // what isn't read by ranges doesn't fail
	return true, nil
}

// drain asks for what changed since the token, and commits each answer with the token that comes with it. It has ended when nothing newer exists.
func (f *RangeFeed) drain(ctx context.Context, r *reading) (ended bool, err error) {
	for range drainSteps {
		mark := r.plan.Changes
		if mark.Token == "" {
			mark.Since = f.changesSince(r)
		}
		page, at, err := f.settings.Info.Sync(ctx, mark.Token, mark.Since)
		if err == nil {
			alike := twins{} // within one answer: a row that changes once more comes once more
			alike.number(page.Records)
			r.plan.Changes = plan.Changes{Token: at.Token, Since: mark.Since}
			if err := f.commitPlan(ctx, r.plan.Clone(), page, ledger.Position{}); err != nil {
				return false, err
			}
			if !at.More {
				return true, nil
			}
			if at.Token == mark.Token {
				err = errStuck // what came is committed; it isn't asked for again at once
			}
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err != nil && !f.beginAnew(r, err) {
			return false, nil
		}
	}
	return false, nil
}

// changesSince is from when on changes are asked for without a token: as far back as a catch-up goes. The first history is left to ranges: it may
// be long.
func (f *RangeFeed) changesSince(r *reading) time.Time {
	from, l := r.view.Now, f.ladder
	if r.state.HistoryDone {
		from = plan.Earliest(from, r.view.Watermark)
	}
	from = plan.Latest(from.Add(-l.Lookback-l.Lookback/4), plan.Latest(r.view.Floor, r.view.Edge))
	from, _ = plan.Outward(from, from)
	return from
}

// beginAnew takes note of a request for changes that failed, and says whether the drain goes on without a token.
func (f *RangeFeed) beginAnew(r *reading, err error) bool {
	c, tick, logger := &f.changes, f.settings.Clock.Elapsed(), f.settings.Logger
	switch {
	case errors.Is(err, ErrNoSync):
		if !c.refused {
			logger.Warn("the account doesn't offer to read by changes, so ranges of time are read alone", "error", err.Error(), "ask_again_in", askAgain.String())
		}
		c.refused, c.backoff = true, backoff{retry: tick + askAgain}
	case errors.Is(err, ErrTokenLost):
		r.plan.Changes, f.plan.Changes = plan.Changes{}, plan.Changes{}
		if c.failures++; c.failures == 1 {
			logger.Warn("the provider no longer knows how far changes were read, so they are read again from further back", "error", err.Error())
			return true
		}
		c.err, c.retry = err, tick+doubling(f.ladder.Interval, longestLoss, c.failures-1)
	default:
		if c.failures == 0 {
			logger.Warn("reading by changes failed, so ranges of time are read", "error", err.Error())
		}
		c.fail(err, tick, f.settings.Random)
	}
	return false
}

// Reads implements Feed: `changes`, with ranges at deep levels beside them, or `ranges`; empty if there are only these.
func (f *RangeFeed) Reads() string {
	switch {
	case f.settings.Info.Sync == nil:
		return ""
	case f.changes.ended:
		return "changes"
	}
	return "ranges"
}
