package msgraph

import (
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// propertyFact is a line of testdata/properties.tsv.
type propertyFact struct {
	rowType, name, typ, since, goesTo, example string
}

func readPropertyFacts(t *testing.T) []propertyFact {
	t.Helper()
	content, err := os.ReadFile("testdata/properties.tsv")
	require.NoError(t, err)
	_, lines, _ := strings.Cut(strings.TrimSpace(string(content)), "\n") // behind the header
	var facts []propertyFact
	for line := range strings.Lines(lines) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if len(cells) != 6 {
			t.Fatalf("a line of properties.tsv has %d cells: %s", len(cells), line)
		}
		facts = append(facts, propertyFact{cells[0], cells[1], cells[2], cells[3], cells[4], cells[5]})
	}
	return facts
}

func logOfRowType(t *testing.T, rowType string) *callLog {
	t.Helper()
	switch rowType {
	case "pstnCallLogRow":
		return pstnLog()
	case "directRoutingLogRow":
		return directRoutingLog()
	}
	t.Fatalf("the row type %s doesn't exist", rowType)
	return nil
}

// TestEveryPropertyIsMapped sets each property of the row types alone, and wants the
// field that it goes to, and hardly any other, to change.
func TestEveryPropertyIsMapped(t *testing.T) {
	// The other fields that a property decides, in addition to its own.
	also := map[string][]string{
		"pstnCallLogRow/duration":                   {"Outcome"},
		"pstnCallLogRow/callType":                   {"Direction"},
		"pstnCallLogRow/otherPartyCountryCode":      {"cdr.msgraph.other_party_country_code"},
		"directRoutingLogRow/callType":              {"Direction"},
		"directRoutingLogRow/finalSipCode":          {"FaultDomain", "Outcome", "Reason"},
		"directRoutingLogRow/callEndSubReason":      {"FaultDomain", "Reason"},
		"directRoutingLogRow/otherPartyCountryCode": {"cdr.msgraph.other_party_country_code"},
	}
	for _, fact := range readPropertyFacts(t) {
		t.Run(fact.rowType+"/"+fact.name, func(t *testing.T) {
			feed := logOfRowType(t, fact.rowType)
			const base = `{"id":"r-1","startDateTime":"2026-11-19T10:00:00Z","charge":1,"connectionCharge":1}`
			before := decodeRow(t, feed, base)
			after := decodeRow(t, feed, with(t, base, map[string]any{fact.name: json.RawMessage(fact.example)}))

			var changed []string
			for key := range maps.Keys(union(before, after)) {
				if !reflect.DeepEqual(before[key], after[key]) {
					changed = append(changed, key)
				}
			}
			want := append([]string{fact.goesTo}, also[fact.rowType+"/"+fact.name]...)
			slices.Sort(changed)
			slices.Sort(want)
			if !slices.Equal(changed, want) {
				t.Errorf("%s = %s changes %q, want %q", fact.name, fact.example, changed, want)
			}
		})
	}
}

func union(a, b row) row {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}
