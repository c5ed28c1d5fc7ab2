package main

import (
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestTimes: the forms of --from and --to.
func TestTimes(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	now := time.Date(2026, 11, 21, 9, 15, 0, 0, berlin)
	for text, want := range map[string]string{
		"02:30":                "2026-11-21T01:30:00Z",
		"09:15":                "2026-11-21T08:15:00Z",
		"23:30":                "2026-11-20T22:30:00Z",
		"24:30":                "",
		"3h":                   "2026-11-21T05:15:00Z",
		"2026-11-20":           "2026-11-20T00:00:00Z",
		"2026-11-20T12:00:00Z": "2026-11-20T12:00:00Z",
		"soon":                 "",
	} {
		t.Run(text, func(t *testing.T) {
			got, err := parseTime(text, now)
			if (err != nil) != (want == "") || err == nil && got.Format(time.RFC3339) != want {
				t.Errorf("got %s, %v, want %q", got, err, want)
			}
		})
	}
}

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
