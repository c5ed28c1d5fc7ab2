package collector

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

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
	// Ledger is the feed's handle; nil for Info.ActiveCalls. If it is a Recognizer, a RowReader
	// leaves out rows that it knows. Queue is what waits in it, for Info.Fetcher.
	Ledger Ledger
	Queue  TaskQueue
	// Open opens the Ledger unless it is open, before each poll; nil: it is open.
	Open func(ctx context.Context) error
	// Paused returns the reason if the ledger would refuse pages with records now, so that the loop
	// requests none; nil: never.
	Paused func() error
	// Clock is the source's clock; nil: the local one.
	Clock *Clock
	// Metrics takes the feed's self metrics; nil: nobody sees them.
	Metrics *metrics.Feed
	// Logger gets failures, rows that were set aside, values that are new to the mapping and what
	// can't be read; nil: nowhere.
	Logger *slog.Logger
	// Advise is Source.Advise; nil: an error's text stands for itself.
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

// Loop polls one feed for as long as it runs:
//
//	start ─ jitter ─▶ poll ─▶ wait ─▶ poll …
//	                   │ panic, error: shown, logged, counted; the wait backs off
//	                   └ disk or outbox full: nothing was lost; tried again
//
// Its methods are safe for concurrent use.
type Loop struct {
	settings FeedSettings
	feed     Feed // nil: ActiveCalls are polled
	woken    chan struct{}
	post     func(ctx context.Context, page *Page) error // nil: nothing is posted to the feed

	start   sync.Once
	ctx     context.Context // of the goroutine, ended by cancel
	cancel  context.CancelFunc
	running sync.WaitGroup

	failures    int                    // polls in a row; only the goroutine uses it
	health      atomic.Pointer[health] // only the goroutine replaces it
	offsetShown atomic.Bool
}

// NewLoop makes a loop; Start starts it.
func NewLoop(settings FeedSettings) *Loop {
	settings = settings.withDefaults()
	settings.Logger = settings.Logger.With(SourceKey, settings.Source, "feed", settings.Info.Name)
	var feed Feed
	var post func(ctx context.Context, page *Page) error
	switch info := settings.Info; {
	case info.ActiveCalls != nil:
		return newLoop(settings, nil)
	case info.Stream != nil, info.Posted != nil:
		stream := newStreamFeed(settings)
		feed, post = stream, stream.commitArrived
	case info.Fetcher != nil:
		feed = NewTaskFeed(settings)
	default:
		feed = newRangeFeed(settings)
	}
	l := newLoop(settings, feed)
	l.post = post
	return l
}

// newLoop makes a loop of settings withDefaults.
func newLoop(settings FeedSettings, feed Feed) *Loop {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Loop{settings: settings, feed: feed, ctx: ctx, cancel: cancel, woken: make(chan struct{}, 1)}
	l.health.Store(new(health))
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

// Commit commits a page of a record that was posted to a feed with Posted, also before Start,
// during a poll and after Stop. After ErrReadElsewhere the record must be enqueued: it comes behind
// others that wait.
func (l *Loop) Commit(ctx context.Context, page *Page) error { return l.post(ctx, page) }

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

// Poll polls once, shows and logs how that ended, and returns the wait until the next poll. It is for a test that
// doesn't Start the loop.
func (l *Loop) Poll(ctx context.Context) (wait time.Duration, err error) {
	began := l.settings.Clock.Elapsed()
	l.update(func(h *health) { h.status.NextRead = time.Time{} })
	if err = l.poll(ctx); ctx.Err() != nil {
		return 0, err
	}
	return l.settle(ctx, err, l.settings.Clock.Elapsed()-began), err
}

// backsOff says whether the loop itself waits after an error, since the feed doesn't.
func (l *Loop) backsOff(err error) bool {
	return err != nil && (l.feed == nil || isLedgerError(err) || isPanic(err))
}

// sleep waits, or is woken, and says whether the loop goes on.
func sleep(ctx context.Context, d time.Duration, woken <-chan struct{}) bool {
	select {
	case <-ctx.Done():
	case <-woken:
	case <-time.After(max(d, shortestWait)):
	}
	return ctx.Err() == nil
}

func (l *Loop) poll(ctx context.Context) (err error) {
	defer recoverTo(&err)
	if l.settings.Open != nil {
		if err := l.settings.Open(ctx); err != nil {
			return asLedgerError(err)
		}
	}
	if l.feed == nil {
		return l.countActive(ctx)
	}
	if err = l.feed.Poll(ctx); !l.readsOwed(err) {
		return err
	}
	return cmp.Or(l.feed.base().readOwed(ctx), err)
}

// readsOwed says whether spans are read again after a poll: it was answered, or there was nothing to ask and nothing is
// wrong.
func (l *Loop) readsOwed(err error) bool {
	return err == nil || errors.Is(err, errNothingDue) && l.feed.Trouble() == nil
}

// wait is the time until the next poll, after one that took this long.
func (l *Loop) wait(ctx context.Context, err error, took time.Duration) time.Duration {
	wait := l.settings.Info.PollInterval() - took
	switch {
	case l.backsOff(err):
		wait = max(work.Poll.After(l.failures, l.settings.Random()), httpclient.RetryAfter(err))
	case l.feed != nil:
		wait = l.feed.Wait(ctx)
		if l.readsOwed(err) {
			_, owed := l.feed.base().owedSpan()
			wait = min(wait, owed)
		}
	}
	return max(wait-time.Duration(waitJitter*l.settings.Random()*float64(wait)), shortestWait)
}

func (l *Loop) update(change func(h *health)) {
	h := *l.health.Load()
	change(&h)
	l.health.Store(&h)
}

// ActiveCalls counts the calls in progress by direction; smallest says that one page is enough. It
// is polled like a Feed, and nothing of it is committed.
type ActiveCalls func(ctx context.Context, smallest bool) (map[cdr.Direction]int, error)

// Probe reads the smallest page and says how many calls it holds.
func (read ActiveCalls) Probe(ctx context.Context) (rows int, err error) {
	count, err := read(ctx, true)
	for _, n := range count {
		rows += n
	}
	return rows, err
}

// countActive takes a new snapshot of the calls in progress. After an error the former one stays,
// until several reads have failed. Inbound and outbound calls are always shown, the others when
// there are any.
func (l *Loop) countActive(ctx context.Context) error {
	read, err := l.settings.Info.ActiveCalls(ctx, false)
	if err != nil {
		return err
	}
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	maps.Copy(active, read)
	l.update(func(h *health) { h.active = active })
	return nil
}

// ActiveCalls are the calls in progress: nil before the first read, and after three failed reads in
// a row. The caller doesn't change it.
func (l *Loop) ActiveCalls() map[cdr.Direction]int { return l.health.Load().active }
