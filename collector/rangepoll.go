package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// rangePoll is one poll of a RangeFeed: it reads a step of a level's read and commits it page by page. The last page is followed by the position.
type rangePoll struct {
	state counting.State
	view  plan.View
	// plan is a copy of the feed's. It replaces the feed's when the position is committed.
	plan *plan.Plan
	read plan.LevelRead
	step plan.Step
	// beforeClock says that the provider's time isn't known yet, so no position moves.
	beforeClock bool
	// clockGap is by how much the clocks differ, if that is more than the lookback; else 0.
	clockGap time.Duration
	// tick is what Clock.Elapsed was when the poll began.
	tick time.Duration
}

// read reads a span and commits it page by page. It returns the number of pages, and the number of new records and tasks in them.
func (f *RangeFeed) read(ctx context.Context, from, to time.Time) (pages, found int, err error) {
	d := Driver{Reader: f.reader, Commit: func(ctx context.Context, page *Page) error {
		result, err := f.commitPage(ctx, page)
		pages++
		found += result.New + result.Queued
		return err
	}}
	if err = f.settings.Paused(); err != nil {
		return 0, 0, asLedgerError(err)
	}
	if err = d.Read(ctx, from, to); err == nil {
		f.endpoint.Succeeded()
		f.readable = plan.Span{From: plan.Latest(from, to.Add(-shortestPiece)), To: to}
	}
	return pages, found, err
}

// commitPlan commits a page together with another plan, which replaces the feed's.
func (f *RangeFeed) commitPlan(ctx context.Context, next *plan.Plan, page *Page, position counting.Position) error {
	data, err := next.Encode()
	if err != nil {
		return err
	}
	position.Plan = data
	page.Position = &position
	if _, err := f.commitPage(ctx, page); err != nil {
		return err
	}
	f.plan, f.stored = next, data
	f.seen.Watermark = plan.Latest(f.seen.Watermark, position.Watermark)
	f.showLost()
	return nil
}

// completeRead is what of the level's read has been read since it was begun.
func (r *rangePoll) completeRead() *counting.Read {
	return &counting.Read{From: r.read.Join, To: r.step.To, Began: r.read.Wanted}
}

// readEarlier also reads the newest part by the earlier clock, if the clocks differ by more than the lookback. It moves no position. The provider may
// refuse one of the two spans, for instance because it lies in its future; the poll goes on.
func (f *RangeFeed) readEarlier(ctx context.Context, r *rangePoll) error {
	earlier := r.view.Now.Add(-r.clockGap)
	from := plan.Latest(earlier.Add(-f.ladder.Reach(0)), r.view.Floor)
	if r.clockGap == 0 || !from.Before(earlier) {
		return nil
	}
	_, _, err := f.read(ctx, from, earlier)
	return err
}

// conclude commits the position that follows from the complete read. Before the provider's time is known there is none, and while the clocks differ too
// much the watermark stays. Plan.Finish trims the time that the read couldn't reach because our clock was ahead of the provider's Date.
func (f *RangeFeed) conclude(ctx context.Context, r *rangePoll, found int) error {
	c := f.settings.Clock
	heldBefore := f.clocksHold(r.view.Now.Add(-max(r.view.Gap, r.clockGap)), r.view.Now)
	c.sampleDate()
	earlier, later := c.times()
	switch {
	case r.beforeClock && len(r.state.Plan) > 0:
		return nil
	case r.beforeClock:
		// The provider's Date is known now: the first commit sets the feed's origin by it, before anything is planned (counting.md 5, 10).
		_, err := f.commitPage(ctx, &Page{})
		return err
	}
	r.view.Gap = later.Sub(earlier)
	watermark, historyDone := r.plan.Finish(r.read, r.step, found, r.view, later.Add(r.tick-c.Elapsed()))
	var position counting.Position
	if again := r.plan.OpenRead(r.read.Level); again == nil || again.Pass == 0 { // else the piece is read once more
		position.Read = r.completeRead()
	}
	if !heldBefore && !f.clocksHold(earlier, later) {
		position.HistoryDone = historyDone
		if watermark.After(r.state.Watermark) || r.view.Watermark.Before(r.state.Watermark) {
			position.Watermark = watermark
		}
	}
	if f.held == nil {
		return f.commitPlan(ctx, r.plan, &Page{}, position)
	}
	named := c.Now() // at the latest
	if err := f.commitPlan(ctx, r.plan, &Page{}, counting.Position{}); err != nil {
		return err
	}
	f.held.add(position, r.state, named)
	return nil
}
