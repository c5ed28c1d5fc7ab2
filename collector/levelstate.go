package collector

import (
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/plan"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/witness"
)

const (
	// firstPiece is the length of a level's first piece, longPiece the length of the longest one. Slow pieces
	// aren't cut below shortPiece.
	firstPiece = 24 * time.Hour
	longPiece  = 400 * 24 * time.Hour
	shortPiece = time.Minute
	// fewPages is how many pages a slow piece must have had for a shorter one to be faster.
	fewPages = 3

	// neverDue is the wait for something that isn't due at any time.
	neverDue time.Duration = 1<<63 - 1
)

// backoff is the state of an operation that is retried. Its zero value has not failed. Times are on
// the clock of Clock.Elapsed.
type backoff struct {
	failures int   // in a row
	err      error // of the last one
	retry    time.Duration
}

// trouble is why the last try failed; nil if it didn't.
func (b *backoff) trouble() error { return b.err }

func (b *backoff) fail(err error, tick time.Duration, random func() float64) {
	b.failures++
	b.err = err
	b.retry = tick + max(work.Poll.After(b.failures, random()), httpclient.RetryAfter(err))
}

// levelState is what this process knows of reading a level of the plan.
type levelState struct {
	backoff

	piece       time.Duration    // how long the next piece may be
	failedPiece plan.Span        // the latest piece that failed, without the part that was read since
	refusals    witness.Refusals // of failedPiece and the pieces that it was cut from
	skipped     plan.Span        // the latest run of time that was stepped over, without a gap
}

// levelStates are the states of all levels of the plan. A level that fails backs off by itself. While
// polls keep failing, all levels back off too, so that they aren't tried at once in its place.
type levelStates struct {
	each []levelState
	all  backoff
	// A piece that takes longer than slow is too long. No piece is shorter than grain, which is Limits.Grain.
	slow, grain time.Duration
}

func newLevelStates(n int, interval, grain time.Duration) *levelStates {
	s := &levelStates{each: make([]levelState, n), slow: max(interval/2, 5*time.Second), grain: grain}
	for m := range s.each {
		s.each[m].piece = max(firstPiece, s.grain)
	}
	return s
}

func (s *levelStates) failing(m int) bool { return s.each[m].failures > 0 }

// retryAt is when a level may be read: after its backoff, and not while a shallower level fails, since this one would
// fail too.
func (s *levelStates) retryAt(m int) time.Duration {
	if slices.ContainsFunc(s.each[:m], func(l levelState) bool { return l.failures > 0 }) {
		return neverDue
	}
	return max(s.each[m].retry, s.all.retry)
}

// trouble is the failure of the shallowest level that fails.
func (s *levelStates) trouble() error {
	for m := range s.each {
		if s.failing(m) {
			return s.each[m].err
		}
	}
	return nil
}

func (s *levelStates) backOff(m int, err error, tick time.Duration, random func() float64) {
	s.each[m].fail(err, tick, random)
	s.all.fail(err, tick, random)
}

// shortest is how short a piece that fails may become. Right after a run that was stepped over it
// is as long as the run, since a whole day may be unreadable.
func (s *levelStates) shortest(m int, from time.Time) time.Duration {
	if skipped := s.each[m].skipped; from.Equal(skipped.To) {
		return max(skipped.Length(), s.grain, shortestPiece)
	}
	return max(s.grain, shortestPiece)
}

// halve halves a level's next piece after one that failed.
func (s *levelStates) halve(m int, piece plan.Span) {
	l := &s.each[m]
	l.piece = max(min(l.piece, piece.Length())/2, s.shortest(m, piece.From))
}

// stepOver adds a piece to the run that is stepped over, and ends the level's failures.
func (s *levelStates) stepOver(m int, piece plan.Span) {
	l := &s.each[m]
	if !piece.From.Equal(l.skipped.To) {
		l.skipped.From = piece.From
	}
	l.skipped.To = piece.To
	l.piece = s.shortest(m, piece.To)
	l.backoff, s.all, l.failedPiece, l.refusals = backoff{}, backoff{}, plan.Span{}, witness.Refusals{}
}

// pieceFailed counts a failure of a piece. If the piece is a part of the one that failed before,
// and the failures have a witness, its backoff starts at the first step; without a witness it is an
// outage, and the backoff goes on.
func (s *levelStates) pieceFailed(m int, piece plan.Span, endpoint *witness.Endpoint) {
	l := &s.each[m]
	if !l.failedPiece.Holds(piece) {
		l.refusals = witness.Refusals{}
	}
	l.refusals.Add(endpoint)
	if l.refusals.Witnessed() > 0 && piece.Length() < l.failedPiece.Length() {
		l.backoff, s.all = backoff{}, backoff{}
	}
	l.failedPiece = piece
}

// succeeded ends a level's failures and adapts the length of the next piece to how long this one
// took. A piece of few pages is slow because its pages are: a shorter one wouldn't help. After a
// part of a failed piece its rest is next, or half of the rest if the failures have a witness,
// since the rest is then known to fail.
func (s *levelStates) succeeded(m int, piece plan.Span, took time.Duration, pages int) {
	l := &s.each[m]
	l.backoff, s.all = backoff{}, backoff{}
	rest, length := l.failedPiece.To.Sub(piece.To), piece.Length()
	if !l.failedPiece.Holds(piece) || rest <= 0 {
		l.failedPiece, l.refusals = plan.Span{}, witness.Refusals{}
	}
	switch {
	case took > s.slow && pages >= fewPages:
		l.piece = max(min(l.piece, length)/2, s.grain, shortPiece)
	case l.failedPiece != plan.Span{}:
		l.failedPiece.From = piece.To
		if l.refusals.Witnessed() > 0 {
			rest /= 2
		}
		l.piece = max(rest, s.grain, shortestPiece)
	case length >= l.piece:
		l.piece = min(2*l.piece, longPiece)
	}
}
