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

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
)

// A batch of log records is closed at either bound: receivers take 4 MiB by default (gRPC), and a
// batch is sent as a whole.
const (
	batchRecords = 1000
	batchBytes   = 1 << 20
)

// signal is what the records of a batch are, as the table has it.
type signal int64

const (
	logs signal = iota
	spans
	signals // how many there are
)

// Outbox is a queue of log records, or of spans: each signal has its own, so that a refusal
// of one doesn't block the other. What memory knows of it changes only after a commit,
// under mu.
type Outbox struct {
	ledger  *Ledger
	mu      sync.Mutex
	records int64
	pending []outboxHead  // oldest first
	lastID  int64         // of a head: they are this process's own
	came    chan struct{} // has one element when something came, or the ledger was closed
	// limit is otlp.outbox_limit; 0: there is none.
	limit atomic.Int64
	// pauses says that reading waits while it is full.
	pauses atomic.Bool
}

// outboxHead is a batch without its data.
type outboxHead struct {
	id, records int64
	signal      signal
	created     time.Time
	batchKey
}

// batchKey is the key of a batch in the table: the feed, its seq of the commit that made the batch,
// and the number within that.
type batchKey struct{ feed, seq, part int64 }

// Logs is the queue of log records.
func (l *Ledger) Logs() *Outbox { return &l.outboxes[logs] }

// Spans is the queue of spans.
func (l *Ledger) Spans() *Outbox { return &l.outboxes[spans] }

func (o *Outbox) wake() {
	select {
	case o.came <- struct{}{}:
	default:
	}
}

func (o *Outbox) add(heads ...outboxHead) {
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

// pageBatches is what one page adds to an outbox.
type pageBatches struct {
	data   []byte
	ends   []int // of each log record, or span, within data
	packed []byte
	heads  []outboxHead
}

// encodeLogs makes the log records that are wanted, of redacted copies of their records.
func (p *pageCommit) encodeLogs() {
	b, encoder, of := &p.batches[logs], p.ledger.settings.Encoder, -1
	if encoder == nil {
		return
	}
	for i := range p.change.Logs {
		log := &p.change.Logs[i]
		if p.ledger.Logs().Full() {
			p.change.Result.SkippedLogs++
			continue
		}
		if log.Call != nil {
			log.Call.Charges = log.Charges
			b.data = encoder.AppendRecord(b.data, log.Call, &log.Event)
			b.ends = append(b.ends, len(b.data))
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
		r := &p.redacted
		if log.Leg >= 0 {
			r = r.LegRecord(log.Leg)
			log.Event.Leg = r.Legs[0].ID
		}
		r.Charges = log.Charges
		b.data = encoder.AppendRecord(b.data, r, &log.Event)
		b.ends = append(b.ends, len(b.data))
	}
}

// encodeSpans makes the spans that are wanted, of redacted copies of their records.
func (p *pageCommit) encodeSpans() {
	b, encoder := &p.batches[spans], p.ledger.settings.Tracer
	for i := range p.change.Spans {
		span := &p.change.Spans[i]
		r := span.Call
		if r == nil {
			r = p.ledger.redactor.Redacted(&p.redacted, p.page.Records[span.Record])
		}
		r.Charges = span.Charges
		size, had := len(b.data), len(b.ends)
		b.data, b.ends = encoder.AppendSpans(b.data, b.ends, r, span)
		if p.ledger.Spans().Full() {
			p.change.Result.SkippedSpans += len(b.ends) - had
			b.data, b.ends = b.data[:size], b.ends[:had]
		}
	}
}

// writeOutbox writes what the page adds to both queues, as batches.
func (p *pageCommit) writeOutbox() error {
	for s := range p.batches {
		b := &p.batches[s]
		b.data, b.ends, b.heads = b.data[:0], b.ends[:0], b.heads[:0]
	}
	p.encodeLogs()
	p.encodeSpans()
	part := int64(0)
	for s := range p.batches {
		b, from, records := &p.batches[s], 0, int64(0)
		for i, end := range b.ends {
			if records++; records < batchRecords && end-from < batchBytes && i < len(b.ends)-1 {
				continue
			}
			head := outboxHead{
				batchKey: batchKey{p.id, p.seq + 1, part}, records: records, signal: signal(s),
				created: p.now,
			}
			// The keys of attributes repeat in each record: a sixth of the bytes is left.
			b.packed = s2.Encode(b.packed[:cap(b.packed)], b.data[from:end])
			if err := p.exec(`INSERT INTO outbox (feed, seq, part, signal, records, created, data) VALUES (?, ?, ?,
				?, ?, ?, ?)`,
				head.feed, head.seq, head.part, int64(head.signal), head.records, engine.Micros(head.created),
				b.packed); err != nil {
				return err
			}
			b.heads = append(b.heads, head)
			part, from, records = part+1, end, 0
		}
	}
	return nil
}

// waitingIn is how many log records, or spans, wait to be sent.
func waitingIn(e *engine.Session, s signal) (records int64, err error) {
	err = e.ScanRow(`SELECT COALESCE(sum(records), 0) FROM outbox WHERE signal = ?`, []any{int64(s)}, &records)
	return records, err
}

// loadOutbox reads what waits of all feeds that this replica owns, or sends for. Batches of one
// feed keep their order where clocks don't.
func (l *Ledger) loadOutbox() error {
	heads, err := engine.ReadRows(&l.engine.Session,
		`SELECT o.feed, o.seq, o.part, o.signal, o.records, o.created FROM outbox o JOIN feeds f ON f.id = o.feed
		WHERE f.owner IN (?, ?) ORDER BY max(o.created) OVER (PARTITION BY o.feed ORDER BY o.seq, o.part), o.feed,
		o.seq, o.part`,
		[]any{l.replica(), sends + l.replica()},
		func(h *outboxHead) []any {
			return []any{&h.feed, &h.seq, &h.part, &h.signal, &h.records, engine.Time(&h.created)}
		})
	if err != nil {
		return err
	}
	stored := make(map[batchKey]bool)
	for _, h := range heads {
		stored[h.batchKey] = true
	}
	for s := range l.outboxes {
		l.outboxes[s].remove(func(h outboxHead) bool { // those that stay keep their ids
			stays := stored[h.batchKey]
			delete(stored, h.batchKey)
			return !stays
		})
	}
	for _, h := range heads {
		if stored[h.batchKey] {
			l.outboxes[h.signal].add(h)
		}
	}
	return nil
}

// adoptInterval is how long a feed must have had no owner before a replica sends its waiting
// records. A feed that moves has its next owner earlier.
const adoptInterval = 30 * time.Second

// adoptOutbox makes the replica that started first send the waiting records of feeds that have had
// no owner since the last call: their sources were removed from the configuration. It is for one
// goroutine.
func (l *Ledger) adoptOutbox(ctx context.Context) error {
	if !l.Shared() {
		return nil // it sends all
	}
	reader, err := l.readSession(ctx)
	if err != nil {
		return err
	}
	c, err := readCluster(reader)
	if err != nil {
		return fmt.Errorf("look for what nobody sends: %w", err)
	}
	before, adopted := l.unowned, false
	l.unowned = make(map[string]int64)
	if len(c.Replicas) == 0 || c.Replicas[0].Name != l.replica() {
		return nil
	}
	for i := range c.Feeds {
		f := &c.Feeds[i]
		if f.Owner != "" || f.Holder == sends+l.replica() {
			continue
		}
		name := f.Source + "/" + f.Feed
		if l.unowned[name] = f.epoch; before[name] != f.epoch {
			continue
		}
		acquired, err := l.acquireAs(ctx, f, sends+l.replica())
		if err != nil {
			return err
		}
		adopted = adopted || acquired
	}
	if !adopted {
		return nil
	}
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	if err := l.ensureOpen(ctx); err != nil {
		return err
	}
	return l.loadOutbox()
}

// Next is the oldest batch that waits and has a greater id than after, nil if none does. Ids are
// good until the ledger is closed.
func (o *Outbox) Next(ctx context.Context, after int64) (*Batch, error) {
	for {
		reader, err := o.ledger.readSession(ctx)
		if err != nil {
			return nil, err
		}
		head, waits := o.next(after)
		if !waits {
			return nil, nil
		}
		b := &Batch{ID: head.id, Records: int(head.records), Oldest: head.created}
		err = reader.ScanRow(`SELECT f.source, f.provider, f.feed, o.data FROM outbox o JOIN feeds f ON f.id = o.feed
			WHERE o.feed = ? AND o.seq = ? AND o.part = ? AND f.owner IN (?, ?)`,
			[]any{head.feed, head.seq, head.part, o.ledger.replica(), sends + o.ledger.replica()}, &b.Source,
			&b.Provider, &b.Feed, &b.Data)
		if errors.Is(err, sql.ErrNoRows) { // it was removed without our knowing, or the feed is another replica's
			o.remove(func(h outboxHead) bool { return h.id == head.id })
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

func (o *Outbox) next(after int64) (head outboxHead, waits bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, _ := slices.BinarySearchFunc(o.pending, after+1,
		func(h outboxHead, id int64) int { return cmp.Compare(h.id, id) })
	if i == len(o.pending) {
		return outboxHead{}, false
	}
	return o.pending[i], true
}

// Ack removes a batch of which every record was accepted or set aside. The feed may belong to another replica by now.
func (o *Outbox) Ack(ctx context.Context, id int64) error {
	head, waits := o.next(id - 1)
	if !waits || head.id != id {
		return nil
	}
	l := o.ledger
	if err := l.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer l.mu.Unlock()
	err := l.commit(ctx, nil, func() error {
		_, err := l.engine.Exec(`DELETE FROM outbox WHERE feed = ? AND seq = ? AND part = ?`, head.feed, head.seq,
			head.part)
		return err
	}, func() { o.remove(func(h outboxHead) bool { return h.id == id }) })
	if err != nil {
		return fmt.Errorf("remove batch from outbox: %w", err)
	}
	return nil
}

func (o *Outbox) remove(isGone func(outboxHead) bool) {
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

// Wait returns when there may be a batch that the last Next didn't see, or the context has ended.
// It is for one goroutine.
func (o *Outbox) Wait(ctx context.Context) {
	select {
	case <-o.came:
	case <-ctx.Done():
	}
}

// Full says whether otlp.outbox_limit is reached. It never waits for a commit.
func (o *Outbox) Full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	limit := o.Limit()
	return limit > 0 && o.records >= limit
}

// Limit is otlp.outbox_limit; 0: there is none. It never waits for a commit.
func (o *Outbox) Limit() int64 { return o.limit.Load() }

// Waiting is how many log records, or spans, wait, and since when the oldest does.
func (o *Outbox) Waiting() (records int64, oldest time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, h := range o.pending { // records of a feed that was taken over come after younger ones
		if oldest.IsZero() || h.created.Before(oldest) {
			oldest = h.created
		}
	}
	return o.records, oldest
}

// OutboxFull says whether one of the queues is full. It never waits for a commit.
func (l *Ledger) OutboxFull() bool { return l.Logs().Full() || l.Spans().Full() }

// Paused is ErrOutboxFull while that refuses every page with records, else nil. It never waits for a commit.
func (l *Ledger) Paused() error {
	for s := range l.outboxes {
		if o := &l.outboxes[s]; o.pauses.Load() && o.Full() {
			return ErrOutboxFull
		}
	}
	return nil
}
