package collector

import "time"

const (
	// askAgain is after how long an account that didn't offer to read by changes is
	// asked whether it does now; a start asks too.
	askAgain = 24 * time.Hour
	// longestLoss is the longest wait before a token that is lost again and again is
	// begun anew: each time much is read again.
	longestLoss = time.Hour
)

// drain is how reading by changes has gone in this process: from a first request to the
// answer that says that nothing newer exists. Its times are those of a clock that only
// counts up.
type drain struct {
	interval time.Duration
	random   func() float64

	// under says that newer changes are there than the last step has brought.
	under bool
	// began is when the drain's first request was made, and now what the feed's clock
	// said then. fresh says that it began without a token, doubt that the time was in
	// doubt at one of its steps.
	began        time.Duration
	now          time.Time
	fresh, doubt bool
	// next is when the next drain is due, retry when a step may be made after a failure.
	next, retry time.Duration
	failures    int
	err         error
	// losses is how many tokens were lost since one was good for a drain of its own.
	losses int
	// refused says that the account doesn't offer it.
	refused bool
	// ended is when the last drain ended; it counts if good is set.
	ended time.Duration
	good  bool
}

// stepBegins notes a step's request.
func (d *drain) stepBegins(tick time.Duration, now time.Time, fresh, doubt bool) {
	if !d.under {
		d.began, d.now, d.fresh, d.doubt = tick, now, fresh, false
	}
	d.doubt = d.doubt || doubt
}

// stepCommitted notes a step that is committed.
func (d *drain) stepCommitted(tick time.Duration, more bool) {
	d.failures, d.err, d.retry, d.refused = 0, nil, 0, false
	d.under = more
	if more {
		return
	}
	d.next = d.began + d.interval
	d.ended, d.good = tick, true
	if !d.fresh {
		d.losses = 0
	}
}

// failed backs off.
func (d *drain) failed(err error, after, tick time.Duration) {
	d.failures++
	d.err = err
	d.retry = tick + max(retryDelay(d.failures, d.random), after)
}

// lost takes note of a token that is no longer good. The first time the drain begins
// anew at once.
func (d *drain) lost(err error, tick time.Duration) {
	d.under = false
	d.losses++
	if d.losses == 1 {
		d.failures, d.err, d.retry = 0, nil, 0
		return
	}
	wait := d.interval
	for n := 2; n < d.losses && wait < longestLoss; n++ {
		wait *= 2
	}
	d.failed(err, max(d.interval, min(wait, longestLoss)), tick)
}

// refuse takes note that the account doesn't offer to read by changes.
func (d *drain) refuse(tick time.Duration) {
	d.under, d.good, d.refused = false, false, true
	d.failures, d.err, d.retry = 0, nil, tick+askAgain
}

// due is when the next step is.
func (d *drain) due() time.Duration {
	if d.under {
		return d.retry
	}
	return max(d.next, d.retry)
}

// reliable says whether changes are read, so that ranges may be few: a drain has ended not
// long ago, and the next step comes before that is too long.
func (d *drain) reliable(tick time.Duration) bool {
	return d.good && d.failures < drainTries && max(tick, d.due()) < d.ended+drainPatience*d.interval
}
