package collector

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/plan"
)

// The length of a piece.
const (
	// firstPiece is how long the first piece is; what it costs shows how long the
	// next may be.
	firstPiece = 24 * time.Hour
	shortPiece = time.Minute
	longPiece  = 400 * 24 * time.Hour
	// shrink is by how much a slow piece shortens the next at most.
	shrink = 8
	// fewPages are what a piece must have had before a shorter one would be faster.
	fewPages = 3
)

// never is a time that doesn't come.
const never time.Duration = 1<<63 - 1

// attempts is how reading the levels has gone in this process. Its times are
// those of a clock that only counts up, since the process began.
type attempts struct {
	levels []attempt
	// streak is how many polls have failed since one succeeded.
	streak int
	// throttled is until when the provider throttles.
	throttled time.Duration
	// backoff is until when nothing that was due at the last failure is tried instead; failedAt is when that was, by the feed's clock.
	backoff  time.Duration
	failedAt time.Time
	// length is how long a piece may be to take no longer than target; none is shortened
	// below shortest.
	length, target, shortest time.Duration
	// grain is Limits.Grain: no piece is shortened below it for any reason.
	grain  time.Duration
	random func() float64
}

// attempt is how reading one level has gone.
type attempt struct {
	failures int
	err      error
	retry    time.Duration
	piece    time.Duration // how long a piece may be after failures
	suspect  suspectSpan
}

func newAttempts(l plan.Ladder, grain time.Duration, random func() float64) *attempts {
	a := &attempts{
		levels: make([]attempt, l.Last()+1),
		length: max(firstPiece, grain),
		target: max(l.Interval/2, 5*time.Second), shortest: max(grain, shortPiece), grain: grain,
		random: random,
	}
	for m := range a.levels {
		a.levels[m].piece = longPiece
	}
	return a
}

func (a *attempts) failing(level int) bool { return a.levels[level].failures > 0 }

// retryAt is when a level may be read that has been due since an instant: not
// before it has backed off, not while a shallower one fails, for then it would
// fail too, and, if it was due already when another failed, not at once instead
// of that one.
func (a *attempts) retryAt(level int, due time.Time) time.Duration {
	for m := range level {
		if a.failing(m) {
			return never
		}
	}
	at := max(a.levels[level].retry, a.throttled)
	if !due.After(a.failedAt) {
		at = max(at, a.backoff)
	}
	return at
}

// piece is how long a level's next piece may be.
func (a *attempts) piece(level int, limit time.Duration) time.Duration {
	piece := min(a.length, a.levels[level].piece)
	if limit > 0 {
		piece = min(piece, limit-2*time.Second) // it is rounded outward
	}
	return piece
}

// failed backs a level off, and halves its next piece, of which this one was so long.
func (a *attempts) failed(level int, err error, length, after, tick time.Duration, now time.Time) {
	l := &a.levels[level]
	l.failures++
	a.streak++
	l.err = err
	l.retry = tick + max(retryDelay(max(l.failures, a.streak), a.random), after)
	a.backoff, a.failedAt = tick+retryDelay(a.streak, a.random), now
	l.piece = max(min(l.piece, length)/2, a.grain, 2*plan.Overlap)
	if after > 0 {
		a.throttled = tick + after
	}
}

// stepOver ends a level's failures, of a span that is left out from now on.
func (a *attempts) stepOver(level int) {
	l := &a.levels[level]
	l.failures, l.err, l.retry = 0, nil, 0
	a.streak, a.backoff = 0, 0
}

// succeeded ends a level's failures, and fits the next piece to what this one
// took. It may have been slow because it was long, or because each page is: then
// a shorter one wouldn't help.
func (a *attempts) succeeded(level int, length, took time.Duration, pages int) {
	l := &a.levels[level]
	l.failures, l.err, l.retry = 0, nil, 0
	if length >= l.piece {
		l.piece = min(2*l.piece, longPiece)
	}
	a.streak, a.backoff = 0, 0
	switch {
	case took > a.target && pages >= fewPages:
		fits := time.Duration(float64(length) * float64(a.target) / float64(took))
		a.length = min(a.length, max(fits, length/shrink, a.shortest))
	case length >= a.length && (took < a.target/4 || pages < fewPages):
		a.length = min(2*a.length, longPiece)
	}
}

// trouble is the failure of the shallowest level that fails.
func (a *attempts) trouble() error {
	for m := range a.levels {
		if a.failing(m) {
			return a.levels[m].err
		}
	}
	return nil
}
