package main

import (
	"errors"
	"regexp"
	"strings"
)

// callID is the id of a call record, as an argument. It implements kingpin.Value.
type callID string

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// Set implements kingpin.Value.
func (c *callID) Set(text string) error {
	id := strings.ToLower(strings.TrimSpace(text))
	if !guid.MatchString(id) {
		return errors.New("the id of a call record is a GUID, such as 5e4d3c2b-1a09-4f8e-b7c6-d5e4f3a2b1c0")
	}
	*c = callID(id)
	return nil
}

// String implements kingpin.Value.
func (c *callID) String() string { return string(*c) }
