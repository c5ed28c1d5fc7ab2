package httpclient

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// MaxRetryAfter caps what a provider may ask us to wait, so that a typing error of theirs doesn't stop a feed for days.
const MaxRetryAfter = time.Hour

// parseRetryAfter reads Retry-After (RFC 9110 10.2.3): seconds, or a date, which is compared with the answer's own date,
// or with now if it has none. The result is between 0 and MaxRetryAfter; false: there is none that can be read.
func parseRetryAfter(value string, date, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	if seconds, ok := parseSeconds(value); ok {
		return seconds, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	if date.IsZero() {
		date = now
	}
	return min(max(until.Sub(date), 0), MaxRetryAfter), true
}

// parseSeconds takes whole seconds and, as some servers send them, fractions and negative numbers.
func parseSeconds(value string) (time.Duration, bool) {
	digits, negative := strings.CutPrefix(value, "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	if !allDigits(whole) || hasFraction && !allDigits(fraction) {
		return 0, false
	}
	if negative {
		return 0, true
	}
	seconds, err := strconv.ParseFloat(digits, 64) // of too many digits: infinite, and capped
	if err != nil || seconds > MaxRetryAfter.Seconds() {
		return MaxRetryAfter, true
	}
	return time.Duration(seconds * float64(time.Second)), true
}

func allDigits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
