package main_test

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// provider is a simulated provider whose time a test drives.
type provider interface {
	Now() time.Time
	Visible() time.Time
	Pause() time.Time
	Resume()
	Advance(d time.Duration)
}

// place is a simulated account as one source of the configuration reads it: what must
// have been counted is known for each of its feeds.
type place interface {
	provider
	// source is the name of the source.
	source() string
	// feeds are the feeds that have records.
	feeds() []string
	// tables are the metrics of a feed that was read at these instants, and tally its row counts.
	tables(feed string, at ...time.Time) tables
	tally(feed string, at ...time.Time) tally
	// active is cdr_active_calls at an instant, without zeros; nil if they aren't read.
	active(at time.Time) map[cdr.Direction]int
	// server is the provider, which several places may share.
	server() provider
	// item is the source in the configuration, an item of YAML.
	item() string
	// answered is how many requests for rows the provider has answered.
	answered() int
}

// tally are a feed's row counts by result.
type tally struct {
	// records are the distinct records, calls those that count as a call, revised their
	// changes.
	records, calls, revised int
	invalid, ignored        int // distinct rows
}
