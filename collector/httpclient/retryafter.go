package httpclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter caps what a provider may ask us to wait, so that a typing error of theirs doesn't stop a feed for days.
const MaxRetryAfter = time.Hour

// ParseRetryAfter reads Retry-After (RFC 9110 10.2.3): seconds, with a fraction or a sign as some servers send them, or a date, which is compared
// with the answer's own Date, or with now if it has none. It returns at most MaxRetryAfter, and 0 if there is none that can be read.
func ParseRetryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if strings.Trim(value, "-.0123456789") == "" {
		seconds, _ := strconv.ParseFloat(value, 64) // of too many digits: infinite; of none: 0
		return time.Duration(min(max(seconds, 0), MaxRetryAfter.Seconds()) * float64(time.Second))
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), MaxRetryAfter)
}
