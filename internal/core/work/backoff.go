package work

import "time"

// Backoff is the wait after failures: First after one failure, twice as long after each further one, at most Last.
type Backoff struct {
	First, Last time.Duration
	// Jitter is the share of a wait that may be left out, so that items that failed together are tried apart.
	Jitter float64
}

// The waits after failures.
var (
	// Poll is for a request, a whole feed, a level of its read plan, and a subscription.
	Poll = Backoff{First: time.Second, Last: time.Minute, Jitter: 0.4}
	// Fetch is for a record that is fetched by its id.
	Fetch = Backoff{First: 30 * time.Second, Last: 15 * time.Minute, Jitter: 0.25}
	// Rereading is for a span of time that is read again.
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
