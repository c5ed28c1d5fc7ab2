package collector

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// firstRetry and lastRetry bound the wait after a failure (contract 6.7).
	firstRetry = time.Second
	lastRetry  = time.Minute

	// firstPiece is how long the first piece of a level is, and longPiece the longest. shortPiece is the length under which a slow one is no
	// longer cut.
	firstPiece = 24 * time.Hour
	longPiece  = 400 * 24 * time.Hour
	shortPiece = time.Minute
	// fewPages are what a piece must have had before a shorter one would be faster.
	fewPages = 3

	// never is a time that doesn't come.
	never time.Duration = 1<<63 - 1
)

// retryDelay is how long to wait after so many failures in a row: from 1 s, doubling up to 60 s, less up to two fifths, so that feeds don't
// march in step.
func retryDelay(failures int, random func() float64) time.Duration {
	delay := doubling(firstRetry, lastRetry, failures)
	return delay - time.Duration(0.4*random()*float64(delay))
}

// doubling is first after one time, and twice as long after each further one, up to last.
func doubling(first, last time.Duration, times int) time.Duration {
	for ; times > 1 && first < last; times-- {
		first *= 2
	}
	return min(first, last)
}

// backoff is how something goes that is tried again and again. Its zero value has not failed. The times are those of Clock.Elapsed.
type backoff struct {
	failures int   // in a row
	err      error // of the last one
	retry    time.Duration
}

func (b *backoff) fail(err error, tick time.Duration, random func() float64) {
	b.failures++
	b.err = err
	b.retry = tick + max(retryDelay(b.failures, random), httpclient.RetryAfter(err))
}

// level is how reading a level of the plan goes in this process.
type level struct {
	backoff

	piece   time.Duration // how long the next piece may be
	suspect plan.Span     // the shortest piece that failed
	fault   witness.Case  // what speaks against it
}

// levels are those of the plan. A level that fails backs off by itself. After polls that fail one after the other, so do all that were due
// when the last one failed: they aren't tried at once instead of it.
type levels struct {
	each     []level
	all      backoff
	failedAt time.Time // the last one, by the feed's clock, or until when the provider asked to wait
	// slow is when a piece takes too long, and grain is Limits.Grain: none is shorter.
	slow, grain time.Duration
}

func newLevels(n int, interval, grain time.Duration) *levels {
	s := &levels{each: make([]level, n), slow: max(interval/2, 5*time.Second), grain: grain}
	s.forget(n)
	return s
}

func (s *levels) forget(n int) {
	for m := range n {
		s.each[m] = level{piece: max(firstPiece, s.grain)}
	}
}

func (s *levels) failing(m int) bool { return s.each[m].failures > 0 }

// retryAt is when a level may be read that has been due since an instant: not before it has backed off, and not while a shallower one fails, for
// then it would fail too.
func (s *levels) retryAt(m int, due time.Time) time.Duration {
	switch {
	case slices.ContainsFunc(s.each[:m], func(l level) bool { return l.failures > 0 }):
		return never
	case due.After(s.failedAt):
		return s.each[m].retry
	}
	return max(s.each[m].retry, s.all.retry)
}

// trouble is the failure of the shallowest level that fails.
func (s *levels) trouble() error {
	for m := range s.each {
		if s.failing(m) {
			return s.each[m].err
		}
	}
	return nil
}

// failed backs a level off, and halves its next piece, of which this one was so long.
func (s *levels) failed(m int, err error, length time.Duration, c *Clock, random func() float64) {
	l := &s.each[m]
	l.fail(err, c.Elapsed(), random)
	s.all.fail(err, c.Elapsed(), random)
	s.failedAt = c.Now().Add(httpclient.RetryAfter(err))
	l.piece = max(min(l.piece, length)/2, s.grain, shortestPiece)
}

// succeeded ends a level's failures, and fits the next piece to what this one took. It may have been slow because it was long, or because
// each page is: then a shorter one wouldn't help.
func (s *levels) succeeded(m int, length, took time.Duration, pages int) {
	l := &s.each[m]
	l.backoff, s.all = backoff{}, backoff{}
	switch {
	case took > s.slow && pages >= fewPages:
		l.piece = max(min(l.piece, length)/2, s.grain, shortPiece)
	case length >= l.piece:
		l.piece = min(2*l.piece, longPiece)
	}
}
