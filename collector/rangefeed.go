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

// RangeFeed turns a RangeReader into a Feed that follows the read plan: each poll reads one piece
// of what is due. A piece that fails is tried again by itself, with half its length. It isn't safe
// for concurrent use: one loop polls it.
type RangeFeed struct {
	*committer

	ladder plan.Ladder
	levels *levelStates

	plan   *plan.Plan
	stored []byte        // the plan as it was last committed or read
	seen   plan.View     // as of the last poll, for Wait
	level  int           // of the last poll; -1 before the first
	asked  bool          // the provider has answered once
	logged time.Duration // how much of the lost time was logged

	// recordsWait says whether records that a list has named are still to be fetched, which holds the watermark; nil:
	// lists name none. Withheld says so of the latest position.
	recordsWait func(ctx context.Context) (bool, error)
	withheld    bool
}

func newRangeFeed(settings FeedSettings) *RangeFeed {
	settings = settings.withDefaults()
	info := settings.Info
	l := plan.Ladder{Interval: max(info.PollInterval(), time.Second), Lookback: max(info.Lookback, time.Second)}
	return &RangeFeed{
		committer: newCommitter(settings),
		ladder:    l,
		levels:    newLevelStates(l.Last()+1, l.Interval, info.Limits.Grain),
		level:     -1,
	}
}

// Poll implements Feed. With nothing due it reads the shortest range.
func (f *RangeFeed) Poll(ctx context.Context) error {
	r := f.newPoll()
	f.seen = r.view
	f.planStep(r)
	f.level = r.read.Level
	if !r.beforeClock && f.plan.OpenRead(r.read.Level) == nil {
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
func (f *RangeFeed) load(state counting.State) {
	if f.plan != nil && bytes.Equal(f.stored, state.Plan) {
		return
	}
	p, err := plan.Decode(state.Plan, f.ladder)
	if err != nil {
		f.settings.Logger.Warn("The read position can't be used, so the feed catches up", "err", err)
	}
	f.plan, f.stored = p, bytes.Clone(state.Plan)
	f.logged = p.Lost()
	f.showLost()
}

func (f *RangeFeed) newPoll() *rangePoll {
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
	r.spans, r.page.Done = r.plan.Expire(state.Spans, r.view)
	r.view.Skip = plan.SetAside(r.spans)
	return r
}

func (f *RangeFeed) planStep(r *rangePoll) {
	level := 0
	if r.beforeClock {
		// The provider's time isn't known yet: a short read, which moves nothing.
		r.read = plan.New(f.ladder).NextRead(0, r.view)
	} else {
		usable := func(m int) bool {
			return f.levels.retryAt(m, r.plan.Due(m, r.view, f.levels.failing)) <= r.tick
		}
		level = r.plan.NextLevel(r.view, f.level, usable, f.levels.failing)
		r.read = r.plan.NextRead(level, r.view)
	}
	piece := f.levels.each[level].piece
	if limit := f.settings.Info.Limits.MaxRange; limit > 0 {
		piece = min(piece, limit-2*time.Second) // it is rounded outward
	}
	r.step = r.plan.NextStep(&r.read, piece, r.view)
	if f.levels.each[level].failedPiece != (plan.Span{}) { // only one day of the provider's may be at fault
		r.step.To = f.endOfGrain(r)
	}
}

// endOfGrain is the end of the step, or of the first of several days that it is read by where the
// provider knows no less.
func (f *RangeFeed) endOfGrain(r *rangePoll) time.Time {
	if grain := f.settings.Info.Limits.Grain; grain > 0 {
		return plan.Earliest(r.step.To, plan.Latest(r.step.From, r.read.Cursor).Truncate(grain).Add(grain))
	}
	return r.step.To
}

// isFirst says whether this poll comes before the provider's time is known, by which a new feed's origin is set.
func (f *RangeFeed) isFirst() bool {
	c := f.settings.Clock
	return !f.asked && (c.pending() || c.offset != nil && len(f.stored) == 0)
}

// clocksHold says whether the clocks differ too much for the watermark to move: by more than the
// lookback, or because the earlier one is behind the watermark. Records are counted meanwhile
// (counting.md 10).
func (f *RangeFeed) clocksHold(earlier, later time.Time) bool {
	return later.Sub(earlier) > f.ladder.Lookback || later.After(earlier) && f.settings.Ledger.State().
		Watermark.Sub(earlier) > clockBack
}

func (f *RangeFeed) view(state counting.State) plan.View {
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
		v.Edge = earlier.Add(-keeps)
	}
	return v
}

// failed backs the level off. Unless the failure is the ledger's, the next piece is shorter, and
// one that is poison is stepped over. After an error that would fail every commit, the loop itself
// waits.
func (f *RangeFeed) failed(ctx context.Context, r *rangePoll, err error) {
	if ctx.Err() != nil || stopsEveryCommit(err) {
		return
	}
	if blamesSpan(err) && !r.beforeClock {
		f.levels.pieceFailed(r.read.Level, r.step.Span, &f.endpoint)
	}
	f.levels.backOff(r.read.Level, err, f.settings.Clock, f.settings.Random)
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

func (f *RangeFeed) succeeded(r *rangePoll, pages int) {
	now := f.settings.Clock.Elapsed()
	f.levels.succeeded(r.read.Level, r.step.Span, now-r.tick, pages)
	f.asked = true
}

// showLost shows how much time the provider no longer kept or can't give, and logs the former once.
func (f *RangeFeed) showLost() {
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

// Wait is how long from now to the next poll, by the plan and by what has failed.
func (f *RangeFeed) Wait(context.Context) time.Duration {
	if f.plan == nil {
		return 0
	}
	v, tick, p := f.seen, f.settings.Clock.Elapsed(), f.plan.Clone()
	v.Now = f.settings.Clock.Later()
	p.DropFuture(v.Now)
	wait := neverDue
	for m := range p.Reads {
		due := p.Due(m, v, f.levels.failing)
		left := f.levels.retryAt(m, due) - tick
		if p.OpenRead(m) == nil {
			left = max(left, due.Sub(v.Now))
		}
		wait = min(wait, left)
	}
	return max(wait, 0)
}

// Trouble is why the shallowest level that fails does so, or that clocks differ by too much; nil if all is well.
func (f *RangeFeed) Trouble() error {
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
