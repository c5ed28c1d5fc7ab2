package ledger

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
)

// A batch of log records is closed at either bound: receivers take 4 MiB by default (gRPC), and a batch is sent as a whole.
const (
	batchRecords = 1000
	batchBytes   = 1 << 20
)

// outbox is what memory knows of the log records that wait: it changes only after a commit, under mu.
type outbox struct {
	mu      sync.Mutex
	records int64
	pending []outboxHead  // oldest first
	lastID  int64         // of a head: they are this process's own
	signal  chan struct{} // has one element when something came, or the ledger was closed
	// limit is otlp.outbox_limit; 0: there is none.
	limit atomic.Int64
	// pauses says that reading waits while it is full.
	pauses atomic.Bool
}

// outboxHead is a batch without its data.
type outboxHead struct {
	id, records int64
	created     time.Time
	batchKey
}

// batchKey is the key of a batch in the table: the feed, its seq of the commit that made the batch, and the number within that.
type batchKey struct{ feed, seq, part int64 }

func (o *outbox) wake() {
	select {
	case o.signal <- struct{}{}:
	default:
	}
}

func (o *outbox) add(heads []outboxHead) {
	if len(heads) == 0 {
		return
	}
	o.mu.Lock()
	for _, h := range heads {
		o.lastID++
		h.id = o.lastID
		o.pending = append(o.pending, h)
		o.records += h.records
	}
	o.mu.Unlock()
	o.wake()
}

// pageLogs is what one page adds to the outbox.
type pageLogs struct {
	data   []byte
	ends   []int // of each log record within data
	packed []byte
	heads  []outboxHead
}

// encodeLogs makes the log records that are wanted, of redacted copies of their records.
func (p *pageCommit) encodeLogs() {
	p.logs = pageLogs{data: p.logs.data[:0], ends: p.logs.ends[:0], packed: p.logs.packed, heads: p.logs.heads[:0]}
	encoder, of := p.ledger.settings.Encoder, -1
	for i := range p.change.Logs {
		log := &p.change.Logs[i]
		if encoder == nil {
			return
		}
		if p.ledger.OutboxFull() {
			p.change.Result.SkippedLogs++
			continue
		}
		if log.Record != of {
			of = log.Record
			p.ledger.redactor.Redacted(&p.redacted, p.page.Records[of])
		}
		if log.Session >= 0 {
			log.Event.Session = &p.redacted.Sessions[log.Session]
		}
		if log.Visit >= 0 {
			log.Event.Visit = &p.redacted.Visits[log.Visit]
		}
		p.logs.data = encoder.AppendRecord(p.logs.data, &p.redacted, &log.Event)
		p.logs.ends = append(p.logs.ends, len(p.logs.data))
	}
}

func (p *pageCommit) writeLogs() error {
	p.encodeLogs()
	b, from, records := &p.logs, 0, int64(0)
	for i, end := range b.ends {
		if records++; records < batchRecords && end-from < batchBytes && i < len(b.ends)-1 {
			continue
		}
		head := outboxHead{batchKey: batchKey{p.id, p.seq + 1, int64(len(b.heads))}, records: records, created: p.now}
		// The keys of attributes repeat in each record: a sixth of the bytes is left.
		b.packed = s2.Encode(b.packed[:cap(b.packed)], b.data[from:end])
		if err := p.exec(`INSERT INTO outbox (feed, seq, part, records, created, data) VALUES (?, ?, ?, ?, ?, ?)`,
			head.feed, head.seq, head.part, head.records, micros(head.created), b.packed); err != nil {
			return err
		}
		b.heads = append(b.heads, head)
		from, records = end, 0
	}
	return nil
}

// loadOutbox reads what waits of all feeds that this replica owns. Batches of one feed keep their order where clocks don't.
func (l *Ledger) loadOutbox() error {
	heads, err := readRows(&l.engine.session, `SELECT o.feed, o.seq, o.part, o.records, o.created FROM outbox o JOIN feeds f ON f.id = o.feed
		WHERE f.owner = ? ORDER BY max(o.created) OVER (PARTITION BY o.feed ORDER BY o.seq, o.part), o.feed, o.seq, o.part`, []any{l.replica()},
		func(h *outboxHead) []any { return []any{&h.feed, &h.seq, &h.part, &h.records, asTime{&h.created}} })
	if err != nil {
		return err
	}
	stored := make(map[batchKey]bool)
	for _, h := range heads {
		stored[h.batchKey] = true
	}
	l.outbox.remove(func(h outboxHead) bool { // those that stay keep their ids
		stays := stored[h.batchKey]
		delete(stored, h.batchKey)
		return !stays
	})
	l.outbox.add(slices.DeleteFunc(heads, func(h outboxHead) bool { return !stored[h.batchKey] }))
	return nil
}

// Next is the oldest batch that waits and has a greater id than after, nil if none does. Ids are good until the ledger is closed.
func (l *Ledger) Next(ctx context.Context, after int64) (*Batch, error) {
	for {
		reader, err := l.readSession(ctx)
		if err != nil {
			return nil, err
		}
		head, waits := l.outbox.next(after)
		if !waits {
			return nil, nil
		}
		b := &Batch{ID: head.id, Records: int(head.records), Oldest: head.created}
		err = reader.scanRow(`SELECT f.source, f.provider, f.feed, o.data FROM outbox o JOIN feeds f ON f.id = o.feed
			WHERE o.feed = ? AND o.seq = ? AND o.part = ?`, []any{head.feed, head.seq, head.part}, &b.Source, &b.Provider, &b.Feed, &b.Data)
		if errors.Is(err, sql.ErrNoRows) { // it was removed, by another owner of the feed or without our knowing
			l.outbox.remove(func(h outboxHead) bool { return h.id == head.id })
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

func (o *outbox) next(after int64) (head outboxHead, waits bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, _ := slices.BinarySearchFunc(o.pending, after+1, func(h outboxHead, id int64) int { return cmp.Compare(h.id, id) })
	if i == len(o.pending) {
		return outboxHead{}, false
	}
	return o.pending[i], true
}

// readSession is the session for reads beside commits. It waits for a commit only if the database has to be opened again.
func (l *Ledger) readSession(ctx context.Context) (*session, error) {
	if err := l.Replaced(); err != nil {
		return nil, err
	}
	if reader := l.reader.Load(); reader != nil {
		return reader.within(ctx), nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ensureOpen(background); err != nil {
		return nil, err
	}
	return l.engine.beside.within(ctx), nil
}

// Ack removes a batch of which every record was accepted or set aside. The feed may belong to another replica by now.
func (l *Ledger) Ack(ctx context.Context, id int64) error {
	head, waits := l.outbox.next(id - 1)
	if !waits || head.id != id {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.commit(ctx, nil, func() error {
		_, err := l.engine.exec(`DELETE FROM outbox WHERE feed = ? AND seq = ? AND part = ?`, head.feed, head.seq, head.part)
		return err
	}, func() { l.outbox.remove(func(h outboxHead) bool { return h.id == id }) })
	if err != nil {
		return fmt.Errorf("remove batch from outbox: %w", err)
	}
	return nil
}

func (o *outbox) remove(isGone func(outboxHead) bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = slices.DeleteFunc(o.pending, func(h outboxHead) bool {
		if isGone(h) {
			o.records -= h.records
			return true
		}
		return false
	})
}

// Wait returns when there may be a batch that the last Next didn't see, or the context has ended. It is for one goroutine.
func (l *Ledger) Wait(ctx context.Context) {
	select {
	case <-l.outbox.signal:
	case <-ctx.Done():
	}
}

// OutboxFull says whether otlp.outbox_limit is reached. It never waits for a commit.
func (l *Ledger) OutboxFull() bool {
	l.outbox.mu.Lock()
	defer l.outbox.mu.Unlock()
	limit := l.OutboxLimit()
	return limit > 0 && l.outbox.records >= limit
}

// Paused is ErrOutboxFull while that refuses every page with records, else nil. It never waits for a commit.
func (l *Ledger) Paused() error {
	if l.outbox.pauses.Load() && l.OutboxFull() {
		return ErrOutboxFull
	}
	return nil
}

// OutboxLimit is otlp.outbox_limit; 0: there is none. It never waits for a commit.
func (l *Ledger) OutboxLimit() int64 { return l.outbox.limit.Load() }

// Outbox is how many log records wait, and since when the oldest does.
func (l *Ledger) Outbox() (records int64, oldest time.Time) {
	l.outbox.mu.Lock()
	defer l.outbox.mu.Unlock()
	for _, h := range l.outbox.pending { // those of a feed that was taken over come after younger ones
		if oldest.IsZero() || h.created.Before(oldest) {
			oldest = h.created
		}
	}
	return l.outbox.records, oldest
}
