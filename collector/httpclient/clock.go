package httpclient

import (
	"net/http"
	"sync"
	"time"
)

// clock keeps the difference between the provider's clock and ours.
type clock struct {
	mu     sync.Mutex
	offset time.Duration // guarded by mu
	known  bool          // guarded by mu
}

// observe takes an answer's Date, which is that of its making: about the middle of the round trip. It
// returns the date, or zero.
func (c *clock) observe(header http.Header, sent time.Time, took time.Duration) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	if age := header.Get("Age"); age != "" && age != "0" {
		return date // from a cache, so the date is an old one (RFC 9111 5.1)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// Round strips the monotonic reading: it is the wall clocks that are compared.
	c.offset, c.known = date.Sub(sent.Round(0).Add(took/2)), true
	return date
}

func (c *clock) get() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.known
}
