package otlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/outbox"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// maxRetryAfter limits how long an endpoint can make us wait.
	maxRetryAfter = time.Hour
	// largeRecord is the size from which a single record may exceed an endpoint's limit. If a
	// smaller one is refused as too large, the endpoint is overloaded.
	largeRecord = 1 << 20
	// poisonTries is how often a single record must be refused before it is set aside, which takes
	// some 3 s: so an endpoint that refuses every other request doesn't make a record poison. The
	// last refusal needs a witness, so that an outage doesn't either.
	poisonTries = 6
	// maxRefusals is how many refusals in a row without a witness mean an outage: about twice as
	// many as it takes to halve a batch down to one record. The sender then splits nothing, and
	// sends one request at a time, with backoff.
	maxRefusals = 20
)

// Outbox is the ledger's queue of log records, or of spans.
type Outbox interface {
	// Next is the oldest batch after the one with that id, or nil. It stays until Ack.
	Next(ctx context.Context, after int64) (*outbox.Batch, error)
	// Ack deletes a batch; nil means that the deletion is committed.
	Ack(ctx context.Context, id int64) error
	// Wait returns when there may be a batch, or when the context has ended.
	Wait(ctx context.Context)
}

// Count counts log records or spans as `sent`, which the endpoint accepted, or `rejected`, which
// were set aside. One goroutine calls it.
type Count func(result string, records int)

// answerKind is what an answer means for the records that were sent (counting.md 26).
type answerKind uint8

const (
	accepted answerKind = iota // the endpoint has the records
	retry                      // not the records' fault: send the same request later
	refused                    // a record in the request may be at fault, or the endpoint
	tooLarge                   // fewer records may pass; a single small record isn't at fault
)

// answer is the result of one request.
type answer struct {
	kind answerKind
	// rejected is how many records of an accepted request were refused (partial success).
	rejected int64
	// after is how long the endpoint asks to wait; zero if it doesn't.
	after time.Duration
	// problem describes the failure in our words: the endpoint's may quote a record or a header.
	problem string
}

// Error implements error, so that transports can return an answer other than an acceptance as their
// error.
func (a answer) Error() string { return a.problem }

// answerOf returns the answer that an error of a request wraps; any other error is a reason to retry.
func answerOf(err error) answer {
	if a, ok := errors.AsType[answer](err); ok {
		return a
	}
	return answer{kind: retry, problem: err.Error()}
}

// The advice in a problem.
const (
	checkCredentials = "; check the credentials in otlp.headers"
	checkEndpoint    = "; check otlp.endpoint"
)

// sender drains a queue of log records or spans (both called records here), one batch after the
// other (counting.md 26, 30).
//
//	batch ─▶ offer ─ accepted ─▶ counted
//	          ▲ │ refused: split while there is more than one record
//	          │ ▼
//	         wait
//	            │ refused six times, and the endpoint accepted another record just before the last
//	            ▼
//	        set aside
//
// A batch is deleted when all of its records were accepted or set aside; then the next one is
// offered. If the endpoint accepts nothing of a batch, the sender looks for a witness in later
// batches. It sends single records of them, in turn with the batch's own records and the latest
// record that was accepted.
type sender struct {
	outbox Outbox
	// post sends an encoded ExportLogsServiceRequest, or ExportTraceServiceRequest, once. After the
	// context ended, only an acceptance counts.
	post     func(ctx context.Context, request []byte) answer
	envelope envelope
	count    Count
	health   *health
	logger   *slog.Logger
	timeout  time.Duration // for one request
	grace    time.Duration // to drain the outbox at shutdown

	// stop ends at shutdown and cuts one wait short, because there is time for one more try at
	// once. After that it never ends.
	stop context.Context

	endpoint witness.Endpoint
	// refusals counts the refusals without a witness in a row; more than maxRefusals mean an
	// outage.
	refusals int
	problem  string // problem of the latest refusal

	// probed is the id of the latest batch with a refused probe: the next probe comes from a later
	// batch.
	probed int64
	// taken is how many records of a batch the endpoint has accepted as probes, by the batch's id.
	taken map[int64]int
	// latest is a record that the endpoint has accepted; nil if there is none yet.
	latest []byte
}

// part is a subset of a batch's records, for one request.
type part struct {
	records  [][]byte // see splitBatch
	refusals witness.Refusals
	tries    int // of exactly these records
	// witnessed says that the latest refusal has a witness: the endpoint accepted another record
	// since the previous refusal.
	witnessed bool
}

// run sends until the context ends, then until the outbox is empty or the grace has passed. It
// fails if the outbox is closed.
func (s *sender) run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(s.grace, cancel) })()
	s.stop, s.taken = ctx, make(map[int64]int)
	for {
		batch, err := s.next(work, 0)
		switch {
		case err != nil:
		case batch != nil:
			err = s.deliverBatch(work, batch)
		case ctx.Err() != nil:
			return nil
		default:
			s.outbox.Wait(ctx)
		}
		switch {
		case isClosed(err):
			return fmt.Errorf("read outbox: %w", err)
		case err != nil:
			s.logger.Info("Shutdown timeout reached; records stay in the outbox for the next start")
			return nil
		}
	}
}

// next reads the oldest batch after the one with that id, with retries; nil if there is none.
func (s *sender) next(ctx context.Context, after int64) (batch *outbox.Batch, err error) {
	err = s.retryLedger(ctx, "read outbox", func() error {
		batch, err = s.outbox.Next(ctx, after)
		return err
	})
	return batch, err
}

// deliverBatch offers a batch until each record was accepted or set aside, and then deletes it.
func (s *sender) deliverBatch(ctx context.Context, batch *outbox.Batch) error {
	records, whole := splitBatch(batch.Data)
	if !whole || len(records) < batch.Records {
		lost := max(batch.Records-len(records), 1)
		s.count("rejected", lost)
		s.logger.Error("Can't read records in the outbox; they are set aside",
			"batch", batch.ID, "source", batch.Source, "feed", batch.Feed, "records", lost)
	}
	var parts []*part
	if records = records[min(s.taken[batch.ID], len(records)):]; len(records) > 0 {
		parts = []*part{{records: records}}
	}
	parts, err := s.offerParts(ctx, batch, parts)
	refused := false // the latest probe
	for failures := 1; err == nil && len(parts) > 0; failures++ {
		if s.refusals > 0 {
			s.health.failing(s.problem)
		} else {
			failures = 1 // the endpoint works: poison records delay the others
		}
		if err = s.pause(ctx, waitAfter(failures)); err != nil {
			return err
		}
		if refused = !refused && (s.refusals > 0 || slices.ContainsFunc(parts, (*part).onLastTry)); refused {
			refused, err = s.probe(ctx, batch.ID)
		}
		if !refused && err == nil {
			parts, err = s.offerParts(ctx, batch, parts)
		}
	}
	if err != nil {
		return err
	}
	delete(s.taken, batch.ID)
	// Try once even if the time is up: a batch that isn't deleted is sent again at the next start.
	return s.retryLedger(ctx, "delete sent records from the outbox", func() error {
		return s.outbox.Ack(context.WithoutCancel(ctx), batch.ID)
	})
}

// offerParts sends parts, splits those that are refused, and returns the parts to offer again. In
// an outage it sends only the first. The error is the context's.
func (s *sender) offerParts(ctx context.Context, batch *outbox.Batch, parts []*part) (left []*part, err error) {
	for len(parts) > 0 {
		p := parts[0]
		parts = parts[1:]
		a, err := s.upload(ctx, p.records)
		switch {
		case err != nil:
			return nil, err
		case a.kind == accepted:
			s.noteAccepted(p.records, a.rejected, batch)
			continue
		}
		s.noteRefusal(p, a)
		switch half := len(p.records) / 2; {
		case s.refusals > maxRefusals:
			return slices.Concat(parts, left, []*part{p}), nil // next time another part comes first
		case half > 0:
			parts = slices.Insert(parts, 0,
				&part{records: p.records[:half], refusals: p.refusals},
				&part{records: p.records[half:], refusals: p.refusals})
		case p.isPoison():
			s.setAside(p.records[0], a.problem)
		default:
			left = append(left, p)
		}
	}
	return left, nil
}

func (s *sender) noteRefusal(p *part, a answer) {
	witnessed := p.refusals.Witnessed()
	p.refusals.Add(&s.endpoint)
	p.tries++
	p.witnessed = p.refusals.Witnessed() > witnessed
	s.problem = a.problem
	if p.refusals.Witnessed() == 0 || p.tries >= poisonTries && !p.witnessed {
		s.refusals++
	}
}

// onLastTry says whether one more refusal with a witness makes the record poison.
func (p *part) onLastTry() bool { return p.tries >= poisonTries-1 }

// isPoison says whether the endpoint refuses only this record: it has refused the record
// poisonTries times and accepted another one just before the last.
func (p *part) isPoison() bool {
	return len(p.records) == 1 && p.tries >= poisonTries && p.witnessed
}

// probe sends a record of a later batch, which may be the witness. If that was refused too, or
// there is none, it repeats the latest accepted record. All later records may be poison, such as
// those that are too old for the endpoint. It returns whether the probe was refused.
func (s *sender) probe(ctx context.Context, current int64) (refused bool, err error) {
	batch, err := s.next(ctx, max(current, s.probed))
	if err != nil {
		return false, err
	}
	var one []byte
	if batch == nil {
		s.probed = 0 // start from the oldest again
	} else if records, _ := splitBatch(batch.Data); s.taken[batch.ID] < len(records) {
		one = records[s.taken[batch.ID]]
	} else {
		s.probed = batch.ID
	}
	repeated := s.latest != nil && (one == nil || s.refusals > 0)
	if repeated {
		one = s.latest
	}
	if one == nil {
		return false, nil
	}
	a, err := s.upload(ctx, [][]byte{one})
	switch {
	case err != nil:
		return false, err
	case a.kind == accepted && repeated:
		s.noteSuccess()
	case a.kind == accepted:
		s.taken[batch.ID]++
		s.noteAccepted([][]byte{one}, a.rejected, batch)
	default:
		s.refusals, s.problem = s.refusals+1, a.problem
		if repeated {
			s.latest = nil // an accepted record may be too old by now
		} else {
			s.probed = batch.ID
		}
	}
	return a.kind != accepted, nil
}

// pause waits; at shutdown it waits less, once. The error is the context's.
func (s *sender) pause(ctx context.Context, d time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	select {
	case <-limited.Done():
	case <-s.stop.Done():
		s.stop = context.WithoutCancel(ctx)
	}
	return ctx.Err()
}

// upload sends records until the endpoint has accepted or refused them. The error is the context's.
func (s *sender) upload(ctx context.Context, records [][]byte) (answer, error) {
	small := len(records) == 1 && len(records[0]) < largeRecord
	for failures := 1; ; failures++ {
		switch a := s.uploadOnce(ctx, records); {
		case a.kind == accepted:
			return a, nil
		case a.kind == retry, a.kind == tooLarge && small:
			if err := s.holdUp(ctx, failures, a.problem, a.after); err != nil {
				return a, err
			}
		default:
			return a, ctx.Err()
		}
	}
}

func (s *sender) uploadOnce(ctx context.Context, records [][]byte) answer {
	limited, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	a := s.post(limited, s.envelope.request(records))
	if a.kind == accepted && a.rejected > 0 && a.rejected >= int64(len(records)) {
		return answer{kind: refused, problem: "the endpoint accepted a request, but none of its records"}
	}
	return a
}

// holdUp shows the problem that delays the records after a number of failures, and waits as long as
// that or the endpoint asks. The error is the context's.
func (s *sender) holdUp(ctx context.Context, failures int, problem string, after time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err // the problem is only that the time is up
	}
	wait := max(waitAfter(failures), min(after, maxRetryAfter))
	s.health.failing(problem)
	return s.pause(ctx, wait)
}

func (s *sender) noteSuccess() {
	s.endpoint.Succeeded()
	s.refusals = 0
	s.health.working()
}

// noteAccepted counts accepted records, without those that a partial success refused. These must be
// fewer than all.
func (s *sender) noteAccepted(records [][]byte, rejected int64, batch *outbox.Batch) {
	s.noteSuccess()
	n := int(max(rejected, 0))
	s.count("sent", len(records)-n)
	if n == 0 {
		s.latest = bytes.Clone(records[len(records)-1])
		return
	}
	s.count("rejected", n)
	s.health.refusing(acceptedInPart(rejected).problem)
	// OTLP doesn't say which ones, and forbids sending them again.
	s.logger.Warn("OTLP endpoint refused some records of a request", "rejected", n, "records", len(records),
		"source", batch.Source, "feed", batch.Feed, "first_uid", uidOf(records[0]), "last_uid",
		uidOf(records[len(records)-1]))
}

// setAside counts a poison record and logs its UID.
func (s *sender) setAside(record []byte, problem string) {
	s.count("rejected", 1)
	s.health.refusing(problem)
	s.logger.Warn("OTLP endpoint refused a record but accepted others; the record is set aside", "uid", uidOf(record),
		"err", problem)
}

// isClosed reports whether the ledger is closed for good.
func isClosed(err error) bool {
	return errors.Is(err, ledger.ErrClosed) || errors.Is(err, ledger.ErrReplaced)
}

// retryLedger repeats an operation of the ledger until it succeeds. It fails if the ledger is
// closed or the context ends.
func (s *sender) retryLedger(ctx context.Context, what string, do func() error) error {
	for failures := 0; ; failures++ {
		err := do()
		switch {
		case err == nil && failures > 0:
			s.health.working()
			return nil
		case err == nil, isClosed(err):
			return err
		}
		if err := s.holdUp(ctx, failures+1, what+": "+err.Error(), 0); err != nil {
			return err
		}
	}
}

// waits are 0.3 to 0.9 s first, doubling, at most a minute.
var waits = work.Backoff{First: 900 * time.Millisecond, Last: time.Minute, Jitter: 2. / 3}

func waitAfter(failures int) time.Duration { return waits.After(failures, rand.Float64()) }
