package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// reading is one poll of a RangeFeed: a step of a task, read and committed page
// by page. Inner pages carry no position.
type reading struct {
	feed  *RangeFeed
	sink  Sink
	state ledger.State
	view  view
	// plan is a copy of the feed's, next what becomes of it with the position.
	plan, next *plan
	task       task
	step       step
	// again is a span that is stepped over and read again; nil for a step of a task.
	again *unreadable
	// doubt says that the time isn't known well enough to move anything.
	doubt bool
	// tick is what Clock.Elapsed was when the poll began.
	tick time.Duration

	twins twins
	pages int
	found int // new records, and new work
	// concluded says that the last page is committed; moved is its position, nil
	// if it had none.
	concluded bool
	moved     *ledger.Position
}

// emit commits a page. The position goes with it if it is known to be the last,
// and if what is new on it doesn't decide whether the piece is read again.
func (r *reading) emit(ctx context.Context, b *Batch) error {
	r.pages++
	if b.Begins {
		r.twins.begin(b.Page)
	}
	r.twins.number(b.Records)
	page := r.feed.page(r.sink, b)
	last := b.Last && !r.step.old && !r.concluded
	if last {
		if err := r.position(page); err != nil {
			return err
		}
	}
	result, err := r.sink.Commit(ctx, page)
	if err != nil {
		return err
	}
	b.Result = result
	r.found += result.New + result.Queued
	r.feed.reconciled(b)
	if last {
		r.concluded, r.moved = true, page.Position
		return nil
	}
	return ctx.Err() // the page in hand is safe: time to stop
}

// page is what a batch comes to in the ledger, yet without a position.
func (f *RangeFeed) page(sink Sink, b *Batch) *ledger.Page {
	if c := f.settings.Clock; c.pending() {
		c.sample() // the first answer says what the time is, also for this very page
	}
	f.unmapped.take(b.Unmapped)
	return &ledger.Page{Records: b.Records, Invalid: b.Invalid, Ignored: b.Ignored, Enqueue: b.Work, ObservedAt: sink.Now()}
}

// reconciled tells what totals came with a batch that is committed now.
func (f *RangeFeed) reconciled(b *Batch) {
	for _, t := range b.Totals {
		f.settings.Observer.Reconciled(t.Day, t.Ours, t.Theirs)
	}
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
	r.next = r.plan.clone()
	done := r.next.finish(r.task, r.step, r.found, r.view, began)
	data, err := r.next.encode()
	if err != nil {
		return err
	}
	page.Position = &ledger.Position{Plan: data, HistoryDone: done.historyDone}
	if done.watermark.After(r.state.Watermark) {
		page.Position.Watermark = done.watermark
	}
	return nil
}
