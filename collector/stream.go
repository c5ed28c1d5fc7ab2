package collector

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// stream is the part of a feed that reads what has appeared since the last poll. The watermark is when the last
// complete read began. A feed of posted records alone has nothing to read; its watermark moves nevertheless.
type stream struct {
	*committer
	backoff

	// partial says that all reads since a time (Clock.Elapsed) missed a part of the stream.
	partial      bool
	partialSince time.Duration
}

// Waiting is an error of a StreamReader that has read all it could: a part of the stream is
// incomplete until its writer continues. The feed says so, and reads again after an interval.
type Waiting struct {
	Err error
	// Holds says that complete records wait too, and the watermark with them.
	Holds bool
}

func (w *Waiting) Error() string { return w.Err.Error() }

func (w *Waiting) Unwrap() error { return w.Err }

// Partial is an error of a StreamReader that has read everything except the part that the error names.
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

// onlyWaits says whether an error is a Waiting with which the watermark doesn't wait.
func onlyWaits(err error) bool {
	waits, is := errors.AsType[*Waiting](err)
	return is && !waits.Holds
}

func (f *stream) wait(context.Context) time.Duration { return f.retry - f.settings.Clock.Elapsed() }

func (f *stream) do(ctx context.Context) error {
	err := f.read(ctx)
	c := f.settings.Clock
	_, isWaiting := errors.AsType[*Waiting](err)
	if onlyWaits(err) && !onlyWaits(f.err) {
		f.settings.Logger.Warn("Files, or parts of them, can't be read yet", "err", err)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil, isWaiting:
		f.backoff = backoff{err: err, retry: c.Elapsed() + f.settings.Info.PollInterval()}
	case !isLedgerError(err):
		f.fail(err, c.Elapsed(), f.settings.Random)
	}
	if onlyWaits(err) {
		return nil
	}
	return err
}

// read commits page by page what follows the position, and then that all was read. Its error may be one that onlyWaits.
func (f *stream) read(ctx context.Context) error {
	if err := f.settings.Paused(); err != nil {
		return asLedgerError(err)
	}
	began, _ := f.settings.Clock.times()
	var waits error
	if f.settings.Info.Stream != nil {
		err := f.readStream(ctx, began)
		if unread := f.settings.Info.Unread; unread != nil {
			f.lost.Store(int64(unread()))
			f.showSpans()
		}
		if f.partial = isPartial(err) && f.partial; err != nil && !onlyWaits(err) {
			return cmp.Or(f.partlyRead(ctx, began, err), err)
		}
		waits = err
	}
	f.settings.Clock.sampleDate()
	_, err := f.commitPage(ctx, &Page{Position: &counting.Position{
		Watermark: began, HistoryDone: true,
		Read: &counting.Read{Began: began},
	}})
	return cmp.Or(err, waits)
}

// partlyRead ends a read that missed a part of the stream, once all have missed one for
// `whole_after`. Neither a downtime nor a time in which nothing could be read counts.
func (f *stream) partlyRead(ctx context.Context, began time.Time, err error) error {
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

func (f *stream) readStream(ctx context.Context, began time.Time) error {
	state := f.settings.Ledger.State()
	origin := state.Origin
	if f.settings.Info.Rules.Legs {
		origin = origin.Add(-f.settings.Info.WholeAfter) // a call that goes on after it isn't another call
	}
	from := StreamPosition{
		Resume: state.Resume, Origin: origin, Now: began, Watermark: state.Watermark, HistoryDone: state.HistoryDone,
	}
	for page, err := range f.settings.Info.Stream.Pages(ctx, from) {
		if err != nil {
			return err
		}
		if p := page.Position; p != nil { // as the last read did, or as this one knows by now
			p.Misses = f.partial || p.Misses && state.HistoryDone
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

// SpanReader makes a RangeReader of a StreamReader, for commands: it reads all of the stream for
// each span. A row that was set aside belongs to the span of the record before it.
type SpanReader struct {
	Stream StreamReader
	// Audit also reads what seems to have been read already.
	Audit bool
	// Changed is since when the same values identify rows; nil or zero: always. A loop gets no older
	// calls: they may have been counted under other ids.
	Changed func() time.Time
}

// Pages implements RangeReader.
func (r SpanReader) Pages(ctx context.Context, from, to time.Time) iter.Seq2[*Page, error] {
	return func(yield func(*Page, error) bool) {
		if r.Changed != nil && !r.Audit {
			from = plan.Latest(from, r.Changed())
		}
		within := func(at time.Time) bool { return !at.Before(from) && at.Before(to) }
		var last time.Time
		for page, err := range r.Stream.Pages(ctx, StreamPosition{Origin: from, Now: to, Once: true, Audit: r.Audit}) {
			if err != nil {
				yield(nil, err)
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
