package work

import "time"

// Backoff is how long what failed waits: First after one time, twice as long after each further one, at most Last.
type Backoff struct {
	First, Last time.Duration
	// Jitter is which part of a wait may be left out, so that what failed together is tried apart.
	Jitter float64
}

// The waits of what fails.
var (
	// Poll is of a whole feed, of a level of its read plan, and of a subscription.
	Poll = Backoff{First: time.Second, Last: time.Minute, Jitter: 0.4}
	// Fetch is of a record.
	Fetch = Backoff{First: 30 * time.Second, Last: 15 * time.Minute, Jitter: 0.25}
	// Rereading is of a span of time that is read again.
	Rereading = Backoff{First: 5 * time.Second, Last: 6 * time.Hour}
)

// Daily is how often a record that was set aside is tried.
const Daily = 24 * time.Hour

// After is the wait after a number of failures; random is from 0 up to 1.
func (b Backoff) After(failures int, random float64) time.Duration {
	wait := b.First
	for ; failures > 1 && wait < b.Last; failures-- {
		wait *= 2
	}
	wait = min(wait, b.Last)
	return wait - time.Duration(b.Jitter*random*float64(wait))
}
