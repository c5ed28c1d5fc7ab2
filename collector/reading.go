package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// reading is one poll of a RangeFeed: a step of a task, read and committed page
// by page. The pages carry no position: that is committed after the last one.
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
	// moved is the position that was committed; nil if there is none.
	moved *ledger.Position
}

// read reads a span and commits it page by page.
func (r *reading) read(ctx context.Context, from, to time.Time) error {
	d := Driver{Reader: r.feed.settings.Reader, Commit: r.commit}
	return d.Read(ctx, from, to)
}

// commit commits a page.
func (r *reading) commit(ctx context.Context, page *Page) (ledger.Result, error) {
	result, err := r.feed.commitPage(ctx, r.sink, page)
	r.pages++
	r.found += result.New + result.Queued
	return result, err
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

// conclude commits the position that the complete read leads to, or none if the time was in doubt. What the read didn't reach, because our
// clock was ahead of the provider's Date, the plan takes off.
func (r *reading) conclude(ctx context.Context) error {
	c, page := r.feed.settings.Clock, &ledger.Page{}
	began := c.sample().Add(r.tick - c.Elapsed())
	if !r.doubt {
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
	} else if len(r.state.Plan) > 0 {
		return nil
	}
	// The first commit, which the provider's Date is known for, sets the feed's origin
	// by it, before anything is planned (counting.md 5, 10).
	page.ObservedAt = r.sink.Now()
	_, err := r.sink.Commit(ctx, page)
	if err == nil {
		r.moved = page.Position
	}
	return err
}
