package counting_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestEveryFieldIsRevised (counting.md 16): a version of a record with another value of a field is a revision.
func TestEveryFieldIsRevised(t *testing.T) {
	revises := func(set cdrtest.SetField, options ...cdrtest.Option) bool {
		r := newRig(t, counting.Rules{})
		first, second := call("a", options...), call("a", options...)
		set(first, 1)
		set(second, 2)
		r.records(first)
		return r.records(second).Revised == 1
	}
	listsLegs := func(r *cdr.Record) { r.ListsLegs = true }
	cdrtest.EveryField(t, "recordFields in internal/core/counting/fields.go", map[string]string{
		"which record and version it is":                        "ID AltIDs Synthetic Twin Version Provisional",
		"which kind of record it is":                            "NoCall ListsLegs",
		"follows from the outcome and its codes":                "Reason FaultDomain",
		"says that the duration is absent":                      "NoDuration",
		"places the connected time of a leg, as answer does":    "Ringing",
		"counts once, in whichever version (counting.md 14)":    "Emergency Recordings Visits Sessions Legs",
		"counts with the first settled version":                 "Streams Ratings Settled",
		"the operator's labels, and what only they are made of": "Labels ProviderLabels Class NoClass",
		"for explain": "Origins",
	}, func(set cdrtest.SetField) bool {
		return revises(set) || revises(set, inGroup("g")) || revises(set, listsLegs)
	})
}
