// Package outbox holds the log records and spans of a ledger until they were sent. Each signal has its own queue, so
// that a refusal of one doesn't block the other. A queue is the order of the batches; the batches themselves lie in the
// ledger's table `outbox`, and a commit writes them together with what it counts.
package outbox

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// Signal is what the records of a batch are, as the table has it.
type Signal int64

// The signals, and how many there are.
const (
	Logs Signal = iota
	Spans
	Signals
)

// Batch is an undelivered batch of log records, or of spans.
type Batch struct {
	ID           int64
	Source, Feed string
	// Records is how many log records or spans Data holds.
	Records int
	// Data is what the ledger's encoder appended.
	Data []byte
}

// Ledger is where the batches of a queue lie.
type Ledger interface {
	// ReadSession reads what was committed.
	ReadSession(ctx context.Context) (*engine.Session, error)
	// CommitOutbox commits a change of the table, and then that of memory.
	CommitOutbox(ctx context.Context, change func(s *engine.Session) error, apply func()) error
	// Senders are the owners whose feeds this process sends for.
	Senders() [2]string
}

// Queue is a queue of log records, or of spans. What memory knows of it changes only after a commit. It is safe for
// concurrent use.
type Queue struct {
	ledger  Ledger
	mu      sync.Mutex
	records int64         // guarded by mu
	pending []head        // guarded by mu: oldest first
	lastID  int64         // guarded by mu: of a head; they are this process's own
	came    chan struct{} // has one element when something came, or the ledger was closed
	limit   atomic.Int64  // otlp.outbox_limit; 0: there is none
	pauses  atomic.Bool   // reading waits while the queue is full
}

// head is a batch without its data.
type head struct {
	id, records int64
	signal      Signal
	created     time.Time
	key
}

// key is the key of a batch in the table: the feed, its seq of the commit that made the batch,
// and the number within that.
type key struct{ feed, seq, part int64 }

// Open makes the queue empty.
func (q *Queue) Open(l Ledger) { q.ledger, q.came = l, make(chan struct{}, 1) }

// Tune sets otlp.outbox_limit, and whether reading waits while the queue is full.
func (q *Queue) Tune(limit int64, pauses bool) {
	q.limit.Store(limit)
	q.pauses.Store(pauses)
}

// Wake ends a Wait.
func (q *Queue) Wake() {
	select {
	case q.came <- struct{}{}:
	default:
	}
}

// Add adds what a commit wrote.
func (q *Queue) Add(d *Draft) { q.addHeads(d.heads...) }

func (q *Queue) addHeads(heads ...head) {
	if len(heads) == 0 {
		return
	}
	q.mu.Lock()
	for _, h := range heads {
		q.lastID++
		h.id = q.lastID
		q.pending = append(q.pending, h)
		q.records += h.records
	}
	q.mu.Unlock()
	q.Wake()
}

// Forget removes the batches of a feed from memory.
func (q *Queue) Forget(feed int64) { q.remove(func(h head) bool { return h.feed == feed }) }

func (q *Queue) remove(isGone func(head) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.pending = slices.DeleteFunc(q.pending, func(h head) bool {
		if isGone(h) {
			q.records -= h.records
			return true
		}
		return false
	})
}

// Next is the oldest batch that waits and has a greater id than after, nil if none does. Ids are
// good until the ledger is closed.
func (q *Queue) Next(ctx context.Context, after int64) (*Batch, error) {
	for {
		reader, err := q.ledger.ReadSession(ctx)
		if err != nil {
			return nil, err
		}
		next, waits := q.nextHead(after)
		if !waits {
			return nil, nil
		}
		b := &Batch{ID: next.id, Records: int(next.records)}
		senders := q.ledger.Senders()
		err = reader.ScanRow(`SELECT f.source, f.feed, o.data FROM outbox o JOIN feeds f ON f.id = o.feed
			WHERE o.feed = ? AND o.seq = ? AND o.part = ? AND f.owner IN (?, ?)`,
			[]any{next.feed, next.seq, next.part, senders[0], senders[1]}, &b.Source, &b.Feed, &b.Data)
		if errors.Is(err, sql.ErrNoRows) { // it was removed without our knowing, or the feed is another replica's
			q.remove(func(h head) bool { return h.id == next.id })
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		if b.Data, err = s2.Decode(nil, b.Data); err != nil {
			b.Data = nil // damaged: the sender sets its records aside, counted
		}
		return b, nil
	}
}

func (q *Queue) nextHead(after int64) (next head, waits bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	i, _ := slices.BinarySearchFunc(q.pending, after+1, func(h head, id int64) int { return cmp.Compare(h.id, id) })
	if i == len(q.pending) {
		return head{}, false
	}
	return q.pending[i], true
}

// Ack removes a batch of which every record was accepted or set aside. The feed may belong to another replica by now.
// A batch whose commit a failover lost waits no more, and another one may have its place.
func (q *Queue) Ack(ctx context.Context, id int64) error {
	err := q.ledger.CommitOutbox(ctx, func(s *engine.Session) error {
		next, waits := q.nextHead(id - 1)
		if !waits || next.id != id {
			return nil
		}
		_, err := s.Exec(`DELETE FROM outbox WHERE feed = ? AND seq = ? AND part = ?`, next.feed, next.seq, next.part)
		return err
	}, func() { q.remove(func(h head) bool { return h.id == id }) })
	if err != nil {
		return fmt.Errorf("remove batch from outbox: %w", err)
	}
	return nil
}

// Wait returns when there may be a batch that the last Next didn't see, or the context has ended.
// It is for one goroutine.
func (q *Queue) Wait(ctx context.Context) {
	select {
	case <-q.came:
	case <-ctx.Done():
	}
}

// Full says whether otlp.outbox_limit is reached. It never waits for a commit.
func (q *Queue) Full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	limit := q.Limit()
	return limit > 0 && q.records >= limit
}

// Pauses says whether reading waits, since the queue is full. It never waits for a commit.
func (q *Queue) Pauses() bool { return q.pauses.Load() && q.Full() }

// Skips says whether records that come are left out, since the queue is full. While a full queue pauses reading,
// what a read that began before still counts is kept beyond the limit. It never waits for a commit.
func (q *Queue) Skips() bool { return !q.pauses.Load() && q.Full() }

// Limit is otlp.outbox_limit; 0: there is none. It never waits for a commit.
func (q *Queue) Limit() int64 { return q.limit.Load() }

// Waiting is how many log records, or spans, wait, and since when the oldest does.
func (q *Queue) Waiting() (records int64, oldest time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, h := range q.pending { // records of a feed that was taken over come after younger ones
		if oldest.IsZero() || h.created.Before(oldest) {
			oldest = h.created
		}
	}
	return q.records, oldest
}
