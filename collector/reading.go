package collector

import (
	"context"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// unmappedKept is how many values are remembered as logged.
	unmappedKept = 1000
	// unmappedShown is how much of a value is logged, in bytes.
	unmappedShown = 64
)

// reading is one poll of a RangeFeed: a step of a task, read and committed page by page. The position follows the last one.
type reading struct {
	state ledger.State
	view  plan.View
	// plan is a copy of the feed's, which becomes the feed's with the position.
	plan *plan.Plan
	task plan.Task
	step plan.Step
	// doubt says that the time isn't known well enough to move anything.
	doubt bool
	// tick is what Clock.Elapsed was when the poll began.
	tick time.Duration
}

// read reads a span and commits it page by page. It returns how many pages there were, and how much they had of new records and new work.
func (f *RangeFeed) read(ctx context.Context, from, to time.Time) (pages, found int, err error) {
	d := Driver{Reader: f.settings.Info.Reader, Commit: func(ctx context.Context, page *Page) (ledger.Result, error) {
		result, err := f.commitPage(ctx, page)
		pages++
		found += result.New + result.Queued
		return result, err
	}}
	err = d.Read(ctx, from, to)
	return pages, found, err
}

// commitPage commits a page as read now, with the work that it names due at once, and shows what came of it. A page in hand is committed even if
// the loop is stopped meanwhile. After an error nothing of the page was committed.
func (f *RangeFeed) commitPage(ctx context.Context, page *Page) (ledger.Result, error) {
	if c := f.settings.Clock; c.pending() {
		c.sample() // the first answer says what the time is, also for this very page
	}
	f.countUnmapped(page.Unmapped)
	page.ObservedAt = f.settings.Clock.Now()
	named := false
	for i := range page.Enqueue {
		if t := &page.Enqueue[i]; t.Due.IsZero() {
			t.Due, named = page.ObservedAt, true
		}
	}
	result, err := f.settings.Ledger.Commit(context.WithoutCancel(ctx), page)
	if err != nil {
		return result, err
	}
	if named && f.held != nil && !f.held.at.IsZero() { // what is named again is due only now
		f.held.at = plan.Latest(f.held.at, page.ObservedAt)
	}
	for _, t := range page.Totals {
		f.settings.Own.Reconciled(t.Day, t.Ours, t.Theirs)
	}
	f.showResult(&result)
	return result, nil
}

// showResult shows what the ledger made of a page.
func (f *RangeFeed) showResult(result *ledger.Result) {
	o := f.settings.Own
	o.Rows("new", result.New)
	o.Rows("duplicate", result.Duplicate)
	o.Rows("revised", result.Revised)
	o.Rows("invalid", result.Invalid)
	o.Rows("ignored", result.Ignored)
	o.Rows("too_old", result.TooOld)
	o.Delays(result.Delays)
	o.Overflow(result.Overflow)
	for _, row := range result.BadRows {
		f.settings.Logger.Warn("a row can't be read and isn't counted", "at", row.At, "problem", row.Problem)
	}
}

// countUnmapped counts the values that the mapping doesn't know, and logs each once.
func (f *RangeFeed) countUnmapped(values []Unmapped) {
	for _, one := range values {
		f.settings.Own.Unmapped(one.Field)
		one.Value = one.Value[:min(len(one.Value), unmappedShown)]
		if f.unmapped[one] || len(f.unmapped) == unmappedKept {
			continue
		}
		// The strings may point into a page that is used again.
		one.Field, one.Value = strings.Clone(one.Field), strings.Clone(one.Value)
		f.unmapped[one] = true
		f.settings.Logger.Warn("the provider sent a value that is new", "field", one.Field, "value", one.Value)
		if len(f.unmapped) == unmappedKept {
			f.settings.Logger.Warn("further values that are new are counted and not logged", "logged", unmappedKept)
		}
	}
}

// commitPlan commits a page with another plan, which is the feed's then.
func (f *RangeFeed) commitPlan(ctx context.Context, next *plan.Plan, page *Page, position ledger.Position) error {
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

// conclude commits the position that the complete read leads to; there is none if the time was in doubt. What the read didn't reach, because our
// clock was ahead of the provider's Date, the plan takes off.
func (f *RangeFeed) conclude(ctx context.Context, r *reading, found int) error {
	c := f.settings.Clock
	began := c.sample().Add(r.tick - c.Elapsed())
	switch {
	case r.doubt && len(r.state.Plan) > 0:
		return nil
	case r.doubt:
		// The first commit, which the provider's Date is known for, sets the feed's origin
		// by it, before anything is planned (counting.md 5, 10).
		_, err := f.commitPage(ctx, &Page{})
		return err
	}
	watermark, historyDone := r.plan.Finish(r.task, r.step, found, r.view, began)
	position := ledger.Position{HistoryDone: historyDone}
	if watermark.After(r.state.Watermark) {
		position.Watermark = watermark
	}
	if f.held == nil {
		return f.commitPlan(ctx, r.plan, &Page{}, position)
	}
	named := c.Now() // at the latest
	if err := f.commitPlan(ctx, r.plan, &Page{}, ledger.Position{}); err != nil {
		return err
	}
	f.held.keep(position, r.state, named)
	return nil
}
