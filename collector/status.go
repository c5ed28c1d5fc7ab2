package collector

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// State is how a feed is doing, as /api/v1/status shows it.
type State string

// The states, from the best to the worst.
const (
	StateOK         State = "ok"          // read on time
	StateCatchingUp State = "catching_up" // the watermark is more than max(10m, 3 intervals) behind
	StateThrottled  State = "throttled"   // the provider throttles
	StateError      State = "error"       // the last poll failed, or a part of what is due keeps failing
)

// Status is a feed at an instant.
type Status struct {
	State State
	// Watermark: every call that started before it has been looked for.
	Watermark time.Time
	// LastSuccess is when this process last polled without an error; zero: never.
	LastSuccess time.Time
	// NextRead is when the next poll is due; zero while one runs.
	NextRead time.Time
	// Records is how many records the feed has counted.
	Records uint64
	// LastError is the current problem and what to do about it, in one line without secrets; empty if there is none.
	LastError string
	// Ready says that the feed's history has been read, or that a poll has failed.
	Ready bool
	// Unread are the spans of time that can't be read and are stepped over, as FROM/TO.
	Unread []string
}

// behind says whether a watermark is so far behind that the feed is catching up.
func behind(watermark, now time.Time, interval time.Duration) bool {
	return !watermark.IsZero() && now.Sub(watermark) > max(10*time.Minute, 3*interval)
}

// health is how a loop is doing.
type health struct {
	status  Status // what isn't in the ledger, and Ready after a failure
	trouble error  // of the last poll, or of a part of the feed
}

type panicError struct {
	value string
	stack []byte
}

func (e *panicError) Error() string { return "panic: " + e.value }

// catchPanic makes a panic of do an error like any other.
func catchPanic(ctx context.Context, do func(ctx context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{value: fmt.Sprint(v), stack: debug.Stack()}
		}
	}()
	return do(ctx)
}

// ledgerError is a failure of the ledger's: to open a feed's state, to commit, or to read tasks. It
// counts against no span, task or row (counting.md 35); the loop itself waits.
type ledgerError struct{ error }

func (e *ledgerError) Unwrap() error { return e.error }

// asLedgerError marks an error as the ledger's.
func asLedgerError(err error) error {
	if err == nil {
		return nil
	}
	return &ledgerError{err}
}

func isLedgerError(err error) bool {
	_, ok := errors.AsType[*ledgerError](err)
	return ok
}

func isPanic(err error) bool {
	_, ok := errors.AsType[*panicError](err)
	return ok
}

func (l *Loop) state() counting.State {
	if l.settings.Ledger == nil {
		return counting.State{}
	}
	return l.settings.Ledger.State()
}

// handlePollResult notes how a poll ended and returns the wait until the next. A poll that had nothing to do
// doesn't change the feed's health.
func (l *Loop) handlePollResult(ctx context.Context, err error) time.Duration {
	now, nothing, before := l.settings.Clock.Now(), errors.Is(err, errNothingDue), l.failures
	switch {
	case err == nil:
		l.failures = 0
	case !nothing:
		l.failures++
	}
	wait := l.wait(ctx, err)
	l.update(func(h *health) {
		h.status.NextRead = now.Add(wait)
		switch {
		case err == nil:
			h.status.LastSuccess, h.trouble = now, l.trouble()
		case !nothing:
			h.status.Ready, h.trouble = true, err
		}
	})
	if !nothing {
		l.settings.Metrics.Poll(err == nil)
		l.log(err, before, wait)
		l.Refresh()
	}
	return wait
}

func (l *Loop) log(err error, before int, wait time.Duration) {
	logger := l.settings.Logger
	if p, ok := errors.AsType[*panicError](err); ok {
		logger.Error("Reading the feed panicked: please report this", "panic", p.value, "stack", string(p.stack),
			"retry_in", wait.String())
		return
	}
	switch {
	case err != nil:
		logger.Warn("Reading the feed failed", "err", l.describe(err), "failures", before+1, "retry_in", wait.String())
	case before > 0:
		logger.Info("The feed is read again", "failures", before)
	}
}

// Refresh updates the self metrics that depend on the time.
func (l *Loop) Refresh() {
	state, now, offset := l.state(), l.settings.Clock.Now(), l.settings.Clock.Offset()
	o, lastSuccess := l.settings.Metrics, l.health.Load().status.LastSuccess
	switch {
	case l.settings.Ledger != nil:
		o.SetTime(metrics.Watermark, state.Watermark)
	case !lastSuccess.IsZero(): // zero after a reload
		// A snapshot has no position; queries of staleness are to include it.
		o.SetTime(metrics.Watermark, lastSuccess)
	}
	o.SetTime(metrics.NewestCall, state.NewestCall)
	o.SetTime(metrics.LastSuccess, lastSuccess)
	o.SetBool(metrics.CatchingUp, behind(state.Watermark, now, l.settings.Info.PollInterval()))
	o.SetSeconds(metrics.ClockOffset, offset)
	far := offset.Abs() > plan.ClockTolerance
	if shown := l.offsetShown.Swap(far); far && !shown {
		l.settings.Logger.Warn("The provider's clock differs from this machine's: it is read up to the later "+
			"one, and positions move up to the earlier one", "offset", offset.String())
	}
}

// Status is the feed now.
func (l *Loop) Status() Status {
	state, now := l.state(), l.settings.Clock.Now()
	h := l.health.Load()
	s := h.status
	s.State, s.Watermark, s.Records = StateOK, state.Watermark, state.Calls
	s.Ready = s.Ready || state.HistoryDone
	for i := range state.Spans {
		if w := &state.Spans[i]; w.SetAside {
			s.Unread = append(s.Unread, plan.SpanText(w))
		}
	}
	if behind(state.Watermark, now, l.settings.Info.PollInterval()) {
		s.State = StateCatchingUp
	}
	if h.trouble != nil {
		s.State, s.LastError = StateError, l.describe(h.trouble)
		if httpclient.KindOf(h.trouble) == httpclient.KindThrottled {
			s.State = StateThrottled
		}
	}
	if l.settings.ThrottledUntil != nil {
		if until := l.settings.ThrottledUntil(); until.After(l.settings.Clock.local()) {
			s.State = StateThrottled
			s.LastError = fmt.Sprintf("throttled by the provider until %s: nothing needs doing; if it happens "+
				"again and again, raise interval or lower requests_per_minute",
				until.UTC().Format(time.RFC3339))
		}
	}
	return s
}

// UnkeptAdvice says what to do about ledger.ErrUnkept.
const UnkeptAdvice = "before the exporter is restarted, make room in storage.path, or see why the ledger " +
	"can't be written; it is tried again each second"

// describe is an error in one line with what to do about it.
func (l *Loop) describe(err error) string {
	switch {
	case errors.Is(err, ledger.ErrOtherAccount), errors.Is(err, ledger.ErrRenamed):
		return err.Error() + ": change the configuration and reload it"
	case errors.Is(err, ledger.ErrUnkept):
		return err.Error() + ": " + UnkeptAdvice
	case errors.Is(err, ledger.ErrFull):
		return ledger.ErrFull.Error() + ": reading pauses and loses nothing; make room in storage.path, or on " +
			"the database's disk; it goes on by itself"
	case errors.Is(err, ledger.ErrOutboxFull):
		return ledger.ErrOutboxFull.Error() +
			": reading pauses and loses nothing; see why the OTLP endpoint takes no logs or spans, or set outbox_full"
	case errors.Is(err, ledger.ErrFenced):
		return ledger.ErrFenced.Error() +
			": it is read again; if this repeats, see whether two processes count this feed"
	case errors.Is(err, ledger.ErrNotOwner):
		return ledger.ErrNotOwner.Error() + ": this one stops reading it"
	case errors.Is(err, ledger.ErrReplaced):
		return err.Error() + ": start the exporter again, with the ledger back in its place or to begin a new one"
	case errors.Is(err, ledger.ErrClosed):
		return ledger.ErrClosed.Error() + ": the exporter is stopping"
	case isLedgerError(err):
		return err.Error() + ": it is tried again by itself, and nothing is lost"
	case isPanic(err):
		return err.Error() + ": a fault of the exporter, please report it; the feed is tried again"
	}
	if l.settings.Advise == nil {
		return err.Error()
	}
	what, todo := l.settings.Advise(err)
	return what + ": " + todo
}
