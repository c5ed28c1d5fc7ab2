package otlp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

const (
	// maxRetryAfter bounds how long an endpoint can make us wait.
	maxRetryAfter = time.Hour
	// largeRecord is the size from which a single record may be too much for an
	// endpoint; below it, it is the endpoint that has enough.
	largeRecord = 1 << 20
)

// Outbox is the ledger's queue of log records.
type Outbox interface {
	// Next is the oldest batch, nil if there is none. It stays until Ack.
	Next(ctx context.Context) (*ledger.Batch, error)
	// Ack deletes a batch; nil says that the deletion is committed.
	Ack(ctx context.Context, id int64) error
	// Wait returns when there may be a batch, or the context has ended.
	Wait(ctx context.Context)
}

// Observer counts log records. It is called while sending, by one goroutine.
type Observer interface {
	// Sent: the endpoint has accepted n records.
	Sent(n int)
	// Rejected: the endpoint has refused n records, which were set aside.
	Rejected(n int)
}

// sender drains the outbox in order (counting.md 26).
type sender struct {
	outbox   Outbox
	uploader uploader
	observer Observer
	health   *health
	logger   *slog.Logger
	grace    time.Duration
}

// run sends until the context ends, then drains until the outbox is empty or the
// grace has passed. It fails only if the outbox is closed.
func (s *sender) run(ctx context.Context) error {
	work, done := graced(ctx, s.grace)
	defer done()
	waiting := &pauser{hurry: ctx.Done()}
	for {
		batch, err := s.next(work, waiting)
		switch {
		case errors.Is(err, ledger.ErrClosed):
			return fmt.Errorf("read outbox: %w", err)
		case err != nil:
			s.logger.Info("time is up, log records stay in the outbox for the next start")
			return nil
		case batch != nil:
			s.deliver(work, waiting, batch)
		case ctx.Err() != nil:
			return nil
		default:
			s.outbox.Wait(ctx)
		}
	}
}

// next reads the oldest batch, as often as that takes.
func (s *sender) next(ctx context.Context, waiting *pauser) (batch *ledger.Batch, err error) {
	err = s.insist(ctx, waiting, "read outbox", func() error {
		batch, err = s.outbox.Next(ctx)
		return err
	})
	return batch, err
}

// deliver offers a batch until every record was accepted or refused, then deletes
// it from the outbox; it stays there if the context ends before that.
func (s *sender) deliver(ctx context.Context, waiting *pauser, batch *ledger.Batch) {
	records, ok := whole(batch.Data)
	if !ok || records.records < batch.Records {
		lost := max(batch.Records-records.records, 1)
		s.observer.Rejected(lost)
		s.logger.Error("log records in the outbox can't be read and are set aside",
			"batch", batch.ID, "source", batch.Source, "feed", batch.Feed, "records", lost)
	}
	// What is left to offer, the next part last.
	var parts []part
	if records.records > 0 {
		parts = append(parts, records)
	}
	for len(parts) > 0 {
		p := parts[len(parts)-1]
		parts = parts[:len(parts)-1]
		a, err := s.offer(ctx, waiting, p)
		if err != nil {
			return
		}
		switch {
		case a.verdict == accepted:
			s.accept(p, a.rejected, batch)
		case p.records == 1:
			s.setAside(p, a.problem)
		default:
			first, rest := p.split()
			parts = append(parts, rest, first)
		}
	}
	s.ack(ctx, waiting, batch.ID)
}

// ack deletes a delivered batch, once even if the time is up. If that can't be
// done, run finds the batch again, and sends it again at the next start.
func (s *sender) ack(ctx context.Context, waiting *pauser, id int64) {
	_ = s.insist(ctx, waiting, "delete sent records from the outbox", func() error {
		return s.outbox.Ack(context.WithoutCancel(ctx), id)
	})
}

// offer sends a part until the endpoint has accepted or refused it. The error is
// the context's.
func (s *sender) offer(ctx context.Context, waiting *pauser, p part) (answer, error) {
	delays := newBackOff()
	for suspect := false; ; {
		a := s.uploader.upload(ctx, p)
		if err := ctx.Err(); err != nil && a.verdict != accepted {
			return answer{}, err
		}
		switch {
		case p.records != 1:
		case a.verdict == tooMuch && len(p.data) < largeRecord:
			a.verdict = again
		case a.verdict == faulty && !s.works(ctx):
			a.verdict, suspect = again, false
		case a.verdict == faulty && !suspect:
			suspect = true // the endpoint may have come back just now
			continue
		}
		switch a.verdict {
		case accepted:
			s.health.working()
			return a, nil
		case refused, tooMuch, faulty:
			s.health.refusing(a.problem)
			return a, nil
		case again:
		}
		wait := max(delays.NextBackOff(), min(a.after, maxRetryAfter))
		s.health.failing(a.problem, wait)
		if err := waiting.pause(ctx, wait); err != nil {
			return answer{}, err
		}
	}
}

// works says whether the endpoint answers a request without records as one that
// works does: by taking it, or by refusing it for being empty. If an endpoint that
// fails on a single record doesn't, it is at fault itself, and nothing may be set
// aside because of it.
func (s *sender) works(ctx context.Context) bool {
	v := s.uploader.upload(ctx, part{}).verdict
	return v == accepted || v == refused
}

// accept counts an accepted part, without what a partial success refused.
func (s *sender) accept(p part, rejected int64, batch *ledger.Batch) {
	n := int(min(max(rejected, 0), int64(p.records)))
	s.observer.Sent(p.records - n)
	if n == 0 {
		return
	}
	s.observer.Rejected(n)
	s.health.refusing("the endpoint accepted a request in part")
	if n < p.records {
		// Which ones it doesn't say, and OTLP forbids sending them again.
		all := uids(p)
		s.logger.Warn("OTLP endpoint refused some log records of a request", "rejected", n, "records", p.records,
			"source", batch.Source, "feed", batch.Feed, "first_uid", all[0], "last_uid", all[len(all)-1])
		return
	}
	for _, uid := range uids(p) {
		s.logRefused(uid, "accepted in part: none of the request's records")
	}
}

// setAside counts the record that was refused and says which one it is.
func (s *sender) setAside(p part, problem string) {
	s.observer.Rejected(1)
	for _, uid := range uids(p) {
		s.logRefused(uid, problem)
	}
}

func (s *sender) logRefused(uid, problem string) {
	s.logger.Warn("OTLP endpoint refused a log record, which is set aside", "uid", uid, "err", problem)
}

// insist does what the ledger must do until it is done. An error is that the
// ledger is closed, or the context's.
func (s *sender) insist(ctx context.Context, waiting *pauser, what string, do func() error) error {
	delays := newBackOff()
	for tries := 1; ; tries++ {
		err := do()
		switch {
		case err == nil:
			if tries > 1 {
				s.health.working()
			}
			return nil
		case errors.Is(err, ledger.ErrClosed):
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		wait := delays.NextBackOff()
		s.health.failing(what+": "+err.Error(), wait)
		if err := waiting.pause(ctx, wait); err != nil {
			return err
		}
	}
}

// newBackOff waits 0.3 to 0.9 s first, twice as long each time, and up to a minute.
func newBackOff() *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval, b.Multiplier, b.MaxInterval = 600*time.Millisecond, 2, 40*time.Second
	return b
}
