package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A batch of log records is closed at either bound: receivers take 4 MiB by
// default (gRPC), and a batch is sent as a whole.
const (
	batchRecords = 1000
	batchBytes   = 1 << 20
)

// outbox is what memory knows of the log records that wait. Its counts are
// guarded by mu; they change only after a commit.
type outbox struct {
	mu      sync.Mutex
	records int64
	pending []outboxHead // oldest first
	lastID  int64
	signal  chan struct{} // closed and replaced when something comes
	// limit is otlp.outbox_limit; 0: there is none.
	limit atomic.Int64
}

// outboxHead is a batch without its data.
type outboxHead struct {
	id, records int64
	created     time.Time
}

func (o *outbox) init() { o.signal = make(chan struct{}) }

// wake lets those that Wait return.
func (o *outbox) wake() {
	o.mu.Lock()
	defer o.mu.Unlock()
	close(o.signal)
	o.signal = make(chan struct{})
}

// full says whether the limit is reached.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := o.limit.Load()
	return limit > 0 && o.records >= limit
}

// blocks says whether a page with records must wait for the outbox to drain.
func (o *outbox) blocks(t *Tuning, records int) bool {
	return records > 0 && t.Encoder != nil && !t.SkipLogs && o.full()
}

// committed takes over the batches of a commit that succeeded.
func (o *outbox) committed(b *logBatch) {
	if len(b.heads) == 0 {
		return
	}
	o.mu.Lock()
	for _, h := range b.heads {
		o.pending = append(o.pending, h)
		o.records += h.records
		o.lastID = h.id
	}
	o.mu.Unlock()
	o.wake()
}

// write writes a page's batches. The ids are the outbox's own, so that order
// doesn't hang on the database.
func (o *outbox) write(e *engine, b *logBatch, feed int64, at time.Time) error {
	b.close()
	b.heads = b.heads[:0]
	for i, part := range b.parts {
		head := outboxHead{id: o.lastID + int64(i) + 1, records: part.records, created: at}
		// The keys of attributes repeat in each record: a sixth of the bytes is left.
		b.packed = s2.Encode(b.packed[:cap(b.packed)], b.data[part.from:part.to])
		if _, err := e.exec(`INSERT INTO outbox (id, feed, records, created, data) VALUES (?, ?, ?, ?, ?)`,
			head.id, feed, head.records, micros(at), b.packed); err != nil {
			return err
		}
		b.heads = append(b.heads, head)
	}
	return nil
}

// logBatch is what one page adds to the outbox.
type logBatch struct {
	data   []byte
	packed []byte
	parts  []logPart
	open   logPart
	heads  []outboxHead
}

// logPart is one batch within data.
type logPart struct {
	from, to int
	records  int64
}

func (b *logBatch) reset() {
	b.data, b.parts, b.open, b.heads = b.data[:0], b.parts[:0], logPart{}, b.heads[:0]
}

func (b *logBatch) add(encoder LogEncoder, r *cdr.Record, event *RecordEvent) {
	b.data = encoder.AppendRecord(b.data, r, event)
	b.open.to = len(b.data)
	b.open.records++
	if b.open.records >= batchRecords || b.open.to-b.open.from >= batchBytes {
		b.close()
	}
}

func (b *logBatch) close() {
	if b.open.records == 0 {
		return
	}
	b.parts = append(b.parts, b.open)
	b.open = logPart{from: b.open.to, to: b.open.to}
}

// loadOutbox reads what waits, in place of what was known of it.
func (l *Ledger) loadOutbox() error {
	rows, err := l.engine.query(`SELECT id, records, created FROM outbox ORDER BY id`)
	if err != nil {
		return err
	}
	var pending []outboxHead
	err = scanAll(rows, func() error {
		var h outboxHead
		var created int64
		if err := rows.Scan(&h.id, &h.records, &created); err != nil {
			return err
		}
		h.created = fromMicros(created)
		pending = append(pending, h)
		return nil
	})
	if err != nil {
		return err
	}
	l.outbox.replace(pending)
	return nil
}

func (o *outbox) replace(pending []outboxHead) {
	o.mu.Lock()
	o.pending, o.records = pending, 0
	for _, h := range pending {
		o.records += h.records
		o.lastID = max(o.lastID, h.id)
	}
	o.mu.Unlock()
	o.wake()
}

// Next is the oldest batch that waits and has a greater id than after, nil if none does.
func (l *Ledger) Next(ctx context.Context, after int64) (*Batch, error) {
	reader, err := l.reading()
	if err != nil {
		return nil, err
	}
	var b Batch
	var created int64
	err = reader.QueryRowContext(ctx, `SELECT o.id, f.source, f.provider, f.feed, o.records, o.created, o.data
		FROM outbox o JOIN feeds f ON f.id = o.feed WHERE o.id > ? ORDER BY o.id LIMIT 1`, after).
		Scan(&b.ID, &b.Source, &b.Provider, &b.Feed, &b.Records, &created, &b.Data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	if b.Data, err = s2.Decode(nil, b.Data); err != nil {
		b.Data = nil // damaged: the sender sets its records aside, counted
	}
	b.Oldest = fromMicros(created)
	return &b, nil
}

// reading is the pool that reads beside the writer. It waits for a commit only if the database has to be opened again.
func (l *Ledger) reading() (*sql.DB, error) {
	if reader := l.reader.Load(); reader != nil {
		return reader, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ensureOpen(background); err != nil {
		return nil, err
	}
	return l.engine.reader, nil
}

// Ack removes a batch: every record of it was accepted or set aside.
func (l *Ledger) Ack(ctx context.Context, id int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.commit(ctx, &l.root, change{
		write: func() error {
			_, err := l.engine.exec(`DELETE FROM outbox WHERE id = ?`, id)
			return err
		},
		apply: func() { l.outbox.remove(id) },
	})
	if err != nil {
		return fmt.Errorf("remove batch from outbox: %w", err)
	}
	return nil
}

func (o *outbox) remove(id int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	// Nearly always it is the first one: only those of which something is held stay longer.
	if i := slices.IndexFunc(o.pending, func(h outboxHead) bool { return h.id == id }); i >= 0 {
		o.records -= o.pending[i].records
		o.pending = slices.Delete(o.pending, i, i+1)
	}
}

// Wait returns when there may be a batch with a greater id than after, or the context has ended.
func (l *Ledger) Wait(ctx context.Context, after int64) {
	l.outbox.mu.Lock()
	n := len(l.outbox.pending)
	signal, waiting := l.outbox.signal, n > 0 && l.outbox.pending[n-1].id > after
	l.outbox.mu.Unlock()
	if waiting {
		return
	}
	select {
	case <-signal:
	case <-ctx.Done():
	}
}

// OutboxFull says whether otlp.outbox_limit is reached. It never waits for a commit.
func (l *Ledger) OutboxFull() bool { return l.outbox.full() }

// OutboxLimit is otlp.outbox_limit; 0: there is none. It never waits for a commit.
func (l *Ledger) OutboxLimit() int64 { return l.outbox.limit.Load() }

// Outbox is how many log records wait, and since when the oldest does.
func (l *Ledger) Outbox() (records int64, oldest time.Time) {
	l.outbox.mu.Lock()
	defer l.outbox.mu.Unlock()
	if len(l.outbox.pending) > 0 {
		oldest = l.outbox.pending[0].created
	}
	return l.outbox.records, oldest
}
