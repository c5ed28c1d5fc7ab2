package collector

import "time"

// The waits between retries (contract 6.7).
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// retryDelay is how long to wait after so many failures in a row: from 1 s,
// doubling up to 60 s, less up to two fifths, so that feeds don't march in step.
func retryDelay(failures int, random func() float64) time.Duration {
	delay := firstRetry
	for i := 1; i < failures && delay < lastRetry; i++ {
		delay *= 2
	}
	delay = min(delay, lastRetry)
	return delay - time.Duration(0.4*random()*float64(delay))
}
