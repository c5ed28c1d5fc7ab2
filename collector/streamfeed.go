package collector

import (
	"context"
	"iter"
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
	switch {
	case ctx.Err() != nil:
	case err == nil:
		f.backoff = backoff{retry: c.Elapsed() + f.settings.Info.PollInterval()}
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
	if f.settings.Info.Stream != nil {
		if err := f.readStream(ctx, began); err != nil {
			return err
		}
	}
	f.settings.Clock.sampleDate()
	_, err := f.commitPage(ctx, &Page{Position: &counting.Position{Watermark: began, HistoryDone: true, Read: &counting.Read{Began: began}}})
	return err
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

// Unread implements Feed: nothing is stepped over.
func (f *StreamFeed) Unread() []string { return nil }

// SpanReader makes a RangeReader of a StreamReader, for commands: it reads all of the stream for each span.
type SpanReader struct{ Stream StreamReader }

// Pages implements RangeReader.
func (r SpanReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	pages := r.Stream.Pages(ctx, StreamPosition{Origin: from, Now: to})
	return MapPages(pages, func(page *Page) *Page {
		all := page.Records
		page.Records = nil
		for _, record := range all {
			if !record.Start.Before(from) && record.Start.Before(to) {
				page.Records = append(page.Records, record)
			}
		}
		return page
	})
}
