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
)

// TestDocsShowTheTaxonomy fails when the tables of outcomes in the docs aren't the
// taxonomy's; with -update it writes them anew.
func TestDocsShowTheTaxonomy(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "providers", "ringcentral.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ofCalls := maps.Clone(results)
	for _, value := range []string{resultInProgress, resultPhoneLogin, ""} { // the text tells these
		delete(ofCalls, value)
	}
	ofReasons := maps.Clone(reasons)
	delete(ofReasons, "")
	want := string(text)
	for name, table := range map[string]map[string]outcomeMapping{"results": ofCalls, "reasons": ofReasons} {
		if want, err = fillDocs(want, name, verdictTable(table)); err != nil {
			t.Fatal(err)
		}
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s doesn't show the taxonomy as it is: go test ./collector/ringcentral -run DocsShow -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fillDocs puts a table between the markers `<!-- table: NAME -->` and
// `<!-- end of table -->`.
func fillDocs(text, name, table string) (string, error) {
	const end = "<!-- end of table -->"
	begin := "<!-- table: " + name + " -->\n"
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("there is no place for the table %s: it wants the markers %q and %q", name, strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + table + "\n" + end + after, nil
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

func TestFillDocs(t *testing.T) {
	got, err := fillDocs("a\n<!-- table: x -->\nold\n<!-- end of table -->\nb\n", "x", "new\n")
	if want := "a\n<!-- table: x -->\n\nnew\n\n<!-- end of table -->\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := fillDocs("<!-- table: y -->\n<!-- end of table -->", "x", "new\n"); err == nil {
		t.Error("a table that has no place is no error")
	}
}

// TestDocsListTheFields: every attribute of a row that has everything is named where
// the docs list them.
func TestDocsListTheFields(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "providers", "ringcentral.md"))
	if err != nil {
		t.Fatal(err)
	}
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
