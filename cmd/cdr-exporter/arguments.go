package main

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// errTime doesn't repeat the input.
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

// callID is the id of a call record. It implements kingpin.Value.
type callID string

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Set implements kingpin.Value.
func (c *callID) Set(text string) error {
	*c = callID(strings.ToLower(strings.TrimSpace(text)))
	if !guid.MatchString(string(*c)) {
		return errors.New("the id of a call record is a GUID, such as 5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0")
	}
	return nil
}

// String implements kingpin.Value.
func (c *callID) String() string { return string(*c) }
