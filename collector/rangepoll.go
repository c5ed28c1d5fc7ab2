package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// rangePoll is one poll of a ranges: it reads a step of a level's read and commits it page by
// page. A page without rows follows, which has the position.
type rangePoll struct {
	state counting.State
	view  plan.View
	// plan is a copy of the feed's. It replaces the feed's when the position is committed.
	plan *plan.Plan
	read plan.LevelRead
	step plan.Step
	// spans are those that are read again, without those that the page of the position takes off.
	spans []work.Item
	page  Page
	// beforeClock says that the provider's time isn't known yet, so no position moves.
	beforeClock bool
	// clockGap is by how much the clocks differ, if that is more than the lookback; else 0.
	clockGap time.Duration
	// tick is what Clock.Elapsed was when the poll began.
	tick time.Duration
}

// completeRead is the part of the level's read that is complete. It began by the earlier clock, by which
// legs come too. If reads leave out a span, partial also has the times before the span, whose calls may
// lack legs; otherwise it is nil.
func (r *rangePoll) completeRead(gap time.Duration) (whole, partial *counting.Read) {
	whole = &counting.Read{From: r.read.Join, To: r.step.To, Began: r.read.Wanted.Add(-gap)}
	for _, skip := range plan.SetAside(r.spans) {
		if skip.From.Before(whole.To) && skip.To.After(whole.From) {
			partial = &counting.Read{From: r.read.Join, To: whole.To, Began: whole.Began}
			whole.From = skip.To
		}
	}
	return whole, partial
}

// readEarlier also reads the newest part by the earlier clock, if the clocks differ by more than
// the lookback. It moves no position. The provider may refuse one of the two spans, for instance
// because it lies in its future; the poll goes on.
func (f *ranges) readEarlier(ctx context.Context, r *rangePoll) error {
	earlier := r.view.Now.Add(-r.clockGap)
	from := plan.Latest(earlier.Add(-f.ladder.Reach(0)), r.view.Floor)
	if r.clockGap == 0 || !from.Before(earlier) {
		return nil
	}
	_, _, err := f.read(ctx, from, earlier)
	return err
}

// conclude commits the position after the last page of a step. Before the provider's time is
// known there is none, and while the clocks differ too much the watermark stays. Plan.Finish trims
// the time that the read couldn't reach because our clock was ahead of the provider's Date.
func (f *ranges) conclude(ctx context.Context, r *rangePoll, found int) error {
	c := f.settings.Clock
	gap := max(r.view.Gap, r.clockGap)
	heldBefore := f.clocksHold(r.view.Now.Add(-gap), r.view.Now)
	c.sampleDate()
	earlier, later := c.times()
	switch {
	case r.beforeClock && len(r.state.Resume) > 0:
		return nil
	case r.beforeClock:
		// The provider's Date is known now: the first commit sets the feed's origin by it, before
		// anything is planned (counting.md 5, 10).
		_, err := f.commitPage(ctx, &Page{})
		return err
	}
	r.view.Gap = later.Sub(earlier)
	watermark, historyDone := r.plan.Finish(r.read, r.step, found, r.view, later.Add(r.tick-c.Elapsed()))
	whole, partial := r.completeRead(max(gap, r.view.Gap))
	// Calls of the first history that a deeper read will count aren't shown one by one.
	historyDone = historyDone && !r.state.HistoryDone &&
		(r.state.HistoryRead.IsZero() || partial != nil || !r.plan.Deeper(r.read.Level))
	if !heldBefore && !f.clocksHold(earlier, later) {
		r.plan.Reached, r.plan.HistoryRead = time.Time{}, historyDone
		if watermark.After(r.state.Watermark) || r.view.Watermark.Before(r.state.Watermark) {
			r.plan.Reached = watermark
		}
	}
	if again := r.plan.Levels[r.read.Level].Open; again != nil && again.Pass > 0 {
		whole, partial = nil, nil // the piece is read once more
	}
	return f.commitPosition(ctx, r, whole, partial)
}

// commitPosition commits the position that a poll has reached: its plan, which replaces the feed's, what changes of the
// spans that are read again, and the watermark. If records that were named are still to be fetched, the watermark
// waits: if it passed them, so would the floor, and they would be too old to count; and the first history would be
// shown while it is still being counted (counting.md 5, 7, 20).
func (f *ranges) commitPosition(ctx context.Context, r *rangePoll, whole, partial *counting.Read) error {
	waits, err := f.recordsWait(ctx)
	if err != nil {
		return err
	}
	position := new(counting.Position)
	if !waits {
		position.Read = whole
		if !f.clocksHold(f.settings.Clock.times()) {
			position.HistoryDone, r.plan.HistoryRead = r.plan.HistoryRead, false
			position.Watermark = r.plan.Release(r.spans)
		}
	}
	if position.Resume, err = r.plan.Encode(); err != nil {
		return err
	}
	r.page.Position = position
	result, err := f.commitPage(ctx, &r.page)
	if err != nil {
		return err
	}
	f.plan, f.stored = r.plan, position.Resume
	f.withheld = waits && (!r.plan.Reached.IsZero() || r.plan.HistoryRead)
	if !result.Oldest.IsZero() { // the next commit stores it
		f.plan.Follow(result.Oldest, plan.Latest(result.Settled, r.page.ObservedAt),
			max(f.settings.Info.Settle, f.ladder.Interval))
	}
	f.seen.Watermark = plan.Latest(f.seen.Watermark, position.Watermark)
	f.showLost()
	if waits || partial == nil || result.Waiting == 0 {
		return nil
	}
	return f.endPartialRead(ctx, partial)
}
