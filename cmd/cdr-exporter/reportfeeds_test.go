package main

import (
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestDateIn: a date is a midnight of the time zone, a month its first day's; all else stays as it is.
func TestDateIn(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	newYear := time.Date(2027, 1, 1, 0, 30, 0, 0, zone) // still 2026 in UTC
	var got []string
	for _, text := range []string{
		"last-month", "this-month", "2026-03-01", "2026-04-01", "2026-03-01T00:00:00Z", "36h",
		"02:30", "soon", "",
	} {
		got = append(got, dateIn(newYear, text))
	}
	if want := []string{
		"2026-12-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00",
		"2026-04-01T00:00:00+02:00", "2026-03-01T00:00:00Z", "36h", "02:30", "soon", "",
	}; !slices.Equal(got, want) {
		t.Errorf("%s", got)
	}
	// no midnight
	for name, want := range map[string]string{
		"America/Santiago": "2026-09-06T01:00:00-03:00",
		"Africa/Cairo":     "2026-04-24T01:00:00+03:00",
	} {
		if zone, err = time.LoadLocation(name); err != nil {
			t.Fatal(err)
		}
		if got := dateIn(newYear.In(zone), want[:len(time.DateOnly)]); got != want {
			t.Errorf("in %s the day begins at %s, want %s", name, got, want)
		}
	}
}
