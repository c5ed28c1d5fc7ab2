package msgraph

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// TestDocsShowTheTaxonomy fails when the tables of codes in the docs aren't the
// taxonomy's; with -update it writes them anew.
func TestDocsShowTheTaxonomy(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "providers", "msgraph.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := string(text)
	for name, table := range map[string]string{
		"sip-codes": causeTable(cdr.SIPTaxonomy(), "`unknown`"),
		"sub-codes": causeTable(Provider().SubCodes, "–"), // the SIP code's
	} {
		if want, err = fillDocs(want, name, table); err != nil {
			t.Fatal(err)
		}
	}
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s doesn't show the taxonomy as it is: go test ./collector/msgraph -run DocsShow -update", path)
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

func TestFillDocs(t *testing.T) {
	got, err := fillDocs("a\n<!-- table: x -->\nold\n<!-- end of table -->\nb\n", "x", "new\n")
	if want := "a\n<!-- table: x -->\n\nnew\n\n<!-- end of table -->\nb\n"; err != nil || got != want {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if _, err := fillDocs("<!-- table: y -->\n<!-- end of table -->", "x", "new\n"); err == nil {
		t.Error("a table that has no place is no error")
	}
}

// causeTable lists codes; undecided stands for an outcome that a code doesn't give.
func causeTable(rows []cdr.Cause, undecided string) string {
	var b strings.Builder
	b.WriteString("| code | outcome | reason | fault domain | source |\n| --- | --- | --- | --- | --- |\n")
	for _, row := range rows {
		code := strconv.FormatInt(row.Code, 10)
		if row.Last != 0 {
			code += " to " + strconv.FormatInt(row.Last, 10)
		}
		outcome, reason := undecided, "–"
		if row.Outcome != cdr.Unknown {
			outcome = "`" + row.Outcome.String() + "`"
		}
		if row.Reason != "" {
			reason = "`" + row.Reason + "`"
		}
		fault := "–"
		if domain := cmp.Or(row.FaultDomain, row.Outcome.FaultDomain()); domain != cdr.FaultUnknown {
			fault = "`" + domain.String() + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", code, outcome, reason, fault, row.Source)
	}
	return b.String()
}
