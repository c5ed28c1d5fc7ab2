package main

import (
	"errors"
	"time"

	"github.com/prometheus/common/model"
)

// errTime says how a time is written. It doesn't repeat the input.
var errTime = errors.New("give a time as 2026-11-20T12:00:00Z (RFC 3339), a date as 2026-11-20, or a duration ago as 36h")

// parseTime reads RFC 3339, a date (midnight UTC), or a duration ago.
func parseTime(text string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	if d, err := model.ParseDuration(text); err == nil {
		return now.Add(-time.Duration(d)).UTC(), nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d).UTC(), nil
	}
	return time.Time{}, errTime
}
