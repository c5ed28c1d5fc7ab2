package collector

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// FeedSettings are what NewLoop needs.
type FeedSettings struct {
	// Source is the source's name.
	Source string
	// Info says how the feed is read.
	Info *FeedInfo
	// Ledger is the feed's handle; nil for Info.ActiveCalls.
	Ledger Ledger
	// Label gives records the operator's labels before they are committed; nil: there are none.
	Label func(records []*cdr.Record)
	// Open opens the Ledger unless it is open, before each poll; nil: it is open.
	Open func(ctx context.Context) error
	// Paused returns the reason if the ledger would refuse pages with records now, so that the loop
	// requests none; nil: never.
	Paused func() error
	// Clock is the source's clock; nil: the local one.
	Clock *Clock
	// Metrics takes the feed's self metrics; nil: nobody sees them.
	Metrics *metrics.FeedMetrics
	// Logger gets failures, rows that were set aside, values that the mapping doesn't know, and spans and
	// records that can't be read; nil: none.
	Logger *slog.Logger
	// Advise is Source.Advise; nil: the error's own text is shown.
	Advise func(err error) (what, todo string)
	// ThrottledUntil is Source.ThrottledUntil; nil: never.
	ThrottledUntil func() time.Time
	// Random is from 0 up to 1, for jitter; nil: math/rand/v2.
	Random func() float64
}

func (s FeedSettings) withDefaults() FeedSettings {
	s.Clock = cmp.Or(s.Clock, NewClock(time.Now, nil))
	s.Metrics = cmp.Or(s.Metrics, metrics.NewSelfMetrics(time.Now, false).Feed("", ""))
	s.Logger = cmp.Or(s.Logger, slog.New(slog.DiscardHandler))
	if s.Paused == nil {
		s.Paused = func() error { return nil }
	}
	if s.Label == nil {
		s.Label = func([]*cdr.Record) {}
	}
	if s.Random == nil {
		s.Random = rand.Float64
	}
	return s
}

// Ledger is a feed's handle on the ledger, safe for concurrent use; *ledger.Feed is one.
type Ledger interface {
	// State is what was last committed. After ErrFenced it is the other writer's.
	State() counting.State
	// Commit writes a page as a whole or not at all.
	Commit(ctx context.Context, page *counting.Page) (counting.Result, error)
	// Due returns the tasks that are due and weren't set aside, the longest due first.
	Due(ctx context.Context, now time.Time, limit int) ([]work.Item, error)
	// SetAside returns the tasks that were set aside and are due to be tried again.
	SetAside(ctx context.Context, now time.Time, limit int) ([]work.Item, error)
	// Waiting returns how many tasks wait, due or not, and how many were set aside.
	Waiting(ctx context.Context) (waiting, setAside int, err error)
	// RowCache has the rows that FeedInfo.SkipUnchanged leaves out.
	RowCache
}

// SourceKey is the log attribute that names a source: `source` is slog's own, for a line of code.
const SourceKey = "cdr_source"

const (
	// longestStart bounds the jitter of the first poll.
	longestStart = time.Second
	// waitJitter is how much of a wait is left out at most, so that feeds which began together
	// drift apart. It adds up, and the levels of the read plan share polls only while 2^m intervals
	// come out within half an interval.
	waitJitter = 0.001
	// shortestWait is between any two polls.
	shortestWait = time.Millisecond
)

// Loop reads one feed for as long as it runs:
//
//	start ─ jitter ─▶ poll ─▶ wait ─▶ poll …
//	                   │ each part that is due, one after the other
//	                   │ panic, error: shown, logged, counted; the part, or the loop, backs off
//	                   └ disk or outbox full: nothing was lost; tried again
//
// Its methods are safe for concurrent use.
type Loop struct {
	settings FeedSettings
	parts    []part
	owed     *owed     // nil: the feed has no ledger
	posted   *posted   // nil: nothing is posted to the feed
	active   *snapshot // nil: the feed has records
	woken    chan struct{}

	start   sync.Once
	ctx     context.Context // of the goroutine, ended by cancel
	cancel  context.CancelFunc
	running sync.WaitGroup

	// Only the goroutine uses these two.
	failures int           // polls in a row
	leftOut  time.Duration // of the wait before this poll, as jitter: what is due that soon is due

	health      atomic.Pointer[health] // only the goroutine replaces it
	offsetShown atomic.Bool
}

// part is one thing that a loop does for its feed. Only the loop's goroutine uses it.
type part interface {
	// wait is how long from now until there is something to do; it includes the backoff after failures.
	wait(ctx context.Context) time.Duration
	// do does what is due. What was committed before an error stays. errNothingDue: there was nothing to do.
	do(ctx context.Context) error
	// trouble is the present failure; nil if all is well.
	trouble() error
}

// errNothingDue is a poll that had nothing to do: neither a success nor a failure.
var errNothingDue = errors.New("nothing is due")

// NewLoop makes a loop; Start starts it.
func NewLoop(settings FeedSettings) *Loop {
	settings = settings.withDefaults()
	settings.Logger = settings.Logger.With(SourceKey, settings.Source, "feed", settings.Info.Name)
	ctx, cancel := context.WithCancel(context.Background())
	l := &Loop{settings: settings, ctx: ctx, cancel: cancel, woken: make(chan struct{}, 1)}
	l.health.Store(new(health))
	info := settings.Info
	if info.ActiveCalls != nil {
		l.active = &snapshot{settings: settings}
		l.parts = []part{l.active}
		return l
	}
	// An error of the ledger ends a poll. So the subscription, which would expire meanwhile, comes first, and fetching,
	// which a full outbox stops, last.
	c := newCommitter(settings)
	l.owed = &owed{c}
	if info.Subscription != nil {
		l.parts = append(l.parts, &subscription{committer: c})
	}
	switch {
	case info.Stream != nil, info.Posted != nil:
		if info.Posted != nil {
			l.posted = &posted{committer: c, turn: semaphore.NewWeighted(1)}
			l.parts = append(l.parts, l.posted)
		}
		l.parts = append(l.parts, &stream{committer: c})
	default:
		listed := newRanges(c)
		l.parts = append(l.parts, listed)
		if info.Fetcher != nil {
			listed.named = newRecords(c, listed)
			l.parts = append(l.parts, listed.named)
		}
	}
	return l
}

// Start starts the goroutine, once; after Stop it does nothing.
func (l *Loop) Start() { l.start.Do(func() { l.running.Go(func() { l.run(l.ctx) }) }) }

// Wake has the feed polled at once, unless the loop backs off: there may be something to do.
func (l *Loop) Wake() {
	select {
	case l.woken <- struct{}{}:
	default: // it will be woken already
	}
}

// CommitPosted commits a page of a record that was posted to a feed with Posted, also before Start,
// during a poll and after Stop. After ErrReadElsewhere the record must be enqueued: it comes behind
// others that wait.
func (l *Loop) CommitPosted(ctx context.Context, page *Page) error {
	return l.posted.commitArrived(ctx, page)
}

// Stop ends the loop and waits for it. A page in hand is committed. It may be called twice, and before Start.
func (l *Loop) Stop() {
	l.start.Do(func() {})
	l.cancel()
	l.running.Wait()
}

func (l *Loop) run(ctx context.Context) {
	l.Refresh()
	wait, woken := time.Duration(l.settings.Random()*float64(min(l.settings.Info.PollInterval(), longestStart))),
		l.woken
	for sleep(ctx, wait, woken) {
		var err error
		wait, err = l.Poll(ctx)
		if woken = l.woken; l.backsOff(err) {
			woken = nil // a notification makes no room on the disk
		}
	}
}

// Poll does what is due, shows and logs how that ended, and returns the wait until the next poll. It is for a test that
// doesn't Start the loop.
func (l *Loop) Poll(ctx context.Context) (wait time.Duration, err error) {
	l.update(func(h *health) { h.status.NextRead = time.Time{} })
	if err = l.poll(ctx); ctx.Err() != nil {
		return 0, err
	}
	return l.handlePollResult(ctx, err), err
}

// backsOff says whether the loop itself waits after an error, whatever is due.
func (l *Loop) backsOff(err error) bool { return isLedgerError(err) || isPanic(err) }

// sleep waits, or is woken, and says whether the loop goes on.
func sleep(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	select {
	case <-ctx.Done():
	case <-woken:
	case <-time.After(max(d, shortestWait)):
	}
	return ctx.Err() == nil
}

// poll opens the feed's state and does the parts that are due. It returns the first failure, or the last panic.
func (l *Loop) poll(ctx context.Context) error {
	if l.settings.Open != nil {
		if err := catchPanic(ctx, l.settings.Open); err != nil {
			return asLedgerError(err)
		}
	}
	result := errNothingDue
	for _, p := range l.parts {
		if p.wait(ctx) > l.leftOut {
			continue
		}
		err := catchPanic(ctx, p.do)
		if ctx.Err() != nil || isLedgerError(err) {
			return err
		}
		// A panic counts before other failures: a part that panics doesn't back off by itself.
		if errors.Is(result, errNothingDue) || isPanic(err) || result == nil && !errors.Is(err, errNothingDue) {
			result = err
		}
	}
	if l.readsOwed(result) {
		result = cmp.Or(catchPanic(ctx, l.owed.read), result)
	}
	return result
}

// readsOwed says whether spans are read again after a poll: it was answered, or there was nothing to ask and nothing is
// wrong.
func (l *Loop) readsOwed(err error) bool {
	return l.owed != nil && (err == nil || errors.Is(err, errNothingDue) && l.trouble() == nil)
}

// trouble is the present failure of a part of the feed, nil if all is well.
func (l *Loop) trouble() error {
	for _, p := range slices.Backward(l.parts) { // an outage shows in what reads, and only then in the subscription
		if err := p.trouble(); err != nil {
			return err
		}
	}
	return nil
}

// wait is the time until the next poll.
func (l *Loop) wait(ctx context.Context, err error) time.Duration {
	wait := neverDue
	if l.backsOff(err) {
		wait = max(work.Poll.After(l.failures, l.settings.Random()), httpclient.RetryAfter(err))
	} else {
		for _, p := range l.parts {
			wait = max(0, min(wait, p.wait(ctx)))
		}
		if l.readsOwed(err) {
			_, owed := l.owed.next()
			wait = min(wait, owed)
		}
	}
	l.leftOut = time.Duration(waitJitter * l.settings.Random() * float64(wait))
	return max(wait-l.leftOut, shortestWait)
}

func (l *Loop) update(change func(h *health)) {
	h := *l.health.Load()
	change(&h)
	l.health.Store(&h)
}
