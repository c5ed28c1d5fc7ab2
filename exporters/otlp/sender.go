package otlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// maxRetryAfter bounds how long an endpoint can make us wait.
	maxRetryAfter = time.Hour
	// largeRecord is the size from which a single record may be too much for an
	// endpoint; below it, it is the endpoint that has enough.
	largeRecord = 1 << 20
	// guiltyTries is how often a single record must be refused before it is set aside: some 10 s, so that an endpoint
	// that refuses every other request convicts nobody.
	guiltyTries = 5
	// maxRefusals is how many refusals in a row, without a witness, are an outage: about twice what it takes to halve a
	// batch down to one record. Then nothing is split, and there is one request at a time, with backoff.
	maxRefusals = 20
	// maxOpen bounds the batches of which something is held.
	maxOpen = 16
)

// Outbox is the ledger's queue of log records.
type Outbox interface {
	// Next is the oldest batch after the one with that id, nil if there is none. It stays until Ack.
	Next(ctx context.Context, after int64) (*ledger.Batch, error)
	// Ack deletes a batch; nil says that the deletion is committed.
	Ack(ctx context.Context, id int64) error
	// Wait returns when there may be a batch after that one, or the context has ended.
	Wait(ctx context.Context, after int64)
}

// Observer counts log records. It is called while sending, by one goroutine.
type Observer interface {
	// Sent: the endpoint has accepted n records.
	Sent(n int)
	// Rejected: the endpoint has refused n records, which were set aside.
	Rejected(n int)
}

// verdict is what an answer means for the records that were sent (counting.md 26).
type verdict uint8

const (
	// accepted: the endpoint has the records.
	accepted verdict = iota
	// again: it isn't about the records; the same request later.
	again
	// refused: a record in the request may be at fault, or the endpoint.
	refused
	// tooMuch: less may pass; a single small record isn't at fault.
	tooMuch
)

// answer is how one request went.
type answer struct {
	verdict verdict
	// rejected is how many records of an accepted request were not (partial success).
	rejected int64
	// after is how long the endpoint asks to wait; zero if it doesn't.
	after time.Duration
	// problem says what happened, in our words: the endpoint's may quote a record
	// or a header.
	problem string
}

// What a problem advises.
const (
	checkCredentials = "; check the credentials in otlp.headers"
	checkEndpoint    = "; check otlp.endpoint"
)

// uploader sends an encoded ExportLogsServiceRequest once. An answer given after the context ended means nothing, unless it is accepted.
type uploader interface {
	upload(ctx context.Context, request []byte) answer
}

// sender drains the outbox (counting.md 26, 30).
//
//	batch ─▶ offer ─ accepted ─▶ counted
//	          │ refused: split while there is more than one record
//	          ▼
//	        held ─ offered again, with backoff ─ accepted ─▶ counted
//	          │ still refused, after the endpoint accepted another record
//	          ▼
//	        set aside
//
// A batch is deleted when nothing of it is held. Other batches go on meanwhile, since one of them may be the witness; so
// order within a feed holds for all records but those that the endpoint refused at first.
type sender struct {
	outbox   Outbox
	uploader uploader
	envelope envelope
	observer Observer
	health   *health
	logger   *slog.Logger
	timeout  time.Duration // of one request
	grace    time.Duration // to drain the outbox at shutdown

	// stop ends at shutdown, and cuts one wait short, since there is time for one more try at once. It never ends after that.
	stop context.Context
	last int64 // id of the latest batch that was offered
	held []*suspect
	open int // batches of which something is held
	// probed is the id of the latest batch that was a probe.
	probed int64

	endpoint witness.Endpoint
	// refusals are those without a witness in a row: so many are an outage.
	refusals int
	problem  string // of the latest refusal
	outage   *backoff.ExponentialBackOff
}

// delivery is a batch of which not everything was accepted or set aside yet.
type delivery struct {
	*ledger.Batch

	held int // suspects
}

// suspect is what the endpoint refused and may be broken itself to have refused.
type suspect struct {
	records [][]byte // see splitBatch
	batch   *delivery
	fault   witness.Case
	tries   int // of these very records
	due     time.Time
	delays  *backoff.ExponentialBackOff
}

// run sends until the context ends, then drains until the outbox is empty or the
// grace has passed. It fails only if the outbox is closed.
func (s *sender) run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.grace, cancel) })()
	s.stop, s.outage = ctx, newBackOff()
	for {
		batch, err := s.next(work)
		switch {
		case err != nil:
		case batch != nil:
			err = s.deliver(work, batch)
		case len(s.held) > 0:
			if err = s.awaitWitness(work); err == nil && s.open >= maxOpen && s.refusals > 0 {
				err = s.probe(work)
			}
		case ctx.Err() != nil:
			return nil
		default:
			s.outbox.Wait(ctx, s.last)
		}
		if err == nil {
			err = s.retrySuspects(work)
		}
		switch {
		case errors.Is(err, ledger.ErrClosed):
			return fmt.Errorf("read outbox: %w", err)
		case err != nil:
			s.logger.Info("time is up, log records stay in the outbox for the next start")
			return nil
		}
	}
}

// next reads the oldest batch that wasn't offered yet, as often as that takes; nil if there is none, or if enough are open.
func (s *sender) next(ctx context.Context) (batch *ledger.Batch, err error) {
	if s.open >= maxOpen {
		return nil, nil
	}
	err = s.insist(ctx, "read outbox", func() error {
		batch, err = s.outbox.Next(ctx, s.last)
		return err
	})
	return batch, err
}

// deliver makes a batch the first of what retrySuspects offers.
func (s *sender) deliver(ctx context.Context, batch *ledger.Batch) error {
	s.last = batch.ID
	records, whole := splitBatch(batch.Data)
	if !whole || len(records) < batch.Records {
		lost := max(batch.Records-len(records), 1)
		s.observer.Rejected(lost)
		s.logger.Error("log records in the outbox can't be read and are set aside",
			"batch", batch.ID, "source", batch.Source, "feed", batch.Feed, "records", lost)
	}
	if len(records) == 0 {
		return s.ack(ctx, batch.ID)
	}
	s.open++
	s.held = slices.Insert(s.held, 0, &suspect{records: records, batch: &delivery{Batch: batch, held: 1}})
	return nil
}

// ack deletes a delivered batch, once even if the time is up. If that can't be
// done, the batch is sent again at the next start.
func (s *sender) ack(ctx context.Context, id int64) error {
	return s.insist(ctx, "delete sent records from the outbox", func() error {
		return s.outbox.Ack(context.WithoutCancel(ctx), id)
	})
}

// offer offers records until each was accepted, was set aside or is held. The error is the context's.
func (s *sender) offer(ctx context.Context, all *suspect) error {
	for parts := []*suspect{all}; len(parts) > 0; {
		p := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		a, err := s.upload(ctx, p.records)
		switch {
		case err != nil:
			return err
		case a.verdict == accepted:
			s.accept(p.records, a.rejected, p.batch.Batch)
			continue
		}
		s.refuse(p, a)
		switch half := len(p.records) / 2; {
		case half > 0 && s.refusals <= maxRefusals:
			parts = append(parts,
				&suspect{records: p.records[half:], batch: p.batch, fault: p.fault},
				&suspect{records: p.records[:half], batch: p.batch, fault: p.fault})
		case p.guilty():
			s.setAside(p.records[0], a.problem)
		default:
			s.hold(p)
		}
	}
	return nil
}

// refuse notes that the endpoint refused a part.
func (s *sender) refuse(p *suspect, a answer) {
	p.fault.Refuse(&s.endpoint)
	p.tries++
	s.problem = a.problem
	if p.fault.Witnessed() == 0 {
		s.refusals++
	}
}

// guilty says whether the endpoint refuses this very record: again and again, and it has accepted another since the first time.
func (p *suspect) guilty() bool {
	return len(p.records) == 1 && p.tries >= guiltyTries && p.fault.Witnessed() > 0
}

// hold keeps a part to be offered again.
func (s *sender) hold(p *suspect) {
	if p.delays == nil {
		p.delays = newBackOff()
	}
	p.due = time.Now().Add(p.delays.NextBackOff())
	p.batch.held++
	s.held = append(s.held, p)
}

// awaitWitness waits until a held part is due, or until there is another batch. At shutdown every part is due once.
func (s *sender) awaitWitness(ctx context.Context) error {
	wait := time.Until(slices.MinFunc(s.held, func(a, b *suspect) int { return a.due.Compare(b.due) }).due)
	if s.refusals > 0 {
		s.health.failing(s.problem, wait)
	}
	stopped, err := s.wait(ctx, wait, func(limited context.Context) {
		if s.open < maxOpen {
			s.outbox.Wait(limited, s.last)
		} else {
			<-limited.Done()
		}
	})
	if stopped {
		for _, p := range s.held {
			p.due = time.Now()
		}
	}
	return err
}

// probe looks for a witness among the batches that can't be opened yet, one record of one batch at a time: all that is open may be at fault, such as
// records that are too old for the endpoint. The record is sent once more with its batch, under the same uid.
func (s *sender) probe(ctx context.Context) error {
	var batch *ledger.Batch
	err := s.insist(ctx, "read outbox", func() (err error) {
		batch, err = s.outbox.Next(ctx, max(s.last, s.probed))
		return err
	})
	if err != nil || batch == nil {
		s.probed = 0 // from the oldest again
		return err
	}
	s.probed = batch.ID
	records, _ := splitBatch(batch.Data)
	if len(records) == 0 {
		return nil
	}
	a, err := s.upload(ctx, records[:1])
	if err == nil && a.verdict == accepted {
		s.endpoint.Served()
		s.refusals = 0
		s.outage.Reset()
	}
	return err
}

// wait calls until with a context that ends after d, or early at shutdown, once. The error is the context's.
func (s *sender) wait(ctx context.Context, d time.Duration, until func(context.Context)) (stopped bool, err error) {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	defer context.AfterFunc(s.stop, cancel)()
	until(limited)
	if s.stop.Err() != nil {
		stopped, s.stop = true, context.WithoutCancel(ctx)
	}
	return stopped, ctx.Err()
}

func (s *sender) pause(ctx context.Context, d time.Duration) error {
	_, err := s.wait(ctx, d, func(limited context.Context) { <-limited.Done() })
	return err
}

// retrySuspects offers the held parts that are due, and deletes the batches of which nothing is held any more.
func (s *sender) retrySuspects(ctx context.Context) error {
	held := s.held
	s.held = nil
	for _, p := range held {
		if time.Now().Before(p.due) {
			s.held = append(s.held, p)
			continue
		}
		p.batch.held--
		if err := s.offer(ctx, p); err != nil {
			return err
		}
		if p.batch.held > 0 {
			continue
		}
		s.open--
		if err := s.ack(ctx, p.batch.ID); err != nil {
			return err
		}
	}
	return nil
}

// upload sends records until the endpoint has accepted or refused them. In an outage it waits first. The error is the
// context's.
func (s *sender) upload(ctx context.Context, records [][]byte) (a answer, err error) {
	if s.refusals > maxRefusals {
		wait := s.outage.NextBackOff()
		s.health.failing(s.problem, wait)
		if err := s.pause(ctx, wait); err != nil {
			return answer{}, err
		}
	}
	err = s.retry(ctx, func() (problem string, after time.Duration) {
		limited, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		switch a = s.uploader.upload(limited, s.envelope.request(records)); {
		case a.verdict == accepted && a.rejected > 0 && a.rejected >= int64(len(records)):
			a = answer{verdict: refused, problem: "the endpoint accepted a request, but none of its records"}
		case a.verdict == again, a.verdict == tooMuch && len(records) == 1 && len(records[0]) < largeRecord:
			return a.problem, a.after
		}
		if a.verdict != accepted && ctx.Err() != nil {
			return a.problem, 0
		}
		return "", 0
	})
	return a, err
}

// retry repeats, with backoff and for ever, until there is no problem. The error is the context's.
func (s *sender) retry(ctx context.Context, do func() (problem string, after time.Duration)) error {
	for delays := newBackOff(); ; {
		problem, after := do()
		switch {
		case problem == "":
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		}
		wait := max(delays.NextBackOff(), min(after, maxRetryAfter))
		s.health.failing(problem, wait)
		if err := s.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// accept counts accepted records, without those that a partial success refused: fewer than all.
func (s *sender) accept(records [][]byte, rejected int64, batch *ledger.Batch) {
	s.endpoint.Served()
	s.refusals = 0
	s.outage.Reset()
	s.health.working()
	n := int(max(rejected, 0))
	s.observer.Sent(len(records) - n)
	if n == 0 {
		return
	}
	s.observer.Rejected(n)
	s.health.refusing("the endpoint accepted a request in part")
	// Which ones it doesn't say, and OTLP forbids sending them again.
	s.logger.Warn("OTLP endpoint refused some log records of a request", "rejected", n, "records", len(records),
		"source", batch.Source, "feed", batch.Feed, "first_uid", uidOf(records[0]), "last_uid", uidOf(records[len(records)-1]))
}

// setAside counts the record that is at fault and logs which one it is.
func (s *sender) setAside(record []byte, problem string) {
	s.observer.Rejected(1)
	s.health.refusing(problem)
	s.logger.Warn("OTLP endpoint refused a log record while accepting others: it is set aside", "uid", uidOf(record), "err", problem)
}

// insist repeats what the ledger must do until it is done. An error is that the
// ledger is closed, or the context's.
func (s *sender) insist(ctx context.Context, what string, do func() error) error {
	var closed error
	failed := false
	err := s.retry(ctx, func() (string, time.Duration) {
		switch err := do(); {
		case errors.Is(err, ledger.ErrClosed):
			closed = err
		case err != nil:
			failed = true
			return what + ": " + err.Error(), 0
		}
		return "", 0
	})
	if failed && err == nil {
		s.health.working()
	}
	return cmp.Or(closed, err)
}

// newBackOff waits 0.3 to 0.9 s first, twice as long each time, and up to a minute.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = 600*time.Millisecond, 2, 40*time.Second
	return b
}
