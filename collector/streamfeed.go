package collector

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// postedAtOnce is how many posted records a page takes from the ledger: each may be of a megabyte.
const postedAtOnce = 16

// StreamFeed turns a StreamReader, what is posted to a Webhook, or both into a Feed: each poll
// reads what has appeared since the last one. The watermark is when the last complete poll began.
// It isn't safe for concurrent use, but for commitPage: one loop polls it.
//
//	stream ──────────────────────────────────────────────────────┐
//	posted here while none waits ────────────────────────────────┼─▶ commit
//	posted to another replica, or while some wait ─▶ task in ledger ┘
type StreamFeed struct {
	*committer
	backoff

	// posting is held from the look at the posted records that wait to the commit, so that an older
	// one isn't counted after a newer one.
	posting *semaphore.Weighted
	waits   *Waiting // of the last read; the watermark doesn't wait with it
	// partial says that all reads since a time (Clock.Elapsed) missed a part of the stream.
	partial      bool
	partialSince time.Duration
}

// Waiting is an error of a StreamReader that has read all it could, and of which something waits
// for what its writer hasn't written yet. The feed says so, and reads again after an interval.
type Waiting struct {
	Err error
	// Holds says that complete records are among what waits: the watermark waits with them.
	Holds bool
}

func (w *Waiting) Error() string { return w.Err.Error() }

func (w *Waiting) Unwrap() error { return w.Err }

// Partial is an error of a StreamReader that has read all but what the error is about.
type Partial struct{ Err error }

func (p *Partial) Error() string { return p.Err.Error() }

func (p *Partial) Unwrap() error { return p.Err }

func isPartial(err error) bool {
	if waits, is := errors.AsType[*Waiting](err); is {
		return waits.Holds
	}
	_, is := errors.AsType[*Partial](err)
	return is
}

func (w *Waiting) orNil() error {
	if w == nil {
		return nil
	}
	return w
}

func newStreamFeed(settings FeedSettings) *StreamFeed {
	return &StreamFeed{committer: newCommitter(settings.withDefaults()), posting: semaphore.NewWeighted(1)}
}

// Poll implements Feed. A poll before its time, after another replica has enqueued a posted record, takes only that.
func (f *StreamFeed) Poll(ctx context.Context) error {
	if f.settings.Info.Posted != nil {
		if err := f.commitPosted(ctx); err != nil {
			return err
		}
		if f.Wait(ctx) > 0 {
			return errNothingDue
		}
	}
	err := f.read(ctx)
	c := f.settings.Clock
	waits, isWaiting := errors.AsType[*Waiting](err)
	switch {
	case ctx.Err() != nil:
	case err == nil, isWaiting:
		f.backoff = backoff{err: cmp.Or(waits, f.waits).orNil(), retry: c.Elapsed() + f.settings.Info.PollInterval()}
	case !isLedgerError(err):
		f.fail(err, c.Elapsed(), f.settings.Random)
	}
	return err
}

// commitPosted commits the records that wait in the ledger, in the order in which they came, each
// together with the removal of its task.
func (f *StreamFeed) commitPosted(ctx context.Context) error {
	for {
		some, err := f.commitSomePosted(ctx)
		if err != nil || !some {
			return err
		}
	}
}

func (f *StreamFeed) commitSomePosted(ctx context.Context) (some bool, err error) {
	if err := f.posting.Acquire(ctx, 1); err != nil {
		return false, err
	}
	defer f.posting.Release(1)
	tasks, err := f.posted(ctx)
	if err != nil || len(tasks) == 0 {
		return false, err
	}
	page := f.settings.Info.Posted(tasks)
	page.Done = tasks
	_, err = f.commitPage(ctx, page)
	return true, err
}

// posted are the records that came first of those that wait. They have the time of the database,
// which may be ahead of ours.
func (f *StreamFeed) posted(ctx context.Context) ([]work.Item, error) {
	tasks, err := f.settings.Queue.Due(ctx, f.settings.Clock.Later().Add(longestTaskWait), postedAtOnce)
	return tasks, asLedgerError(err)
}

// commitArrived commits a record that was posted here. While others wait in the ledger it returns
// ErrReadElsewhere: it has to wait behind them.
func (f *StreamFeed) commitArrived(ctx context.Context, page *Page) error {
	if err := f.posting.Acquire(ctx, 1); err != nil {
		return err
	}
	defer f.posting.Release(1)
	tasks, err := f.posted(ctx)
	if err == nil && len(tasks) > 0 {
		err = ErrReadElsewhere
	}
	if err == nil { // not for a sender that has given up: it may have posted it elsewhere
		_, err = f.commitWithin(ctx, page)
	}
	return err
}

// read commits page by page what follows the position, and then that all was read.
func (f *StreamFeed) read(ctx context.Context) error {
	if err := f.settings.Paused(); err != nil {
		return asLedgerError(err)
	}
	began, _ := f.settings.Clock.times()
	was := f.waits
	f.waits = nil
	if f.settings.Info.Stream != nil {
		err := f.readStream(ctx, began)
		waits, is := errors.AsType[*Waiting](err)
		if f.partial = isPartial(err) && f.partial; err != nil && (!is || waits.Holds) {
			return cmp.Or(f.partlyRead(ctx, began, err), err)
		}
		if f.waits = waits; is && was == nil {
			f.settings.Logger.Warn("Part of a file waits to be read", "err", waits)
		}
	}
	f.settings.Clock.sampleDate()
	_, err := f.commitPage(ctx, &Page{Position: &counting.Position{
		Watermark: began, HistoryDone: true,
		Read: &counting.Read{Began: began},
	}})
	return err
}

// partlyRead ends a read that missed a part of the stream, once all have missed one for
// `whole_after`. Neither a downtime nor a time in which nothing could be read counts.
func (f *StreamFeed) partlyRead(ctx context.Context, began time.Time, err error) error {
	now, longest := f.settings.Clock.Elapsed(), f.settings.Info.WholeAfter
	switch {
	case !f.settings.Info.Rules.Legs || !isPartial(err):
	case !f.partial:
		f.partial, f.partialSince = true, now
	case now-f.partialSince >= longest:
		return f.endPartialRead(ctx, &counting.Read{Began: began})
	}
	return nil
}

func (f *StreamFeed) readStream(ctx context.Context, began time.Time) error {
	state := f.settings.Ledger.State()
	origin := state.Origin
	if f.settings.Info.Rules.Legs {
		origin = origin.Add(-f.settings.Info.WholeAfter) // a call that goes on after it isn't another call
	}
	from := StreamPosition{Position: state.Plan, Origin: origin, Now: began}
	for page, err := range f.settings.Info.Stream.Pages(ctx, from) {
		if err != nil {
			return err
		}
		if _, err := f.commitPage(ctx, page); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err() // the page in hand is safe
		}
	}
	return nil
}

// Wait implements Feed.
func (f *StreamFeed) Wait(context.Context) time.Duration {
	return max(0, f.retry-f.settings.Clock.Elapsed())
}

// Trouble implements Feed.
func (f *StreamFeed) Trouble() error { return f.err }

// SpanReader makes a RangeReader of a StreamReader, for commands: it reads all of the stream for
// each span. A row that was set aside belongs to the span of the record before it. What waits
// without holding the watermark ends no span.
type SpanReader struct {
	Stream StreamReader
	// Audit reads what seems to have been read already too, and says all that waits.
	Audit bool
}

// Pages implements RangeReader.
func (r SpanReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
		var last time.Time
		for page, err := range r.Stream.Pages(ctx, StreamPosition{Origin: from, Now: to, Audit: r.Audit}) {
			if err != nil {
				if waits, is := errors.AsType[*Waiting](err); !is || waits.Holds || r.Audit {
					yield(nil, err)
				}
				return
			}
			all := page.Records
			if len(all) > 0 && last.IsZero() {
				last = all[0].Start
			}
			for _, rows := range []*[]BadRow{&page.Invalid, &page.Ignored} {
				for i := range *rows {
					if row := &(*rows)[i]; row.Near.IsZero() {
						row.Near = last
					}
				}
				*rows = slices.DeleteFunc(*rows,
					func(row BadRow) bool { return !row.Near.IsZero() && !within(row.Near) })
			}
			page.Records = nil
			for _, record := range all {
				if last = record.Start; within(last) {
					page.Records = append(page.Records, record)
				}
			}
			if !yield(page, nil) {
				return
			}
		}
	}
}
