package collector

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// unmappedKept is how many values are remembered as logged.
	unmappedKept = 1000
	// unmappedShown is how much of a value is logged, in bytes.
	unmappedShown = 64
	// mostAhead is how far in the future a call may begin. Clocks may differ by this much; wrong zones differ by more.
	mostAhead = 20 * time.Minute
)

// committer commits the pages of a feed, and updates its metrics, log and status.
//
//	pages of spans ─▶ committer.read ───┐
//	their position ─▶ ranges.conclude ──┤
//	streams, records, spans owed ───────┴▶ commitPage ─┐
//	posted here ─▶ Loop.CommitPosted ──────────────────┴▶ commitWithin ─▶ Ledger.Commit
type committer struct {
	settings FeedSettings
	// reader leaves out rows that the ledger knows; nil: spans can't be read.
	reader RangeReader

	endpoint witness.Endpoint // counts the spans that could be read
	readable plan.Span        // the last two seconds of the last of them
	reached  time.Time        // how far the feed was read, for Page.Reached
	lost     atomic.Int64     // how much time the provider no longer kept
	ahead    sync.Once        // logs a call in the future

	mu     sync.Mutex
	logged map[Unmapped]bool // values that were logged as unknown to the mapping; guarded by mu
}

func newCommitter(settings FeedSettings) *committer {
	reader := settings.Info.Reader
	if without := settings.Info.SkipUnchanged; without != nil {
		reader = without(settings.Ledger)
	}
	return &committer{settings: settings, reader: reader, logged: make(map[Unmapped]bool)}
}

// read reads a span and commits it page by page. It returns the number of pages, and the number of new records and
// tasks in them.
func (c *committer) read(ctx context.Context, from, to time.Time) (pages, found int, err error) {
	d := Driver{Reader: c.reader, Commit: func(ctx context.Context, page *Page) error {
		page.Reached = c.reached
		result, err := c.commitPage(ctx, page)
		pages++
		found += result.New + result.Queued
		return err
	}}
	if err = c.settings.Paused(); err != nil {
		return 0, 0, asLedgerError(err)
	}
	if err = d.Read(ctx, from, to); err == nil || IsFewerRows(err) {
		c.endpoint.Succeeded()
		c.readable = plan.Span{From: plan.Latest(from, to.Add(-shortestPiece)), To: to}
	}
	return pages, found, err
}

// endPartialRead counts the calls that have been due for `whole_after` and for which nothing came
// meanwhile, although a part of what was read is missing: a file or a span that can't be read mustn't
// hold the calls of a feed for ever.
func (c *committer) endPartialRead(ctx context.Context, read *counting.Read) error {
	if !c.settings.Info.Rules.Legs {
		return nil
	}
	read.Began, read.Partial = read.Began.Add(-c.settings.Info.WholeAfter), true
	_, err := c.commitPage(ctx, &Page{Position: &counting.Position{Read: read}})
	return err
}

// commitPage commits a page that was read now, makes its tasks without a Due due at once, and
// updates the metrics. It commits even if the loop is stopped meanwhile. After an error nothing of
// the page was committed. It is safe for concurrent use.
func (c *committer) commitPage(ctx context.Context, page *Page) (counting.Result, error) {
	return c.commitWithin(context.WithoutCancel(ctx), page)
}

// commitWithin is commitPage for a page that isn't committed if ctx ends before that begins.
func (c *committer) commitWithin(ctx context.Context, page *Page) (counting.Result, error) {
	if clock := c.settings.Clock; clock.pending() {
		clock.sampleDate() // the first answer says what the time is, also for this very page
	}
	c.logUnmapped(page.Unmapped)
	c.settings.Label(page.Records)
	page.ObservedAt = c.settings.Clock.Now()
	c.logAhead(page)
	for i := range page.Enqueue {
		if w := &page.Enqueue[i]; w.Due.IsZero() {
			w.Due = page.ObservedAt
		}
	}
	result, err := c.settings.Ledger.Commit(ctx, page)
	if err != nil {
		return result, asLedgerError(err)
	}
	c.showResult(&result)
	if slices.ContainsFunc(page.Enqueue, work.IsSpan) || slices.ContainsFunc(page.Done, work.IsSpan) {
		c.showSpans()
	}
	return result, nil
}

// showResult shows what the ledger made of a page.
func (c *committer) showResult(result *counting.Result) {
	o := c.settings.Metrics
	o.Rows("new", result.New)
	o.Rows("duplicate", result.Duplicate)
	o.Rows("revised", result.Revised)
	o.Rows("invalid", result.Invalid)
	o.Rows("ignored", result.Ignored)
	o.Rows("too_old", result.TooOld)
	o.Delays(result.Delays)
	o.PremiumCalls(result.PremiumCalls)
	if c.settings.Info.Rules.Legs {
		c.showCalls(result)
	}
	for field, n := range result.Unmapped {
		o.Unmapped(field, n)
	}
	o.Overflow(result.Overflow)
	for _, row := range result.BadRows {
		c.settings.Logger.Warn("A row can't be read and isn't counted", "at", row.At, "err", row.Problem)
	}
}

// showCalls shows how many calls wait for further legs, and says which counts can't be exact.
func (c *committer) showCalls(result *counting.Result) {
	c.settings.Metrics.Calls(result.Waiting, result.Incomplete)
	if result.Incomplete > 0 {
		c.settings.Logger.Warn("Calls were counted although a leg of each was missing or hadn't ended; see "+
			"whole_after in docs/configuration.md",
			"calls", result.Incomplete, "still_waiting", result.Waiting)
	}
	if result.FullCalls > 0 {
		c.settings.Logger.Warn("More than 1000 records share a call key, so further ones are counted as "+
			"calls; check `group` and `parent` of the definition",
			"records", result.FullCalls)
	}
}

// logUnmapped logs each value that the mapping doesn't know once.
func (c *committer) logUnmapped(values []Unmapped) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range values {
		one = Unmapped{Field: one.Field, Value: cdr.HideNumbers(one.Value)}
		one.Value = one.Value[:min(len(one.Value), unmappedShown)]
		if c.logged[one] || len(c.logged) == unmappedKept {
			continue
		}
		// The strings may point into a page that is used again.
		one.Field, one.Value = strings.Clone(one.Field), strings.Clone(one.Value)
		c.logged[one] = true
		c.settings.Logger.Warn("The provider sent a value that is new", "field", one.Field, "value", one.Value)
		if len(c.logged) == unmappedKept {
			c.settings.Logger.Warn("Further values that are new are counted and not logged", "logged", unmappedKept)
		}
	}
}

// logAhead logs the first call that begins in the future.
func (c *committer) logAhead(page *Page) {
	for _, r := range page.Records {
		if by := r.Start.Sub(page.ObservedAt); by > mostAhead {
			c.ahead.Do(func() {
				c.settings.Logger.Warn("A call begins in the future; see time_zone of the source, zone and time of "+
					"the definition, and the clocks", "ahead", by.Round(time.Second))
			})
			return
		}
	}
}
