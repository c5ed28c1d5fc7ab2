package httpclient

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock keeps the difference between the provider's clock and ours.
type clock struct{ offset atomic.Pointer[time.Duration] }

// observe reads an answer's Date, which is that of its making: about the middle of the round trip. It
// returns the date, or zero.
func (c *clock) observe(header http.Header, sent time.Time, took time.Duration) time.Time {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	if age := header.Get("Age"); age == "" || age == "0" { // else it is from a cache, and the date is an old one (RFC 9111 5.1)
		offset := date.Sub(sent.Round(0).Add(took / 2)) // Round strips the monotonic reading: the wall clocks are compared
		c.offset.Store(&offset)
	}
	return date
}

func (c *clock) get() (time.Duration, bool) {
	if offset := c.offset.Load(); offset != nil {
		return *offset, true
	}
	return 0, false
}
