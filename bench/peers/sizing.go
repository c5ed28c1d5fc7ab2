package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
)

// The assumptions of the rule of thumb, for a feed of Direct Routing calls with the default
// interval and lookback. docs/counting.md says how often a call is read and how many requests that
// takes while there are few calls. Ids are kept for 1.25 lookbacks and two days.
const (
	readsOfACall   = 29.6
	requestsPerDay = 1445
	daysOfIDs      = (1.25*48 + 48) / 24
	secondsPerDay  = 24 * 60 * 60
	// The exporter recognizes the rows of this many calls by their bytes; it decodes older ones.
	rowsKnown    = 1 << 19
	reserveBytes = 16 << 20 // released when the disk is full
)

// printSizing prints what these results mean for a number of calls a day: plain without log
// records, logs with them.
func printSizing(w io.Writer, plain, logs *result) {
	fmt.Fprintln(w, "| calls a day | CPU, of one core | with log records | peak memory, with log records | "+
		"disk | requests to the provider |")
	fmt.Fprintln(w, "| ---: | ---: | ---: | ---: | ---: | ---: |")
	for _, calls := range []float64{1_000, 100_000, 10_000_000} {
		share := func(r *result) float64 { return 100 * calls / 1e6 * lifetime(r, calls) / secondsPerDay }
		fmt.Fprintf(w, "| %s | %s | %s | %.0f MB | %s | %.1f a minute |\n", thousands(calls), percent(share(plain)),
			percent(share(logs)),
			max(plain.peak, logs.peak), diskSize(calls*daysOfIDs*plain.disk+reserveBytes),
			(requestsPerDay+readsOfACall*calls/pageSize)/(24*60))
	}
}

// lifetime is the CPU seconds per million calls, at a number of calls a day, from the first read of
// each to the last.
func lifetime(r *result, calls float64) float64 {
	known := readsUntil(24 * 60 * rowsKnown / calls)
	return 1e6 * (1/r.fresh + (known-1)/r.repeats + (readsOfACall-known)/r.reread)
}

// readsUntil is how often a call is read until it is a number of minutes old: five times at the
// interval of a minute, then half as often whenever its age has doubled (counting.md, the read
// plan).
func readsUntil(minutes float64) float64 {
	return min(5+2.5*max(0, math.Log2(minutes/5)), readsOfACall)
}

func percent(share float64) string {
	if share < 0.1 {
		return "under 0.1 %"
	}
	return fmt.Sprintf("%.1f %%", share)
}

func diskSize(bytes float64) string {
	if bytes < 1e9 {
		return fmt.Sprintf("%.0f MB", bytes/1e6)
	}
	return fmt.Sprintf("%.1f GB", bytes/1e9)
}

// The comments around the tables in a page.
const (
	tablesBegin = "<!-- written by make bench-peers DOCS=docs/sizing.md -->\n"
	tablesEnd   = "<!-- end of what bench-peers writes -->\n"
)

// writeTables replaces the tables in a page.
func writeTables(file, tables string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, found := strings.Cut(string(text), tablesBegin)
	_, after, closed := strings.Cut(rest, tablesEnd)
	if !found || !closed {
		return errors.New(file + " has no place for the tables")
	}
	return os.WriteFile(file, []byte(before+tablesBegin+"\n"+tables+"\n"+tablesEnd+after), 0o644)
}
