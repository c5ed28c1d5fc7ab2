package collector

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// Fetcher reads the records that a feed's lists and notifications named. It is safe for concurrent use.
type Fetcher interface {
	// Fetch does all tasks of one key: at least one, each of a different kind. The page is
	// committed together with their removal; its Enqueue has follow-up tasks. A nil page
	// is an empty one. For a provisional record Enqueue must have a task that reads it again,
	// because the record itself isn't committed.
	//
	// An error of any status is a refusal. It counts against the key only if another key
	// was fetched since its last refusal; otherwise all fetching backs off (counting.md 30).
	// Throttling and a refused credential never count. ErrStale is an answer, and counts.
	Fetch(ctx context.Context, tasks []work.Item) (*Page, error)
	// Parallel is the number of keys that may be fetched at the same time, at least one.
	Parallel() int
}

// The errors of a Fetcher that callers distinguish with errors.Is.
var (
	// ErrNotYet: the provider doesn't have it yet.
	ErrNotYet = errors.New("the provider doesn't have it yet")
	// ErrGone: the provider no longer has it, or never will.
	ErrGone = errors.New("the provider no longer has it")
	// ErrNoneFetched: no task can be fetched, so either the records or the provider may be at fault. It
	// comes with the provider's error.
	ErrNoneFetched = errors.New("no record can be fetched")
	// ErrTooLarge: the record exceeds the limits of size. It is set aside at once.
	ErrTooLarge = errors.New("the record is too large")
	// ErrStale: the provider answered with an older version than the known one.
	ErrStale = errors.New("the answer is an older version than is known")
)

// SubscriptionManager keeps the provider's notifications coming.
type SubscriptionManager interface {
	// Maintain does what is due and returns the wait until its next call. If gap isn't zero,
	// notifications may have been missed since then: calls that started after gap, less a
	// margin, are listed again. Gap is valid even with an error.
	Maintain(ctx context.Context, now time.Time) (nextIn time.Duration, gap time.Time, err error)
	// Urgent says that Maintain must be called at once, as soon as the feed is woken.
	Urgent() bool
}

// Webhook takes a provider's notifications, or records, on a listener that is separate from the metrics port.
type Webhook struct {
	// Path is where the provider sends them.
	Path string
	// Handler answers.
	Handler func(inbox Inbox) http.Handler
	// NeedsTLS refuses a listener that takes plain HTTP from other machines.
	NeedsTLS bool
	// URL is the public address. Try sends it the provider's first request, from this machine; nil:
	// there is nothing to try.
	URL string
	Try func(ctx context.Context) error
}

// Inbox stores what a webhook receives. The webhook acknowledges nothing before one of these
// functions has returned without an error.
type Inbox struct {
	Enqueue Enqueue
	// Commit commits a page of the feed. ErrReadElsewhere: enqueue tasks instead, which are counted
	// in the order in which they came.
	Commit func(ctx context.Context, page *Page) error
}

// ErrReadElsewhere is the error of Inbox.Commit if this process doesn't read the feed, or must count others first.
var ErrReadElsewhere = errors.New("the feed isn't read by this process, or others come first")

// Enqueue makes tasks durable and returns how many of them weren't waiting already. Nothing may be
// acknowledged before it has returned without an error. It wakes the feed, even without tasks.
type Enqueue = func(ctx context.Context, tasks []work.Item) (queued int, err error)

// NotificationObserver takes the metrics of notifications and of their subscription. It is safe for concurrent use.
type NotificationObserver interface {
	// Notifications counts by result: accepted, duplicate, forged, invalid, refused.
	Notifications(result string, n int)
	// LastNotification is when the last accepted one came.
	LastNotification(at time.Time)
	// SubscriptionExpiry is when the subscription ends; zero: there is none.
	SubscriptionExpiry(at time.Time)
}
