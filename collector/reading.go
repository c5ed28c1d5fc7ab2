package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// reading is one poll of a RangeFeed: a step of a task, read and committed page
// by page. Inner pages carry no position.
type reading struct {
	feed  *RangeFeed
	sink  Sink
	state ledger.State
	view  plan.View
	// plan is a copy of the feed's, next what becomes of it with the position.
	plan, next *plan.Plan
	task       plan.Task
	step       plan.Step
	// doubt says that the time isn't known well enough to move anything.
	doubt bool
	// tick is what Clock.Elapsed was when the poll began.
	tick time.Duration

	pages int
	found int // new records, and new work
	// concluded says that the last page is committed; moved is its position, nil
	// if it had none.
	concluded bool
	moved     *ledger.Position
}

// read reads a span and commits it page by page.
func (r *reading) read(ctx context.Context, from, to time.Time) error {
	d := Driver{Reader: r.feed.settings.Reader, Commit: r.commit}
	from, to = plan.Outward(from, to)
	return d.Read(ctx, from, to)
}

// commit commits a page. The position goes with it if it is known to be the last,
// and if what is new on it doesn't decide whether the piece is read again.
func (r *reading) commit(ctx context.Context, page *Page) (ledger.Result, error) {
	r.pages++
	last := page.Last && !r.step.Old && !r.concluded
	if last {
		if err := r.position(page); err != nil {
			return ledger.Result{}, err
		}
	}
	result, err := r.feed.commitPage(ctx, r.sink, page)
	if err != nil {
		return result, err
	}
	r.found += result.New + result.Queued
	if last {
		r.concluded, r.moved = true, page.Position
	}
	return result, nil
}

// commitPage commits a page as read now, and shows what the mapping doesn't know and the days' totals.
func (f *RangeFeed) commitPage(ctx context.Context, sink Sink, page *Page) (ledger.Result, error) {
	if c := f.settings.Clock; c.pending() {
		c.sample() // the first answer says what the time is, also for this very page
	}
	f.unmapped.add(page.Unmapped)
	page.ObservedAt = sink.Now()
	result, err := sink.Commit(ctx, page)
	if err == nil {
		for _, t := range page.Totals {
			f.settings.Observer.Reconciled(t.Day, t.Ours, t.Theirs)
		}
	}
	return result, err
}

// conclude commits the position by itself.
func (r *reading) conclude(ctx context.Context) error {
	page := &ledger.Page{}
	if err := r.position(page); err != nil {
		return err
	}
	// The first commit, which the provider's Date is known for, sets the feed's origin
	// by it, before anything is planned (counting.md 5, 10).
	page.ObservedAt = r.sink.Now()
	if page.Position != nil || len(r.state.Plan) == 0 {
		if _, err := r.sink.Commit(ctx, page); err != nil {
			return err
		}
	}
	r.concluded, r.moved = true, page.Position
	return nil
}

// position gives the page the position that the complete read leads to, or none
// if the time was in doubt. What the read didn't reach, because our clock was
// ahead of the provider's Date, the plan takes off.
func (r *reading) position(page *ledger.Page) error {
	c := r.feed.settings.Clock
	began := c.sample().Add(r.tick - c.Elapsed())
	if r.doubt {
		return nil
	}
	r.next = r.plan.Clone()
	done := r.next.Finish(r.task, r.step, r.found, r.view, began)
	data, err := r.next.Encode()
	if err != nil {
		return err
	}
	page.Position = &ledger.Position{Plan: data, HistoryDone: done.HistoryDone}
	if done.Watermark.After(r.state.Watermark) {
		page.Position.Watermark = done.Watermark
	}
	return nil
}
