package collector

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

// RangeFeed turns a RangeReader into a Feed that follows the read plan: each poll reads one piece of what is due. A piece that fails is
// tried again by itself, with half its length. It isn't safe for concurrent use: one loop polls it.
type RangeFeed struct {
	settings FeedSettings
	ladder   plan.Ladder
	levels   *levels
	unmapped map[Unmapped]bool // the values that were logged

	plan   *plan.Plan
	stored []byte        // the plan as it was last committed or read
	seen   plan.View     // as of the last poll, for Wait
	level  int           // of the last poll; -1 before the first
	asked  bool          // the provider has answered once
	pause  time.Duration // until when nothing is read after a read in doubt
	logged time.Duration // how much of what is lost was logged

	endpoint witness.Endpoint // counts the spans that could be read
	changes  changes
	held     *held // of a TaskFeed; nil: positions are committed at once
}

func newRangeFeed(settings FeedSettings) *RangeFeed {
	settings = settings.withDefaults()
	info := settings.Info
	l := plan.Ladder{Interval: max(info.PollInterval(), time.Second), Lookback: max(info.Lookback, time.Second)}
	return &RangeFeed{
		settings: settings,
		ladder:   l,
		levels:   newLevels(l.Last()+1, l.Interval, info.Limits.Grain),
		unmapped: make(map[Unmapped]bool),
		level:    -1,
	}
}

// Poll implements Feed. With nothing due it reads the shortest range.
func (f *RangeFeed) Poll(ctx context.Context) error {
	r := f.newReading()
	f.seen = r.view
	if done, err := f.readChanges(ctx, r); done || err != nil {
		return err
	}
	if u := r.plan.DueUnread(r.view.Now); u != nil && !r.doubt && f.levels.all.failures == 0 {
		return f.reread(ctx, r, u)
	}
	f.planRead(r)
	f.level = r.task.Level
	if !r.doubt && f.plan.OpenTask(r.task.Level) == nil {
		f.plan.PutTask(r.task) // in memory, so that shallower levels know
	}
	var pages, found int
	var err error
	if r.step.From.Before(r.step.To) { // else all of it is stepped over
		pages, found, err = f.read(ctx, r.step.From, r.step.To)
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

// load takes the plan from the ledger when it isn't the one that was put there.
func (f *RangeFeed) load(state ledger.State) {
	if f.plan != nil && bytes.Equal(f.stored, state.Plan) {
		return
	}
	p, err := plan.Decode(state.Plan, f.ladder)
	if err != nil {
		f.settings.Logger.Warn("the read position can't be used, so the feed catches up", "error", err.Error())
	}
	f.plan, f.stored = p, bytes.Clone(state.Plan)
	f.logged = p.Lost()
	f.showLost()
}

func (f *RangeFeed) newReading() *reading {
	state := f.settings.Ledger.State()
	f.load(state)
	r := &reading{state: state, view: f.view(state), tick: f.settings.Clock.Elapsed(), plan: f.plan.Clone(), doubt: f.doubtful()}
	r.plan.DropFuture(r.view.Now)
	r.plan.ExpireUnread(r.view)
	return r
}

func (f *RangeFeed) planRead(r *reading) {
	level := 0
	if r.doubt {
		// The time is in doubt: a short read, which moves nothing.
		r.task = plan.New(f.ladder).NextTask(0, r.view)
	} else {
		usable := func(m int) bool {
			return f.levels.retryAt(m, r.plan.Due(m, r.view, f.levels.failing)) <= r.tick
		}
		level = r.plan.NextLevel(r.view, f.level, usable, f.levels.failing)
		r.task = r.plan.NextTask(level, r.view)
	}
	piece := f.levels.each[level].piece
	if limit := f.settings.Info.Limits.MaxRange; limit > 0 {
		piece = min(piece, limit-2*time.Second) // it is rounded outward
	}
	r.step = r.plan.NextStep(&r.task, piece, r.view)
}

// doubtful says that the time isn't known well enough to move anything. A new feed's origin is set by the provider's clock.
func (f *RangeFeed) doubtful() bool {
	c := f.settings.Clock
	first := !f.asked && (c.pending() || c.offset != nil && len(f.stored) == 0)
	return first || c.isFar() || c.unsure(f.ladder.Lookback)
}

func (f *RangeFeed) view(state ledger.State) plan.View {
	v := plan.View{Now: f.settings.Clock.Now(), Floor: state.Floor, Watermark: state.Watermark}
	if v.Floor.IsZero() {
		v.Floor = v.Now.Add(-f.ladder.Reach(f.ladder.Last()))
	}
	v.Watermark = plan.Latest(v.Watermark, v.Floor)
	if keeps := f.settings.Info.Limits.Retention; keeps > 0 {
		v.Edge = v.Now.Add(-keeps)
	}
	return v
}

// failed backs the level off, unless the failure isn't the provider's.
func (f *RangeFeed) failed(ctx context.Context, r *reading, err error) {
	if ctx.Err() != nil || notTheFeeds(err) {
		return
	}
	f.levels.failed(r.task.Level, err, r.step.To.Sub(r.step.From), f.settings.Clock, f.settings.Random)
	if failed := f.blame(ctx, r, err); failed != nil {
		f.settings.Logger.Warn("a span that can't be read couldn't be written down; it is tried again", "error", failed.Error())
	}
}

// notTheFeeds says whether an error is the ledger's: the loop waits by itself.
func notTheFeeds(err error) bool {
	_, notOpen := errors.AsType[*openError](err)
	return notOpen || errors.Is(err, ledger.ErrFull) || errors.Is(err, ledger.ErrOutboxFull) ||
		errors.Is(err, ledger.ErrFenced) || errors.Is(err, ledger.ErrNotOwner) || errors.Is(err, ledger.ErrClosed)
}

func (f *RangeFeed) succeeded(r *reading, pages int) {
	now := f.settings.Clock.Elapsed()
	f.levels.succeeded(r.task.Level, r.step.To.Sub(r.step.From), now-r.tick, pages)
	f.endpoint.Served()
	f.pause = 0
	if r.doubt && f.asked { // else it was the read that sets the clock
		f.pause = now + f.ladder.Interval
	}
	f.asked = true
}

// showLost shows what the provider no longer kept or can't give, and logs the former once.
func (f *RangeFeed) showLost() {
	lost := f.plan.Lost()
	f.settings.Own.Unreadable(lost + f.plan.UnreadFor())
	f.settings.Own.Tasks("span", 0, len(f.plan.Unread))
	if lost < f.logged+time.Minute {
		return
	}
	f.logged = lost
	f.settings.Logger.Warn("calls were not read in time and the provider no longer keeps them",
		"unreadable_seconds", int64(lost.Seconds()), "kept_since", f.seen.Edge.Format(time.RFC3339))
}

// Wait is how long from now to the next poll, by the plan and by what has failed.
func (f *RangeFeed) Wait(context.Context) time.Duration {
	if f.plan == nil {
		return 0
	}
	v, tick, p := f.seen, f.settings.Clock.Elapsed(), f.plan.Clone()
	v.Now = f.settings.Clock.Now()
	p.DropFuture(v.Now)
	wait := never
	for m := range p.Reads {
		due := p.Due(m, v, f.levels.failing)
		left := f.levels.retryAt(m, due) - tick
		if p.OpenTask(m) == nil {
			left = max(left, due.Sub(v.Now))
		}
		wait = min(wait, left)
	}
	for i := range p.Unread {
		if f.levels.all.failures == 0 {
			wait = min(wait, p.Unread[i].Due.Sub(v.Now))
		}
	}
	return max(wait, f.pause-tick, 0)
}

// Trouble is why the shallowest level that fails does so, that the provider's Date isn't believed, or why changes can't be read; nil if all is
// well.
func (f *RangeFeed) Trouble() error {
	if err := f.levels.trouble(); err != nil {
		return err
	}
	if !f.settings.Clock.isFar() {
		return f.changes.err
	}
	return fmt.Errorf("the provider's Date and this machine's clock differ by more than %s: one of them is wrong; until that ends calls are counted and the read position stays", farClock)
}
