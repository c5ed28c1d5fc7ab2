package collector

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// postedAtOnce is how many posted records a page takes from the ledger: each may be of a megabyte.
const postedAtOnce = 16

// StreamFeed turns a StreamReader, what is posted to a Webhook, or both into a Feed: each poll reads what has appeared since the last one. The
// watermark is when the last complete poll began. It isn't safe for concurrent use, but for commitPage: one loop polls it.
//
//	stream ─────────────────────────────────────┐
//	posted here ────────────────────────────────┼─▶ commit
//	posted to another replica ─▶ task in ledger ┘
type StreamFeed struct {
	committer
	backoff

	waits *Waiting // of the last read; the watermark doesn't wait with it
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

func (w *Waiting) orNil() error {
	if w == nil {
		return nil
	}
	return w
}

func newStreamFeed(settings FeedSettings) *StreamFeed {
	return &StreamFeed{committer: newCommitter(settings.withDefaults())}
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

// commitPosted commits the records that other replicas have enqueued, each together with the removal of its task.
func (f *StreamFeed) commitPosted(ctx context.Context) error {
	for ctx.Err() == nil {
		tasks, err := f.settings.Queue.Due(ctx, f.settings.Clock.Later(), postedAtOnce)
		if err != nil {
			return asLedgerError(err)
		}
		if len(tasks) == 0 {
			return nil
		}
		page := f.settings.Info.Posted(tasks)
		page.Done = tasks
		if _, err := f.commitPage(ctx, page); err != nil {
			return err
		}
	}
	return ctx.Err()
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
		if err != nil && (!is || waits.Holds) {
			return err
		}
		if f.waits = waits; is && was == nil {
			f.settings.Logger.Warn("part of a file waits to be read", "error", waits)
		}
	}
	f.settings.Clock.sampleDate()
	_, err := f.commitPage(ctx, &Page{Position: &counting.Position{Watermark: began, HistoryDone: true}})
	return err
}

func (f *StreamFeed) readStream(ctx context.Context, began time.Time) error {
	state := f.settings.Ledger.State()
	from := StreamPosition{Position: state.Plan, Origin: state.Origin, Now: began}
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

// Unread implements Feed: nothing is stepped over.
func (f *StreamFeed) Unread() []string { return nil }

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
				*rows = slices.DeleteFunc(*rows, func(row BadRow) bool { return !row.Near.IsZero() && !within(row.Near) })
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
