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

// suspectSpan is the shortest piece of a level that failed, and what speaks against it.
type suspectSpan struct {
	from, to time.Time
	fault    witness.Case
}

// blame notes that a piece failed. The shortest is stepped over when it has failed again and again, and another span could be read
// meanwhile: without that witness the provider is at fault (counting.md 30).
func (f *RangeFeed) blame(ctx context.Context, r *reading, err error) error {
	from, to := plan.Outward(plan.Latest(r.step.From, r.task.Cursor), r.step.To)
	if r.doubt || r.again != nil || !blamesSpan(err) || r.step.To.Sub(r.step.From) > max(2*plan.Overlap, f.settings.Reader.Limits().Grain) || len(r.plan.Unread) >= maxUnreadable {
		return nil
	}
	level := &f.attempts.levels[r.task.Level]
	if c := &level.suspect; !c.from.Equal(from) || !c.to.Equal(to) {
		*c = suspectSpan{from: from, to: to}
	}
	c := &level.suspect
	c.fault.Refuse(&f.endpoint)
	if c.fault.Witnessed() == 0 && c.fault.Refusals() >= spanRefusals-1 {
		f.readElsewhere(ctx, r, c.fault.Refusals())
	}
	if c.fault.Refusals() < spanRefusals || c.fault.Witnessed() == 0 {
		return nil
	}
	*c = suspectSpan{}
	return f.commitStepOver(ctx, r, from, to, err)
}

// readElsewhere reads a span some time before one that fails, another with each try, for a witness. What it brings is committed, and moves
// nothing.
func (f *RangeFeed) readElsewhere(ctx context.Context, r *reading, try int) {
	apart := time.Duration(try) * max(elsewhere, 4*f.settings.Reader.Limits().Grain)
	from := plan.Latest(r.step.From.Add(-apart), plan.Latest(r.view.Floor, r.view.Edge))
	if r.step.From.Sub(from) < 4*plan.Overlap {
		return
	}
	probe := &reading{feed: f, sink: r.sink, state: r.state, view: r.view, doubt: true}
	begin, end := plan.Outward(from, from.Add(2*plan.Overlap))
	if probe.read(ctx, begin, end) == nil {
		f.endpoint.Served()
	}
}

// commitStepOver writes down that a span is stepped over, with the task that keeps its ids.
func (f *RangeFeed) commitStepOver(ctx context.Context, r *reading, from, to time.Time, cause error) error {
	next := f.plan.Clone()
	u := next.StepOver(from, to, f.settings.Clock.Now())
	data, err := next.Encode()
	if err != nil {
		return err
	}
	page := &ledger.Page{Position: &ledger.Position{Plan: data}, Enqueue: []Task{spanTask(&u)}, ObservedAt: r.sink.Now()}
	if _, err := r.sink.Commit(ctx, page); err != nil {
		return err
	}
	f.plan, f.stored = next, data
	f.attempts.stepOver(r.task.Level)
	f.settings.Logger.Warn("a span of time can't be read, while others can: it is stepped over, and read again later",
		"from", from.UTC().Format(time.RFC3339), "to", to.UTC().Format(time.RFC3339), "error", cause.Error())
	f.showLost()
	return nil
}

// concludeUnread commits that a span could be read.
func (r *reading) concludeUnread(ctx context.Context) error {
	r.next = r.plan.Clone()
	r.next.DropUnread(*r.again)
	data, err := r.next.Encode()
	if err != nil {
		return err
	}
	page := &ledger.Page{Position: &ledger.Position{Plan: data}, Done: []Task{spanTask(r.again)}, ObservedAt: r.sink.Now()}
	if _, err := r.sink.Commit(ctx, page); err != nil {
		return err
	}
	r.moved = page.Position
	r.feed.settings.Logger.Info("a span of time that couldn't be read was read", "span", r.again.String())
	return nil
}

// Unread are the spans that are stepped over. It may be called at any time.
func (f *RangeFeed) Unread() []string {
	if shown := f.unread.Load(); shown != nil {
		return *shown
	}
	return nil
}

// reread reads a span again that is stepped over.
func (f *RangeFeed) reread(ctx context.Context, r *reading) error {
	err := r.read(ctx, r.again.From, r.again.To)
	if err == nil || r.concluded {
		err = r.concludeUnread(ctx)
	}
	switch {
	case err == nil:
		f.endpoint.Served()
		f.plan, f.stored = r.next, r.moved.Plan
		f.showLost()
	case ctx.Err() != nil || notTheFeeds(err):
		return err
	default:
		next := f.plan.Clone()
		next.PutOff(*r.again, f.settings.Clock.Now())
		f.plan = next // stored with the next position; it is no failure of the feed's
	}
	return nil
}
