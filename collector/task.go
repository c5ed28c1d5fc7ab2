package collector

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Task is what a feed still has to do; it waits in the ledger (counting.md 4). In a Page, a Due that isn't set is at once.
type Task = ledger.Task

// TaskRecord is the kind of work that reads a version of a record. It isn't taken on if that version, or a greater one, is known.
const TaskRecord = ledger.TaskRecord

// Fetcher reads what a feed's lists and notifications have named. It may be called from several goroutines at once.
type Fetcher interface {
	// Fetch does all that is to be done about one key: at least one piece of work, of
	// different kinds. The page is committed with the work done and holds, as its Enqueue,
	// what else is to be done then; nil is nothing. For a record that is provisional that
	// must be to read it again, since it goes no further.
	//
	// An error of any status is a refusal: it counts against the key only if another
	// was fetched since the refusal before, else all fetching backs off (counting.md 30).
	// Throttling and a refused credential never count. ErrStale is an answer, and counts.
	Fetch(ctx context.Context, tasks []Task) (*Page, error)
	// Parallel is how many may be fetched at once: at least one.
	Parallel() int
}

// The errors of a Fetcher that callers distinguish with errors.Is.
var (
	// ErrNotYet: the provider doesn't have it yet.
	ErrNotYet = errors.New("the provider doesn't have it yet")
	// ErrGone: the provider no longer has it, or never will.
	ErrGone = errors.New("the provider no longer has it")
	// ErrNoneFetched: nothing that was named can be fetched, so it isn't known whose fault
	// that is. It comes with the provider's error.
	ErrNoneFetched = errors.New("no record can be fetched")
	// ErrStale: the provider answered with an older version than is known.
	ErrStale = errors.New("the answer is an older version than is known")
)

// SubscriptionManager keeps the provider's notifications coming.
type SubscriptionManager interface {
	// Maintain does what is due and says when it wants to be asked again. Gap, if it isn't
	// zero, is since when notifications may have been missed: what started after it, less
	// a margin, is listed again. It counts with an error too.
	Maintain(ctx context.Context, now time.Time) (again time.Duration, gap time.Time, err error)
	// Urgent says that Maintain is to be called before its time, as soon as the feed is woken.
	Urgent() bool
}

// Webhook takes a provider's notifications, on a listener apart from the metrics port.
type Webhook struct {
	// Path is where the provider sends them.
	Path string
	// Handler answers.
	Handler func(enqueue Enqueue) http.Handler
}

// Enqueue makes work durable and says how much of it wasn't waiting already; nothing may be acknowledged before it
// returned without an error. It wakes the feed, also without work.
type Enqueue = func(ctx context.Context, work []Task) (queued int, err error)

// NotificationObserver takes the own metrics of notifications and their subscription. It is safe for concurrent use.
type NotificationObserver interface {
	// Notifications counts by what became of them: accepted, duplicate, forged, invalid.
	Notifications(result string, n int)
	// LastNotification is when one came that was accepted.
	LastNotification(at time.Time)
	// SubscriptionExpiry is when the subscription ends; zero: there is none.
	SubscriptionExpiry(at time.Time)
}
