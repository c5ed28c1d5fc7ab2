package httpclient

import (
	"net/http"
	"sync/atomic"
	"time"
)

// clock keeps the difference between the provider's clock and ours.
type clock struct{ offset atomic.Pointer[time.Duration] }

// observe reads an answer's Date, which is that of its making: about the middle of the round trip.
func (c *clock) observe(header http.Header, sent time.Time, took time.Duration) {
	date, err := http.ParseTime(header.Get("Date"))
	age := header.Get("Age") // of an answer from a cache, whose date is an old one (RFC 9111 5.1)
	if err != nil || age != "" && age != "0" {
		return
	}
	offset := date.Sub(sent.Round(0).Add(took / 2)) // Round strips the monotonic reading: the wall clocks are compared
	c.offset.Store(&offset)
}

func (c *clock) get() (time.Duration, bool) {
	if offset := c.offset.Load(); offset != nil {
		return *offset, true
	}
	return 0, false
}
