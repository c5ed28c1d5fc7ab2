package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
)

// Logs is the queue of log records.
func (l *Ledger) Logs() *outbox.Queue { return &l.outboxes[outbox.Logs] }

// Spans is the queue of spans.
func (l *Ledger) Spans() *outbox.Queue { return &l.outboxes[outbox.Spans] }

// host is the ledger as its queues see it.
type host struct{ *Ledger }

// ReadSession implements outbox.Ledger.
func (h host) ReadSession(ctx context.Context) (*engine.Session, error) { return h.readSession(ctx) }

// CommitOutbox implements outbox.Ledger.
func (h host) CommitOutbox(ctx context.Context, change func(s *engine.Session) error, apply func()) error {
	if err := h.mu.LockWithin(ctx); err != nil {
		return err
	}
	defer h.mu.Unlock()
	return h.commitChange(ctx, nil, func() error { return change(&h.engine.Session) }, apply)
}

// Senders implements outbox.Ledger: the owner of a feed, and the replica that only sends what waits of it.
func (h host) Senders() [2]string { return [2]string{h.replica(), sends + h.replica()} }

// encodeLogs makes the log records that are wanted, of redacted copies of their records.
func (p *pageCommit) encodeLogs() {
	b, encoder, of := &p.drafts[outbox.Logs], p.ledger.settings.Encoder, -1
	if encoder == nil {
		return
	}
	for i := range p.change.Logs {
		log := &p.change.Logs[i]
		if p.ledger.Logs().Skips() {
			p.change.Result.SkippedLogs++
			continue
		}
		r := log.Call
		if r == nil {
			if r = &p.redacted; log.Record != of {
				of = log.Record
				p.ledger.redactor.Redacted(r, p.page.Records[of])
			}
			switch log.Event.Name {
			case counting.EventSession:
				log.Event.Session = &r.Sessions[log.Part]
			case counting.EventVisit:
				log.Event.Visit = &r.Visits[log.Part]
			case counting.EventLeg:
				r = r.LegRecord(log.Part)
				log.Event.Leg = r.Legs[0].ID
			}
		}
		r.Charges = log.Charges
		b.Data = encoder.AppendRecord(b.Data, r, &log.Event)
		b.Ends = append(b.Ends, len(b.Data))
	}
}

// encodeSpans makes the spans that are wanted, of redacted copies of their records.
func (p *pageCommit) encodeSpans() {
	b, encoder := &p.drafts[outbox.Spans], p.ledger.settings.Tracer
	for i := range p.change.Spans {
		span := &p.change.Spans[i]
		r := span.Call
		if r == nil {
			r = p.ledger.redactor.Redacted(&p.redacted, p.page.Records[span.Record])
		}
		r.Charges = span.Charges
		size, had := len(b.Data), len(b.Ends)
		b.Data, b.Ends = encoder.AppendSpans(b.Data, b.Ends, r, span)
		if p.ledger.Spans().Skips() {
			p.change.Result.SkippedSpans += len(b.Ends) - had
			b.Data, b.Ends = b.Data[:size], b.Ends[:had]
		}
	}
}

// writeOutbox writes what the page adds to both queues, as batches.
func (p *pageCommit) writeOutbox() error {
	for s := range p.drafts {
		p.drafts[s].Reset()
	}
	p.encodeLogs()
	p.encodeSpans()
	return outbox.Write(&p.ledger.engine.Session, &p.drafts, p.id, p.seq+1, p.now)
}

// loadOutbox reads what waits of all feeds that this replica owns, or sends for.
func (l *Ledger) loadOutbox() error {
	return outbox.Load(&l.engine.Session, &l.outboxes, host{l}.Senders())
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

// OutboxFull says whether one of the queues is full. It never waits for a commit.
func (l *Ledger) OutboxFull() bool { return l.Logs().Full() || l.Spans().Full() }

// Paused is ErrOutboxFull while that refuses every page with records, else nil. It never waits for a commit.
func (l *Ledger) Paused() error {
	for s := range l.outboxes {
		if l.outboxes[s].Pauses() {
			return ErrOutboxFull
		}
	}
	return nil
}
