package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// maxPasses is how often a piece is read at the most, since no later read will cover it (counting.md 9).
	maxPasses = 5
	// overlap is by how much adjacent pieces overlap.
	overlap = time.Second
	// A piece is at least a day, so that providers that only know days aren't asked for each of
	// them thrice, and at most a week.
	shortPiece, longPiece = 24 * time.Hour, 7 * 24 * time.Hour
	pieces                = 20
	// leastPiece is how short a piece may become that fails.
	leastPiece = time.Minute
)

type historyRead struct {
	*History

	state   *ledger.Feed
	summary Summary

	// first is where reading begins, done up to where it has come.
	first, done time.Time

	// read is how many records were new, waiting how many calls wait for further legs.
	read, waiting int
	// noted is the last part of a stream that waits.
	noted string

	// What the Summary counts, each once.
	unfinished, unsettled, missing map[string]bool
}

func (r *historyRead) run(ctx context.Context) error {
	var to time.Time
	r.first, to = ReadRange(r.feed.Info, r.settings.From, r.feed.To, r.settings.Now())
	if r.settings.From.Before(r.first) {
		r.note("the provider keeps records for %.4g days: there are none before %s",
			r.feed.Info.Limits.Retention.Hours()/24, r.first.Format(time.RFC3339))
	}
	r.done = r.first
	loop := collector.SpanLoop{
		Longest: r.piece(), Shortest: leastPiece, MayPass: MayPass,
		Read: func(ctx context.Context, from, end time.Time) error {
			if err := r.readPiece(ctx, from, end); err != nil {
				return err
			}
			r.done = end
			r.progress()
			return r.countCalls(ctx, to)
		},
	}
	begin := plan.Latest(r.settings.From, r.first) // no piece lies on both sides of it
	if err := loop.Run(ctx, r.first, begin); err != nil {
		return err
	}
	if err := loop.Run(ctx, begin, to); err != nil {
		return err
	}
	r.summary.Calls = r.counted
	r.summary.Unfinished, r.summary.Unsettled, r.summary.Missing = len(r.unfinished)+r.waiting, len(r.unsettled),
		len(r.missing)
	return nil
}

// farFuture is later than any call.
var farFuture = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

// ReadRange is what must be read of a feed for the calls that start in a range. A leg may start before the
// range or after it. Nothing is read from before EarliestRead.
func ReadRange(info *collector.FeedInfo, from, to, now time.Time) (first, last time.Time) {
	if info.Rules.Legs {
		from, to = from.Add(-info.WholeAfter), plan.Earliest(to.Add(info.WholeAfter), now)
	}
	return plan.Latest(from, EarliestRead(info, now)), info.Limits.ReadTo(to, now)
}

// EarliestRead is the earliest time of a feed that commands and audits read; zero: its provider has no known limit.
func EarliestRead(info *collector.FeedInfo, now time.Time) time.Time {
	const margin = 10 * time.Minute // some requests are repeated later
	keeps := info.Limits.Retention
	if keeps <= 0 {
		return time.Time{}
	}
	return now.Add(margin - keeps).UTC().Truncate(time.Second)
}

func (r *historyRead) piece() time.Duration {
	length := shortPiece
	if r.feed.Info.Fetcher == nil { // else what it names is in memory
		length = min(max(shortPiece, (r.feed.To.Sub(r.settings.From)/pieces).Truncate(time.Second)), longPiece)
	}
	if limit := r.feed.Info.Limits.MaxRange; limit > 0 {
		length = min(length, limit-2*overlap)
	}
	return length
}

// readPiece reads a piece until a pass finds nothing new. A record that it finds twice counts once.
func (r *historyRead) readPiece(ctx context.Context, from, to time.Time) error {
	driver := &collector.Driver{
		Reader: r.feed.Info.Reader, Fetcher: r.feed.Info.Fetcher, Commit: r.commit,
		Missing: r.missed, Waits: r.waits,
	}
	from = plan.Latest(from.Add(-overlap), r.first)
	for range maxPasses {
		known := r.read + driver.Named()
		if err := driver.Read(ctx, from, to); err != nil {
			return err
		}
		if r.read+driver.Named() == known {
			break
		}
	}
	return nil
}

// countCalls counts the calls of several records that are whole by what has been read: up to done,
// or up to now after the last piece.
func (r *historyRead) countCalls(ctx context.Context, to time.Time) error {
	if !r.feed.Info.Rules.Legs {
		return nil
	}
	now := r.settings.Now()
	began := r.done
	switch {
	case r.done.Before(to):
	case r.settings.CountWaiting:
		began = farFuture
	default:
		began = now
	}
	_, err := r.state.Commit(ctx, &counting.Page{
		Position:   &counting.Position{Read: &counting.Read{Began: began}},
		ObservedAt: now,
	})
	if err == nil {
		r.waiting, err = r.state.CallsWaiting(ctx, r.settings.From, r.feed.To)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLocal, err)
	}
	return nil
}

// leads says whether what is read lies before the range.
func (r *historyRead) leads() bool { return r.done.Before(r.settings.From) }

// commit counts a page. From a page before the range, it only remembers the calls.
func (r *historyRead) commit(ctx context.Context, page *collector.Page) error {
	if r.settings.Label != nil {
		r.settings.Label(r.feed.Source, page.Records)
	}
	now, from, to := r.settings.Now(), r.settings.From, r.feed.To
	observed, legs := r.settings.From, r.feed.Info.Rules.Legs
	if legs {
		from, to, observed = r.first, farFuture, now
	}
	if r.leads() {
		page.Invalid, page.Ignored = nil, nil
	}
	counted := make([]*cdr.Record, 0, len(page.Records))
	for _, record := range page.Records {
		// One that isn't final may still become so (counting.md 17).
		provisional := record.Provisional && now.Sub(record.Start) <= r.feed.Info.Lookback
		id := record.ID + record.Synthetic
		switch {
		case record.Start.Before(from) || !record.Start.Before(to):
			continue
		case !provisional:
			delete(r.unfinished, id) // of an earlier pass
			record.Provisional = false
		case !legs: // else it is an open leg
			r.unfinished[strings.Clone(id)] = true
			continue
		}
		counted = append(counted, record)
	}
	for _, task := range page.Enqueue {
		if task.Kind != work.Record { // a follow-up for a fetched record
			r.unsettled[strings.Clone(task.Key)] = true
		}
	}
	result, err := r.state.Commit(ctx, &counting.Page{
		Records: counted, Invalid: page.Invalid, Ignored: page.Ignored,
		ObservedAt: observed,
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrLocal, err)
	}
	r.read += result.New
	if r.leads() {
		return nil
	}
	for _, bad := range result.BadRows {
		r.note("%s: left out: %s", bad.At, bad.Problem)
	}
	r.summary.Invalid += result.Invalid
	for _, n := range result.Overflow {
		r.summary.Folded += n
	}
	if err := r.sorter.err; err != nil {
		return fmt.Errorf("%w: %w", ErrLocal, err)
	}
	r.progress()
	return nil
}

// missed notes a record that the provider names and doesn't have.
func (r *historyRead) missed(task work.Item, err error) {
	r.missing[task.Key] = true
	r.note("record %s: left out: %v", task.Key, err)
}

// waits notes once that a part of what is read waits.
func (r *historyRead) waits(part error) {
	if text := part.Error(); text != r.noted {
		r.noted = text
		r.note("%s", text)
	}
}

// ErrLocal is a failure of ours, not the provider's.
var ErrLocal = errors.New("count history")

// MayPass says whether an error of reading a span of time may pass by itself.
func MayPass(err error) bool {
	if errors.Is(err, ErrLocal) || errors.Is(err, context.Canceled) {
		return false
	}
	switch httpclient.KindOf(err) {
	case httpclient.KindUnauthorized, httpclient.KindForbidden, httpclient.KindHost, httpclient.KindRedirect:
		return false
	case httpclient.KindToken:
		return httpclient.IsRetryable(err)
	default:
		return true // also links that have expired, and ranges that are too long
	}
}

func (r *historyRead) note(format string, args ...any) {
	r.settings.Note(r.feed.Source + "/" + r.feed.Info.Name + ": " + fmt.Sprintf(format, args...))
}

func (r *historyRead) progress() {
	r.report(Progress{Read: max(0, r.done.Sub(r.settings.From)), Calls: r.counted})
}
