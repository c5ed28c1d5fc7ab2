package httpclient

import (
	"net/http"
	"time"
)

// observeDate reads an answer's Date, which is that of its making: about the middle of the round trip.
func (c *Client) observeDate(header http.Header, sent time.Time, took time.Duration) {
	date, err := http.ParseTime(header.Get("Date"))
	age := header.Get("Age") // of an answer from a cache, whose date is an old one (RFC 9111 5.1)
	if err != nil || age != "" && age != "0" {
		return
	}
	offset := date.Sub(sent.Round(0).Add(took / 2)) // Round strips the monotonic reading: the wall clocks are compared
	c.offset.Store(&offset)
}

// Offset returns the provider's clock minus the local one, by the Date header of the latest answer and
// less half its round trip, and whether there was one. As Date is cut to seconds
// it is up to a second too low, never too high by more than half the round trip.
func (c *Client) Offset() (time.Duration, bool) {
	if offset := c.offset.Load(); offset != nil {
		return *offset, true
	}
	return 0, false
}
