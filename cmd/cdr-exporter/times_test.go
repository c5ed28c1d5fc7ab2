package main

import (
	"testing"
	"time"
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
