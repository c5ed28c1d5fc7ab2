package collector

import (
	"context"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// shortestPiece is how short a piece that fails may become.
	shortestPiece = 2 * plan.Overlap
	// spanRefusals is how often the shortest piece must fail before it is stepped over.
	spanRefusals = 3
	// maxUnreadable bounds the spans that are stepped over: with more, it is the provider that is at fault.
	maxUnreadable = 100
	// elsewhere is how far before a piece another is read, to see whether the provider serves that.
	elsewhere = time.Hour
)

// spanTask keeps the ids of a span that is stepped over in the ledger: its calls are still to be counted, once.
func spanTask(u *plan.Unreadable) Task {
	return Task{Kind: ledger.TaskSpan, Key: u.String(), Due: u.Due, Attempts: u.Tries, SetAside: true}
}

// blamesSpan says whether an error of a read may be of the span that was asked for. Limits and credentials never are.
func blamesSpan(err error) bool {
	switch httpclient.KindOf(err) {
	case httpclient.KindThrottled, httpclient.KindToken, httpclient.KindUnauthorized, httpclient.KindForbidden, httpclient.KindHost, httpclient.KindRedirect:
		return false
	default:
		return !isPanic(err)
	}
}

// blame notes that a piece failed. The shortest is stepped over when it has failed again and again, and another span could be read
// meanwhile: without that witness the provider is at fault (counting.md 30).
func (f *RangeFeed) blame(ctx context.Context, r *reading, err error) error {
	grain := f.settings.Info.Limits.Grain
	if r.doubt || !blamesSpan(err) || r.step.To.Sub(r.step.From) > max(shortestPiece, grain) || len(r.plan.Unread) >= maxUnreadable {
		return nil
	}
	from, to := plan.Outward(plan.Latest(r.step.From, r.task.Cursor), r.step.To)
	l := &f.levels.each[r.task.Level]
	if piece := (plan.Span{From: from, To: to}); l.suspect != piece {
		l.suspect, l.fault = piece, witness.Case{}
	}
	l.fault.Refuse(&f.endpoint)
	refusals, witnessed := l.fault.Refusals(), l.fault.Witnessed() > 0
	if !witnessed && refusals >= spanRefusals-1 {
		f.readElsewhere(ctx, r, time.Duration(refusals)*max(elsewhere, 4*grain))
	}
	if refusals < spanRefusals || !witnessed {
		return nil
	}
	next := f.plan.Clone()
	u := next.StepOver(from, to, f.settings.Clock.Now())
	if err := f.commitPlan(ctx, next, &Page{Enqueue: []Task{spanTask(&u)}}, ledger.Position{}); err != nil {
		return err
	}
	l.backoff, l.suspect, f.levels.all = backoff{}, plan.Span{}, backoff{}
	f.settings.Logger.Warn("a span of time can't be read, while others can: it is stepped over, and read again later", "span", u.String(), "error", err.Error())
	return nil
}

// readElsewhere reads a span some time before one that fails, for a witness. What it brings is committed, and moves nothing.
func (f *RangeFeed) readElsewhere(ctx context.Context, r *reading, before time.Duration) {
	from := plan.Latest(r.step.From.Add(-before), plan.Latest(r.view.Floor, r.view.Edge))
	if r.step.From.Sub(from) < 2*shortestPiece {
		return
	}
	if _, _, err := f.read(ctx, from, from.Add(shortestPiece)); err == nil {
		f.endpoint.Served()
	}
}

// reread reads a span again that is stepped over. That it still can't be read is no failure of the feed's.
func (f *RangeFeed) reread(ctx context.Context, r *reading, u *plan.Unreadable) error {
	_, _, err := f.read(ctx, u.From, u.To)
	switch {
	case err == nil:
		f.endpoint.Served()
		done := spanTask(u)
		r.plan.DropUnread(u.From)
		f.settings.Logger.Info("a span of time that couldn't be read was read", "span", done.Key)
		return f.commitPlan(ctx, r.plan, &Page{Done: []Task{done}}, ledger.Position{})
	case ctx.Err() != nil || notTheFeeds(err):
		return err
	}
	u.PutOff(f.settings.Clock.Now())
	f.plan = r.plan // stored with the next position
	return nil
}

// Unread implements Feed.
func (f *RangeFeed) Unread() (spans []string) {
	if f.plan == nil {
		return nil
	}
	for i := range f.plan.Unread {
		spans = append(spans, f.plan.Unread[i].String())
	}
	return spans
}
