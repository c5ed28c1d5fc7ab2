package collector

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

const (
	// shortestPiece is how short a piece that fails may become.
	shortestPiece = 2 * plan.Overlap
	// spanRefusals is how often a piece, or one that it was cut from, must fail before it is stepped over.
	spanRefusals = 3
	// otherSpanDistance is how far before a failing piece another span is read, to see whether the
	// provider can give that one.
	otherSpanDistance = time.Hour
)

// BlamesSpan says whether the requested span may be the cause of an error. It is never the cause of
// an error about limits, credentials or the ledger.
func BlamesSpan(err error) bool {
	switch httpclient.KindOf(err) {
	case httpclient.KindThrottled, httpclient.KindToken, httpclient.KindUnauthorized, httpclient.KindForbidden,
		httpclient.KindHost, httpclient.KindRedirect:
		return false
	default:
		return !isPanic(err) && !isLedgerError(err)
	}
}

// stepOver steps over a failed piece if it can't get shorter, it or the pieces that it was cut from
// have failed spanRefusals times, and another span can be read: without that witness the provider
// is at fault (counting.md 30).
func (f *ranges) stepOver(ctx context.Context, r *rangePoll, err error) error {
	piece := r.step.Span
	if r.beforeClock || !BlamesSpan(err) {
		return nil
	}
	refusals := f.levels.each[r.read.Level].refusals.Count()
	short := piece.Length() <= f.levels.shortest(r.read.Level, piece.From)
	serves := (short && refusals >= spanRefusals || refusals == spanRefusals-1) && f.readOtherSpan(ctx, r, refusals)
	if !serves || !short || refusals < spanRefusals {
		return nil
	}
	piece.From, piece.To = plan.ToWholeSeconds(plan.Latest(piece.From, r.read.Cursor), piece.To)
	put, done := plan.StepOver(f.settings.Ledger.State().Spans, piece, f.settings.Clock.Later(), "", err.Error())
	if _, err := f.commitPage(ctx, &Page{Done: done, Enqueue: []work.Item{put}}); err != nil {
		return err
	}
	f.levels.stepOver(r.read.Level, piece)
	f.settings.Logger.Warn("A span of time can't be read, while others can: it is stepped over, and read again later",
		"span", piece.String(), "err", err)
	return nil
}

// stepOverMissingRows steps over a span of which the provider gave fewer rows than its own total
// says. It needs no witness, because the provider has served rows. The watermark stands before the span.
func (f *ranges) stepOverMissingRows(r *rangePoll, fewer *FewerRows) {
	from, to := plan.ToWholeSeconds(plan.Latest(r.step.From, r.read.Cursor), r.step.To)
	put, done := plan.StepOver(r.spans, plan.Span{From: from, To: to}, f.settings.Clock.Later(),
		plan.MissingRows(fewer.Rows, fewer.Total), fewer.Error())
	r.page.Done, r.page.Enqueue = append(r.page.Done, done...), append(r.page.Enqueue, put)
	r.spans = append(slices.Clone(r.spans), put) // the watermark stands before the first of them
	slices.SortFunc(r.spans, func(a, b work.Item) int { return strings.Compare(a.Key, b.Key) })
	f.settings.Logger.Warn("The provider gave fewer rows of a span than its own total says: "+
		"the watermark stands before it, newer spans are read, and it is read again later",
		"span", plan.Span{From: from, To: to}.String(), "rows", fewer.Rows, "total", fewer.Total)
}

// readOtherSpan says whether another span can be read. It takes turns between the span that was read last
// and one from some time before the failed piece. If that isn't apart from the piece, it reads the newest
// span. It commits what it reads and moves no position.
func (f *ranges) readOtherSpan(ctx context.Context, r *rangePoll, refusals int) bool {
	other := f.readable
	if refusals%2 == 0 && refusals >= spanRefusals {
		other.From = plan.Latest(r.step.From.Add(-time.Duration(refusals)*max(otherSpanDistance,
			4*f.settings.Info.Limits.Grain)), plan.Latest(r.view.Floor, r.view.Edge))
		other.To = other.From.Add(shortestPiece)
	}
	if !f.isApart(other, r.step.Span) {
		other = plan.Span{From: r.view.Now.Add(-shortestPiece), To: r.view.Now}
	}
	if !f.isApart(other, r.step.Span) {
		return false
	}
	_, _, err := f.read(ctx, other.From, other.To)
	return err == nil || IsFewerRows(err)
}

// isApart says whether requests for a span ask for nothing that requests for a piece ask for. The exporter asks a
// provider that only knows days for whole days.
func (f *ranges) isApart(other, piece plan.Span) bool {
	grain := max(f.settings.Info.Limits.Grain, time.Second)
	begin, end := piece.From.Truncate(grain), piece.To.Add(grain-1).Truncate(grain)
	return !other.To.IsZero() && (!other.To.After(begin) || !other.From.Before(end))
}
