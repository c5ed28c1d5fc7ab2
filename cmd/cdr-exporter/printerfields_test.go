package main

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
)

// TestEveryFieldIsPrinted: JSON lines of records have their fields.
func TestEveryFieldIsPrinted(t *testing.T) {
	cdrtest.EveryField(t, "row or detail in cmd/cdr-exporter/printer.go", map[string]string{
		"which version of a record it is":             "AltIDs Synthetic Twin Version Provisional",
		"joins legs to calls, or says how":            "CallKey Parent Whole Party NoOutcome Channel Ringing Second",
		"the fields of the call follow from it":       "Talk Connected FaultDomain Legs ListsLegs",
		"recordings have their own cells":             "Recordings",
		"only metrics and log records are made of it": "Emergency Sessions Ratings Settled",
		"only labels are made of it":                  "Class NoClass ProviderLabels",
		"for explain":                                 "Origins",
	}, cdrtest.Shows(func(r *cdr.Record) string { return fmt.Sprint(object(append(row(r), detail(r)...))) }))
}
