package laws

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
)

// TestEveryFieldIsTested: the tests of a definition see the fields that mappers fill.
func TestEveryFieldIsTested(t *testing.T) {
	cdrtest.EveryField(t, "recordFields in internal/analysis/laws/becomes.go", map[string]string{
		"the reader sets it, not the mapper":  "Twin Labels Class NoClass",
		"the test says open":                  "Provisional",
		"takes the place of an id":            "Synthetic",
		"is the start, if there is an answer": "Invite",
		"only Go code for a provider fills it": "SubCode ReasonPhrase MediaBypass MediaLocation SignalLocation " +
			"UserPrincipal Sessions Ratings",
		"the call's own fields follow from its legs": "Legs ListsLegs",
		"is set with a stream":                       "Settled",
		"true, without the kind":                     "Emergency",
		"for explain":                                "Origins",
	}, cdrtest.Shows(func(r *cdr.Record) string { return fmt.Sprint(differences(nil, r, "")) }))
}
