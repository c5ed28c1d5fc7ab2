package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
)

// ranges is the part of a feed that follows the read plan: each poll reads one piece of what is due. A piece that fails
// is tried again by itself, with half its length.
//
// If the list only names the records, the watermark, the end of the first history and the next piece wait until all
// that it has named were fetched.
type ranges struct {
	*committer

	ladder plan.Ladder
	levels *levelStates

	plan   *plan.Plan
	stored []byte        // the plan as it was last committed or read
	seen   plan.View     // as of the last poll, for wait
	level  int           // of the last poll; -1 before the first
	asked  bool          // the provider has answered once
	apart  bool          // the clocks differed by more than the lookback in the last poll
	logged time.Duration // how much of the lost time was logged

	named    *records      // fetches the records that the list names; nil: it has them
	withheld bool          // the latest position waits for records
	resumeAt time.Duration // when the list goes on although records wait, by Clock.Elapsed
}

// longestHold is how long the list waits at most for the records that it has named to be fetched.
const longestHold = time.Hour

func newRanges(c *committer) *ranges {
	info := c.settings.Info
	l := plan.Ladder{Interval: max(info.PollInterval(), time.Second), Lookback: max(info.Lookback, time.Second)}
	return &ranges{
		committer: c,
		ladder:    l,
		levels:    newLevelStates(l.Last()+1, l.Interval, info.Limits.Grain),
		level:     -1,
	}
}

// do implements part. A position that waited for records is committed as soon as none holds it.
func (f *ranges) do(ctx context.Context) error {
	if f.named == nil {
		return f.readPiece(ctx)
	}
	defer f.named.show(ctx)
	if err := f.readPiece(ctx); err != nil {
		return err
	}
	f.resumeAt = 0
	if f.withheld {
		f.resumeAt = f.settings.Clock.Elapsed() + longestHold
	}
	return f.release(ctx)
}

// release commits the position that was withheld, once no record holds it.
func (f *ranges) release(ctx context.Context) error {
	if !f.withheld {
		return nil
	}
	if f.isTakenBack() { // so it is read again
		f.withheld, f.resumeAt = false, 0
		return nil
	}
	if waits, err := f.recordsWait(ctx); err != nil || waits {
		return err
	}
	return f.commitPosition(ctx, &rangePoll{plan: f.plan.Clone(), spans: f.settings.Ledger.State().Spans}, nil, nil)
}

// isTakenBack says whether a failover lost the plan that was last committed.
func (f *ranges) isTakenBack() bool { return !bytes.Equal(f.stored, f.settings.Ledger.State().Resume) }

// recordsWait says whether records that the list has named are still to be fetched. If only a few are left and all of
// them were refused, the list goes on, so that other calls aren't late.
func (f *ranges) recordsWait(ctx context.Context) (waits bool, err error) {
	if f.named == nil {
		return false, nil
	}
	waits, refused, err := f.named.hold(ctx)
	if refused {
		f.resumeAt = 0
	}
	return waits, err
}

// readPiece reads a piece of what is due; with nothing due it reads the shortest range.
func (f *ranges) readPiece(ctx context.Context) error {
	r := f.newPoll()
	f.seen, f.reached = r.view, r.view.Watermark
	f.planStep(r)
	f.level = r.read.Level
	if !r.beforeClock && f.plan.Levels[r.read.Level].Open == nil {
		f.plan.PutRead(r.read) // in memory only, so that shallower levels take it into account
	}
	var pages, found int
	var err error
	earlier := f.readEarlier(ctx, r)
	// else the step is empty or lies below the floor
	if r.step.From.Before(r.step.To) && r.step.To.After(r.view.Floor) {
		pages, found, err = f.read(ctx, r.step.From, r.step.To)
	}
	if fewer, is := errors.AsType[*FewerRows](err); is {
		switch {
		case r.beforeClock:
			err = nil // the span is planned with the next poll
		case f.endOfGrain(r).Equal(r.step.To): // else each day is read by itself first
			err = nil
			f.stepOverMissingRows(r, fewer)
		}
	}
	if err == nil && isLedgerError(earlier) {
		err = earlier
	}
	if err == nil {
		err = f.conclude(ctx, r, found)
	}
	if err != nil {
		f.failed(ctx, r, err)
		return err
	}
	f.succeeded(r, pages)
	return nil
}

// load decodes the ledger's plan if it isn't the one that this feed stored last.
func (f *ranges) load(state counting.State) {
	if f.plan != nil && bytes.Equal(f.stored, state.Resume) {
		return
	}
	p, err := plan.Decode(state.Resume, f.ladder)
	if err != nil {
		f.settings.Logger.Warn("The read position can't be used, so the feed catches up", "err", err)
	}
	f.plan, f.stored = p, bytes.Clone(state.Resume)
	f.logged = p.Lost()
	f.showLost()
}

func (f *ranges) newPoll() *rangePoll {
	state := f.settings.Ledger.State()
	f.load(state)
	r := &rangePoll{
		state: state, view: f.view(state), tick: f.settings.Clock.Elapsed(), plan: f.plan.Clone(),
		beforeClock: f.isFirst(),
	}
	if r.view.Gap > f.ladder.Lookback { // too long to be read through each time
		r.clockGap, r.view.Gap = r.view.Gap, 0
		r.view.Watermark = r.view.Now // the watermark stays, but the feed doesn't have to catch up
	}
	r.plan.DropFuture(r.view.Now)
	if f.apart && r.clockGap == 0 { // the watermark stayed, and shallow reads don't reach it any more
		r.plan.CatchUp(r.view.Watermark)
	}
	r.spans, r.page.Done = r.plan.Expire(state.Spans, r.view)
	r.view.Skip = plan.SetAside(r.spans)
	return r
}

func (f *ranges) planStep(r *rangePoll) {
	level, view := 0, r.view
	if r.beforeClock {
		// The provider's time isn't known yet: a short read, which moves nothing. If our clock is behind
		// all that may be read, its beginning is read.
		if !view.Now.After(view.Floor) {
			view.Now = view.Floor.Add(f.ladder.Reach(0))
		}
		r.read = plan.New(f.ladder).NextRead(0, view)
	} else {
		usable := func(m int) bool { return f.levels.retryAt(m) <= r.tick }
		level = r.plan.NextLevel(r.view, f.level, usable, f.levels.failing)
		r.read = r.plan.NextRead(level, r.view)
	}
	piece := f.levels.each[level].piece
	if limit := f.settings.Info.Limits.MaxRange; limit > 0 {
		piece = min(piece, limit-2*time.Second) // it is rounded outward
	}
	r.step = r.plan.NextStep(&r.read, piece, view)
	if f.levels.each[level].failedPiece != (plan.Span{}) { // only one day of the provider's may be at fault
		r.step.To = f.endOfGrain(r)
	}
}

// endOfGrain is the end of the step, or of the first of several days that it is read by where the
// provider knows no less.
func (f *ranges) endOfGrain(r *rangePoll) time.Time {
	if grain := f.settings.Info.Limits.Grain; grain > 0 {
		return plan.Earliest(r.step.To, plan.Latest(r.step.From, r.read.Cursor).Truncate(grain).Add(grain))
	}
	return r.step.To
}

// isFirst says whether this poll comes before the provider's time is known, by which a new feed's origin is set.
func (f *ranges) isFirst() bool {
	c := f.settings.Clock
	return !f.asked && (c.pending() || c.offset != nil && len(f.stored) == 0)
}

// clocksHold says whether the clocks differ too much for the watermark to move: by more than the
// lookback, or because the earlier one is behind the watermark. Records are counted meanwhile
// (counting.md 10).
func (f *ranges) clocksHold(earlier, later time.Time) bool {
	return later.Sub(earlier) > f.ladder.Lookback || later.After(earlier) && f.settings.Ledger.State().
		Watermark.Sub(earlier) > clockBack
}

func (f *ranges) view(state counting.State) plan.View {
	earlier, later := f.settings.Clock.times()
	v := plan.View{Now: later, Gap: later.Sub(earlier), Floor: state.Floor, Watermark: state.Watermark}
	if f.settings.Info.Rules.Legs {
		v.Grain = f.settings.Info.Limits.Grain
	}
	if v.Floor.IsZero() {
		v.Floor = earlier.Add(-f.ladder.Reach(f.ladder.Last()))
	}
	if v.Gap == 0 && v.Watermark.Sub(v.Now) > plan.ClockTolerance {
		v.Watermark = v.Now // both clocks say that it is ahead, so it steps back
	}
	v.Watermark = plan.Latest(plan.Latest(v.Watermark, v.Floor), plan.Earliest(f.plan.Reached, v.Now))
	if keeps := f.settings.Info.Limits.Retention; keeps > 0 {
		v.Edge = KeptSince(keeps, earlier)
	}
	return v
}

// failed backs the level off. Unless the failure is the ledger's, the next piece is shorter, and
// one that is poison is stepped over. After an error that would fail every commit, the loop itself
// waits.
func (f *ranges) failed(ctx context.Context, r *rangePoll, err error) {
	if ctx.Err() != nil || stopsEveryCommit(err) {
		return
	}
	if BlamesSpan(err) && !r.beforeClock {
		f.levels.pieceFailed(r.read.Level, r.step.Span, &f.endpoint)
	}
	f.levels.backOff(r.read.Level, err, f.settings.Clock.Elapsed(), f.settings.Random)
	if isLedgerError(err) {
		return
	}
	f.levels.halve(r.read.Level, r.step.Span)
	if failed := f.stepOver(ctx, r, err); failed != nil {
		f.settings.Logger.Warn("A span that can't be read couldn't be written down; it is tried again", "err",
			failed.Error())
	}
}

// stopsEveryCommit reports whether an error of the ledger would fail any other commit too.
func stopsEveryCommit(err error) bool {
	return slices.ContainsFunc([]error{
		ledger.ErrFull, ledger.ErrOutboxFull, ledger.ErrFenced, ledger.ErrNotOwner, ledger.ErrClosed,
		ledger.ErrReplaced,
	}, func(one error) bool { return errors.Is(err, one) })
}

func (f *ranges) succeeded(r *rangePoll, pages int) {
	now := f.settings.Clock.Elapsed()
	f.levels.succeeded(r.read.Level, r.step.Span, now-r.tick, pages)
	f.asked, f.apart = true, r.clockGap > 0
}

// showLost shows how much time the provider no longer kept or can't give, and logs the former once.
func (f *ranges) showLost() {
	lost := f.plan.Lost()
	f.lost.Store(int64(lost))
	f.showSpans()
	if lost < f.logged+time.Minute {
		return
	}
	f.logged = lost
	f.settings.Logger.Warn("Calls were not read in time and the provider no longer keeps them",
		"unreadable_seconds", int64(lost.Seconds()), "kept_since", f.seen.Edge.Format(time.RFC3339))
}

// wait implements part, by the plan and by what has failed.
func (f *ranges) wait(context.Context) time.Duration {
	if f.plan == nil {
		return 0
	}
	v, tick, p := f.seen, f.settings.Clock.Elapsed(), f.plan.Clone()
	v.Now = f.settings.Clock.Later()
	p.DropFuture(v.Now)
	next := neverDue
	for m := range p.Levels {
		left := f.levels.retryAt(m) - tick
		if p.Levels[m].Open == nil {
			left = max(left, p.Due(m, v, f.levels.failing).Sub(v.Now))
		}
		next = min(next, left)
	}
	if f.withheld && f.isTakenBack() {
		return next // what holds the list may be gone, too
	}
	return max(next, f.resumeAt-tick)
}

// trouble implements part: why the shallowest level that fails does so, or that clocks differ by too much.
func (f *ranges) trouble() error {
	if err := f.levels.trouble(); err != nil {
		return err
	}
	if earlier, later := f.settings.Clock.times(); f.clocksHold(earlier, later) {
		return fmt.Errorf("the provider's Date and this machine's clock differ by %s: one of them is wrong; "+
			"until that ends calls are counted and the read position stays",
			later.Sub(earlier).Round(time.Second))
	}
	return nil
}
