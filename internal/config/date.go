package config

import (
	"errors"
	"time"
)

// Date is an instant, written as a date (midnight UTC) or in RFC 3339. Its zero value is not set.
type Date struct{ time.Time }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(text []byte) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, string(text)); err == nil {
			d.Time = at.UTC()
			return nil
		}
	}
	return errors.New("must be a date such as 2027-03-01, or a time in RFC 3339")
}

// MarshalText implements encoding.TextMarshaler; a date that is not set is empty.
func (d Date) MarshalText() ([]byte, error) {
	if d.IsZero() {
		return nil, nil
	}
	return d.Time.MarshalText()
}
