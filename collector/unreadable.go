package collector

import (
	"context"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// spanRefusals is how often the shortest piece must fail before it is stepped over.
	spanRefusals = 3
	// maxUnreadable bounds the spans that are stepped over: with more, it is the provider that is at fault.
	maxUnreadable = 100
	// firstRereading and lastRereading bound the wait until such a span is read again, which doubles.
	firstRereading = 5 * time.Second
	lastRereading  = 6 * time.Hour
	// elsewhere is how far before a piece another is read, to see whether the provider serves that.
	elsewhere = time.Hour
)

// unreadable is a span of time that the provider can't give, while it gives others (counting.md 31). Reads go around it, and it is read
// by itself, ever more seldom, until it can be read or the provider no longer keeps it.
type unreadable struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Due   time.Time `json:"due"`
	Tries int       `json:"tries"`
}

// task is what keeps the ids of the span in the ledger: its calls are still to be counted, once.
func (u *unreadable) task() Task {
	return Task{Kind: ledger.TaskSpan, Key: u.name(), Due: u.Due, Attempts: u.Tries, SetAside: true}
}

func (u *unreadable) name() string {
	return u.From.UTC().Format(time.RFC3339) + "/" + u.To.UTC().Format(time.RFC3339)
}

// rereading is the wait after so many tries.
func rereading(tries int) time.Duration {
	wait := firstRereading
	for n := 1; n < tries && wait < lastRereading; n++ {
		wait *= 2
	}
	return min(wait, lastRereading)
}

// passUnread takes a task's cursor over the spans that can't be read.
func (p *plan) passUnread(t *task) {
	for _, u := range p.unread {
		if !u.From.After(t.Cursor) && u.To.After(t.Cursor) {
			t.Cursor = earliest(u.To, t.To)
		}
	}
}

// aroundUnread cuts a step of a task whose cursor is in none of the spans that can't be read, so that it has nothing of them. The step may
// be empty then.
func (p *plan) aroundUnread(t *task, s step) step {
	for _, u := range p.unread {
		switch {
		case !u.To.After(s.from) || !u.From.Before(s.to):
		case u.From.Before(t.Cursor) || !u.From.After(s.from):
			s.from = earliest(u.To, t.To)
		default:
			s.to = u.From
		}
	}
	s.to = latest(s.to, s.from)
	return s
}

// unreadFor is how much time is stepped over.
func (p *plan) unreadFor() (sum time.Duration) {
	for _, u := range p.unread {
		sum += u.To.Sub(u.From)
	}
	return sum
}

// stepOver leaves a span out from now on.
func (p *plan) stepOver(from, to, now time.Time) unreadable {
	u := unreadable{From: from, To: to, Due: now.Add(firstRereading), Tries: 1}
	p.unread = append(slices.Clone(p.unread), u)
	slices.SortFunc(p.unread, func(a, b unreadable) int { return a.From.Compare(b.From) })
	return u
}

// dropUnread forgets a span that could be read.
func (p *plan) dropUnread(u unreadable) {
	p.unread = slices.DeleteFunc(slices.Clone(p.unread), func(o unreadable) bool { return o.From.Equal(u.From) && o.To.Equal(u.To) })
}

// expireUnread gives up the spans that the provider no longer keeps, or whose calls would be too old to count.
func (p *plan) expireUnread(v view) {
	p.unread = slices.DeleteFunc(slices.Clone(p.unread), func(u unreadable) bool {
		gone := !u.To.After(latest(v.edge, v.floor))
		if gone {
			p.unreadable += u.To.Sub(u.From)
		}
		return gone
	})
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
	from, to := outward(latest(r.step.from, r.task.Cursor), r.step.to)
	if r.doubt || r.again != nil || !blamesSpan(err) || r.step.to.Sub(r.step.from) > max(2*overlap, f.settings.Reader.Limits().Grain) || len(r.plan.unread) >= maxUnreadable {
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
	from := latest(r.step.from.Add(-apart), latest(r.view.floor, r.view.edge))
	if r.step.from.Sub(from) < 4*overlap {
		return
	}
	probe := &reading{feed: f, sink: r.sink, state: r.state, view: r.view, doubt: true}
	begin, end := outward(from, from.Add(2*overlap))
	if probe.read(ctx, begin, end) == nil {
		f.endpoint.Served()
	}
}

// commitStepOver writes down that a span is stepped over, with the task that keeps its ids.
func (f *RangeFeed) commitStepOver(ctx context.Context, r *reading, from, to time.Time, cause error) error {
	next := f.plan.clone()
	u := next.stepOver(from, to, f.settings.Clock.Now())
	data, err := next.encode()
	if err != nil {
		return err
	}
	page := &ledger.Page{Position: &ledger.Position{Plan: data}, Enqueue: []Task{u.task()}, ObservedAt: r.sink.Now()}
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

// dueUnread is the span that is to be read again now, nil if there is none.
func (f *RangeFeed) dueUnread(now time.Time) *unreadable {
	for i := range f.plan.unread {
		if u := &f.plan.unread[i]; !u.Due.After(now) && f.attempts.streak == 0 {
			return u
		}
	}
	return nil
}

// rereadLater notes that a span still can't be read. It is no failure of the feed's.
func (f *RangeFeed) rereadLater(u *unreadable) {
	next := f.plan.clone()
	next.unread = slices.Clone(next.unread)
	for i := range next.unread {
		if o := &next.unread[i]; o.From.Equal(u.From) && o.To.Equal(u.To) {
			o.Tries++
			o.Due = f.settings.Clock.Now().Add(rereading(o.Tries))
		}
	}
	f.plan = next // written down with the next position
}

// concludeUnread commits that a span could be read.
func (r *reading) concludeUnread(ctx context.Context) error {
	r.next = r.plan.clone()
	r.next.dropUnread(*r.again)
	data, err := r.next.encode()
	if err != nil {
		return err
	}
	page := &ledger.Page{Position: &ledger.Position{Plan: data}, Done: []Task{r.again.task()}, ObservedAt: r.sink.Now()}
	if _, err := r.sink.Commit(ctx, page); err != nil {
		return err
	}
	r.moved = page.Position
	r.feed.settings.Logger.Info("a span of time that couldn't be read was read", "span", r.again.name())
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
		f.rereadLater(r.again)
	}
	return nil
}
