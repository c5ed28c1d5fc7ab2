package web

import (
	"bytes"
	"time"
)

// Time is an instant as the status JSON writes it: RFC 3339 in UTC, to the
// millisecond, and null for the zero time.
type Time time.Time

// IsZero tells whether there is no such instant.
func (t Time) IsZero() bool { return time.Time(t).IsZero() }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return time.Time(t).UTC().Truncate(time.Millisecond).MarshalJSON()
}

// UnmarshalJSON implements json.Unmarshaler. Null is the zero time.
func (t *Time) UnmarshalJSON(text []byte) error {
	if bytes.Equal(text, []byte("null")) {
		*t = Time{}
		return nil
	}
	return (*time.Time)(t).UnmarshalJSON(text)
}
