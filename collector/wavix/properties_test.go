package wavix

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// propertyFact is a line of testdata/properties.tsv.
type propertyFact struct{ name, typ, goesTo, example, why string }

func readPropertyFacts(t *testing.T) []propertyFact {
	t.Helper()
	_, lines, _ := strings.Cut(strings.TrimSpace(testdata(t, "properties.tsv")), "\n") // behind the header
	var facts []propertyFact
	for line := range strings.Lines(lines) {
		cells := append(strings.Split(strings.TrimSpace(line), "\t"), "")
		if len(cells) < 5 {
			t.Fatalf("a line of properties.tsv has %d cells: %s", len(cells)-1, line)
		}
		facts = append(facts, propertyFact{cells[0], cells[1], cells[2], cells[3], cells[4]})
	}
	return facts
}

// TestEveryPropertyIsMapped sets each property alone, and wants the field that it goes
// to, and hardly any other, to change.
func TestEveryPropertyIsMapped(t *testing.T) {
	// The other fields that a property decides, in addition to its own.
	also := map[string][]string{
		"date": {"Synthetic"}, "from": {"Synthetic"}, "to": {"Synthetic", "Country"},
		"disposition": {"cdr.wavix.disposition"}, "duration": {"Outcome"},
		"uuid": {"Synthetic", "CallID", "CallKey", "Legs"}, "call_id": {"Synthetic", "CallID", "CallKey", "Legs"},
		"parent_uuid":    {"CallID", "CallKey", "Legs", "Whole", "cdr.wavix.parent_call_id"},
		"parent_call_id": {"CallID", "CallKey", "Legs", "Whole", "cdr.wavix.parent_call_id"},
	}
	facts := readPropertyFacts(t)
	plain := shownRow(t, kindPlaced, at+`"new":1}`)
	for _, fact := range facts {
		t.Run(fact.name, func(t *testing.T) {
			row := at + `"` + fact.name + `":` + fact.example + `}`
			if fact.name == "date" {
				row = `{"date":` + fact.example + `}`
			}
			got := shownRow(t, kindPlaced, row)
			want := append([]string{fact.goesTo}, also[fact.name]...)
			if fact.goesTo == "-" {
				want = nil
				if fact.why == "" {
					t.Error("nothing says why it goes nowhere")
				}
			}
			slices.Sort(want)
			if changed := changes(plain, got); !slices.Equal(changed, want) {
				t.Errorf("it changes %q, want %q", changed, want)
			}
		})
	}
}

// changes are the fields that differ.
func changes(a, b shown) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var names []string
	for name := range all {
		if !reflect.DeepEqual(a[name], b[name]) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
