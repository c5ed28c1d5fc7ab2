package collector

import (
	"context"
	"errors"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// againPiece is how much of a span is read once more between two polls, so that new calls don't wait for a whole day.
const againPiece = 6 * time.Hour

// errNotOpen: the loop hasn't opened the feed's state yet.
var errNotOpen = errors.New("the feed isn't read yet")

// ReadAgain has a span of time read once more: an audit found records of it that aren't counted. Each record counts
// once however often it is read (counting.md 14). It is safe for concurrent use.
func (l *Loop) ReadAgain(ctx context.Context, from, to time.Time) error {
	if l.state().Origin.IsZero() {
		return errNotOpen
	}
	defer l.Wake()
	now := l.settings.Clock.Now()
	return l.owed.addSpan(ctx, from, l.settings.Info.Limits.ReadTo(to, now))
}

// owed reads the spans that are read again. A loop does so after its parts: a span that
// can't be read doesn't make the feed fail.
type owed struct{ *committer }

// addSpan adds a span that is read once more.
func (c *committer) addSpan(ctx context.Context, from, to time.Time) error {
	_, err := c.commitPage(ctx, &Page{Enqueue: []work.Item{plan.SpanItem(from, to, c.settings.Clock.Later())}})
	return err
}

// next is the span that is read again next, and how long from now that is; nil if there is none. None is before the
// first history is shown.
func (o *owed) next() (next *work.Item, wait time.Duration) {
	state, now := o.settings.Ledger.State(), o.settings.Clock.Later()
	wait = neverDue
	if !state.HistoryDone || o.reader == nil {
		return nil, wait
	}
	for i := range state.Spans {
		if due := plan.DueIn(&state.Spans[i], now); due < wait {
			next, wait = &state.Spans[i], due
		}
	}
	return next, wait
}

// read reads one due span again, and commits which part of it is still owed. If the span can't be
// read, the feed doesn't fail.
func (o *owed) read(ctx context.Context) error {
	item, wait := o.next()
	if item == nil || wait > 0 {
		return nil
	}
	if !plan.SpanOf(item).To.After(o.settings.Ledger.State().Floor) { // its calls would be too old to count
		_, err := o.commitPage(ctx, &Page{Done: []work.Item{*item}})
		return err
	}
	limits := o.settings.Info.Limits
	longest := max(againPiece, limits.Grain)
	if limits.MaxRange > 0 {
		longest = min(longest, limits.MaxRange-2*time.Second) // it is rounded outward
	}
	parts, rest := plan.Parts(item, max(shortestPiece, limits.Grain), longest)
	var left []work.Item
	for _, part := range parts {
		_, found, err := o.committer.read(ctx, part.From, part.To)
		switch {
		case err == nil:
			o.settings.Logger.Info("A span of time was read again", "span", part.String(), "found", found)
			continue
		case ctx.Err() != nil || isLedgerError(err):
			return err
		}
		failed := work.Item{Key: part.String(), Problem: err.Error(), Data: item.Data}
		if fewer, is := errors.AsType[*FewerRows](err); is && item.SetAside {
			failed.Data = plan.MissingRows(fewer.Rows, fewer.Total)
		}
		left = append(left, failed)
	}
	now := o.settings.Clock.Later()
	page := &Page{Done: []work.Item{*item}}
	switch {
	case rest == plan.Span{}:
		page.Enqueue = plan.PutOff(o.settings.Ledger.State().Spans, *item, left, len(left) < len(parts), now)
	case len(left) == 0:
		page.Enqueue = []work.Item{plan.SpanItem(rest.From, rest.To, now)}
	default:
		whole := *item
		whole.Problem = left[0].Problem
		page.Enqueue = plan.PutOff(nil, *item, []work.Item{whole}, false, now)
	}
	_, err := o.commitPage(ctx, page)
	return err
}

// showSpans shows how much time can't be read, or was lost.
func (c *committer) showSpans() {
	items := c.settings.Ledger.State().Spans
	setAside := plan.SetAside(items)
	lost := time.Duration(c.lost.Load())
	for _, span := range setAside {
		lost += span.Length()
	}
	c.settings.Metrics.SetSeconds(metrics.Unreadable, lost)
	c.settings.Metrics.Tasks("span", len(items)-len(setAside), len(setAside))
}
