package ringcentral

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestDocsShowTheTaxonomy fails if the tables of outcomes in the docs differ from the taxonomy;
// with -update it rewrites them.
func TestDocsShowTheTaxonomy(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "providers", "ringcentral.md")
	ofCalls := maps.Clone(results)
	// the text tells these
	for _, value := range []string{"in progress", "resultinprogress", "ringing elsewhere", resultPhoneLogin, ""} {
		delete(ofCalls, value)
	}
	ofReasons := maps.Clone(reasons)
	delete(ofReasons, "")
	golden.Tables(t, path, map[string]string{"results": verdictTable(ofCalls), "reasons": verdictTable(ofReasons)})
}

// verdictTable lists values by what they mean. A star marks those that tell too little.
func verdictTable(table map[string]outcomeMapping) string {
	type meaning struct {
		outcome cdr.Outcome
		reason  string
		fault   cdr.FaultDomain
	}
	values := map[meaning][]string{}
	for _, value := range slices.Sorted(maps.Keys(table)) {
		v := table[value]
		shown := "`" + value + "`"
		if v.generic {
			shown += "\\*"
		}
		m := meaning{v.outcome, v.reason, cmp.Or(v.fault, v.outcome.FaultDomain())}
		values[m] = append(values[m], shown)
	}
	meanings := slices.SortedFunc(maps.Keys(values), func(a, b meaning) int {
		return cmp.Or(cmp.Compare(a.outcome-1, b.outcome-1), cmp.Compare(a.reason, b.reason)) // the unknown one last
	})
	var b strings.Builder
	b.WriteString("| outcome | label `reason` | fault domain | values |\n| --- | --- | --- | --- |\n")
	for _, m := range meanings {
		outcome, reason := "–", "–"
		if m.outcome != cdr.Unknown {
			outcome = "`" + m.outcome.String() + "`"
		}
		if m.reason != "" {
			reason = "`" + m.reason + "`"
		}
		fault := "–"
		if m.fault != cdr.FaultUnknown {
			fault = "`" + m.fault.String() + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", outcome, reason, fault, strings.Join(values[m], ", "))
	}
	return b.String()
}

// TestDocsListTheFields: every attribute of a row that has everything is named where
// the docs list them.
func TestDocsListTheFields(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "providers", "ringcentral.md"))
	require.NoError(t, err)
	party := party{
		who: who{ExtensionID: "1", Name: "A"}, ExtensionNumber: "101", Location: "B", Device: device{ID: "2"},
		DialerNumber: "3", DialedNumber: "4",
	}
	id := int64(1)
	full := &row{
		SessionID: "1", TelephonySessionID: "2", PartyID: "3", Action: "a", Result: "b", Reason: "c", Transport: "d",
		InternalType: "e", DelegationType: "f", Delegate: delegate{ID: "1", Name: "C"}, TransferTarget: session{"4"},
		Transferee: session{"5"}, Message: linked{ID: "6", Type: "g"}, Extension: extension{ID: &id},
		MetadataCategories: []string{"h"}, ShortRecording: true, From: party, To: party,
	}
	var r cdr.Record
	extras(full, &r)
	_, listed, _ := strings.Cut(string(text), "## Fields in log records")
	listed, _, _ = strings.Cut(listed, "## Outcomes")
	for i := range r.Extra {
		if !strings.Contains(listed, "`"+r.Extra[i].Key+"`") {
			t.Errorf("the docs don't list %s", r.Extra[i].Key)
		}
	}
	if len(r.Extra) < 30 {
		t.Errorf("only %d attributes were found: this shows nothing", len(r.Extra))
	}
}
