package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/work"
)

const (
	// shortestPiece is how short a piece that fails may become.
	shortestPiece = 2 * plan.Overlap
	// spanRefusals is how often a piece, or one that it was cut from, must fail before it is stepped over.
	spanRefusals = 3
	// otherSpanDistance is how far before a failing piece another span is read, to see whether the provider can give that one.
	otherSpanDistance = time.Hour
)

// spanTasks is a page whose tasks make the ledger keep the ids around the spans that are stepped over, since their calls are still to be counted
// once: it enqueues the spans that only the later plan has, and removes those that only the earlier one has.
func spanTasks(before, after []plan.Unreadable) *Page {
	return &Page{Enqueue: spanTasksWithout(after, before), Done: spanTasksWithout(before, after)}
}

func spanTasksWithout(spans, others []plan.Unreadable) (tasks []work.Item) {
	known := make(map[string]bool, len(others))
	for i := range others {
		known[others[i].String()] = true
	}
	for i := range spans {
		if u := &spans[i]; !known[u.String()] {
			tasks = append(tasks, work.Item{Kind: work.Span, Key: u.String(), Due: u.Due, Attempts: u.Tries, SetAside: true})
		}
	}
	return tasks
}

// blamesSpan says whether the span that was asked for may be the cause of an error. It never is the cause of errors of limits, credentials or the
// ledger.
func blamesSpan(err error) bool {
	switch httpclient.KindOf(err) {
	case httpclient.KindThrottled, httpclient.KindToken, httpclient.KindUnauthorized, httpclient.KindForbidden, httpclient.KindHost, httpclient.KindRedirect:
		return false
	default:
		return !isPanic(err) && !isLedgerError(err)
	}
}

// stepOver steps over a failed piece if it can't get shorter, it or the pieces that it was cut from have failed spanRefusals times, and another span
// can be read: without that witness the provider is at fault (counting.md 30).
func (f *RangeFeed) stepOver(ctx context.Context, r *rangePoll, err error) error {
	piece := r.step.Span
	if r.beforeClock || !blamesSpan(err) {
		return nil
	}
	refusals := f.levels.each[r.read.Level].refusals.Count()
	short := piece.Length() <= f.levels.shortest(r.read.Level, piece.From)
	serves := (short && refusals >= spanRefusals || refusals == spanRefusals-1) && f.readOtherSpan(ctx, r, refusals)
	if !serves || !short || refusals < spanRefusals {
		return nil
	}
	next := f.plan.Clone()
	piece.From, piece.To = plan.ToWholeSeconds(plan.Latest(piece.From, r.read.Cursor), piece.To)
	next.StepOver(piece.From, piece.To, f.settings.Clock.Later(), 0, 0)
	if err := f.commitPlan(ctx, next, spanTasks(f.plan.Unread, next.Unread), counting.Position{}); err != nil {
		return err
	}
	f.levels.stepOver(r.read.Level, piece)
	f.settings.Logger.Warn("a span of time can't be read, while others can: it is stepped over, and read again later", "span", piece.String(), "error", err.Error())
	return nil
}

// stepOverMissingRows steps over a span of which the provider gave fewer rows than its own total
// says: other than one that can't be read it needs no witness, since the provider has served rows,
// and it holds the watermark.
func (f *RangeFeed) stepOverMissingRows(r *rangePoll, fewer *FewerRows) {
	from, to := plan.ToWholeSeconds(plan.Latest(r.step.From, r.read.Cursor), r.step.To)
	r.plan.StepOver(from, to, f.settings.Clock.Later(), fewer.Rows, fewer.Total)
	f.settings.Logger.Warn("the provider gave fewer rows of a span than its own total says: "+
		"the watermark stands before it, newer spans are read, and it is read again later",
		"span", plan.Span{From: from, To: to}.String(), "rows", fewer.Rows, "total", fewer.Total)
}

// readOtherSpan says whether another span can be read: in turn the one that was read last, and one
// from some time before the failed piece, or in place of one that isn't apart from the piece the
// newest. It commits what it reads and moves no position.
func (f *RangeFeed) readOtherSpan(ctx context.Context, r *rangePoll, refusals int) bool {
	other := f.readable
	if refusals%2 == 0 && refusals >= spanRefusals {
		other.From = plan.Latest(r.step.From.Add(-time.Duration(refusals)*max(otherSpanDistance, 4*f.settings.Info.Limits.Grain)), plan.Latest(r.view.Floor, r.view.Edge))
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

// isApart says whether a span can be read without what the provider must be asked for to read a
// piece: whole days, where it knows no less.
func (f *RangeFeed) isApart(other, piece plan.Span) bool {
	grain := max(f.settings.Info.Limits.Grain, time.Second)
	begin, end := piece.From.Truncate(grain), piece.To.Add(grain-1).Truncate(grain)
	return !other.To.IsZero() && (!other.To.After(begin) || !other.From.Before(end))
}

// mayRereadUnreadable says whether the spans that are stepped over are read again now: not while other reads fail, nor before the first history is shown.
func (f *RangeFeed) mayRereadUnreadable(state counting.State) bool {
	return f.levels.all.failures == 0 && state.HistoryDone
}

// readUnreadable reads both halves of a span that is stepped over. If they still can't be read, that is no failure of the feed.
func (f *RangeFeed) readUnreadable(ctx context.Context, r *rangePoll, u plan.Unreadable) error {
	var left []plan.Unreadable
	parts := u.Halves(max(shortestPiece, f.settings.Info.Limits.Grain))
	for _, part := range parts {
		_, _, err := f.read(ctx, part.From, part.To)
		switch {
		case err == nil:
			f.settings.Logger.Info("a span of time that couldn't be read was read", "span", part.String())
		case ctx.Err() != nil || isLedgerError(err):
			return err
		default:
			keep := plan.Unreadable{Span: part, Rows: u.Rows, Total: u.Total}
			if fewer, is := errors.AsType[*FewerRows](err); is {
				keep.Rows, keep.Total = fewer.Rows, fewer.Total
			}
			left = append(left, keep)
		}
	}
	r.plan.KeepUnread(u, left, len(left) < len(parts), f.settings.Clock.Later())
	page := spanTasks(f.plan.Unread, r.plan.Unread)
	if len(page.Done) > 0 {
		return f.commitPlan(ctx, r.plan, page, counting.Position{})
	}
	f.plan = r.plan // stored with the next position
	return nil
}

// Unread implements Feed.
func (f *RangeFeed) Unread() (spans []string) {
	if f.plan == nil {
		return nil
	}
	for i := range f.plan.Unread {
		spans = append(spans, f.plan.Unread[i].Text())
	}
	return spans
}
