package sim

import "time"

// appendTime appends a UTC time with milliseconds, in quotes.
func appendTime(dst []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(dst, '"'), milliseconds), '"')
}
