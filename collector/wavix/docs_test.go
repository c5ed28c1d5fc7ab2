package wavix

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// docsPath is the page that users read.
var docsPath = filepath.Join("..", "..", "docs", "providers", "wavix.md")

// TestDocsShowTheDispositions fails if the table of outcomes in the docs differs from the code's;
// with -update it rewrites the table.
func TestDocsShowTheDispositions(t *testing.T) {
	golden.Tables(t, docsPath, map[string]string{"dispositions": dispositionTable()})
}

func dispositionTable() string {
	known := slices.SortedFunc(maps.Keys(outcomes), func(a, b string) int {
		return cmp.Or(cmp.Compare(outcomes[a], outcomes[b]), cmp.Compare(a, b))
	})
	var b strings.Builder
	b.WriteString("| disposition | outcome | fault domain |\n| --- | --- | --- |\n")
	for _, disposition := range known {
		fault := "–"
		if domain := outcomes[disposition].FaultDomain(); domain != cdr.FaultUnknown {
			fault = "`" + domain.String() + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", disposition, outcomes[disposition], fault)
	}
	return b.String()
}

// TestDocsListTheFields: every attribute that a property goes to is named where the docs
// list them.
func TestDocsListTheFields(t *testing.T) {
	text, err := os.ReadFile(docsPath)
	if err != nil {
		t.Fatal(err)
	}
	listed := regexp.MustCompile(`(?s)# Fields in log records\n(.*?)\n#`).FindString(string(text))
	row := `{"date":"2026-03-01T11:00:00Z","from":"1","to":"2","disposition":"busy","destination":"France","per_minute":"0.1",` +
		`"call_id":"a","parent_call_id":"b","answered_by":"human"}`
	found := 0
	for name := range shownRow(t, kindPlaced, row) {
		if key, own := strings.CutPrefix(name, "cdr.wavix."); own {
			found++
			if !strings.Contains(listed, "`"+key+"`") {
				t.Errorf("the docs don't list %s", key)
			}
		}
	}
	if found != 5 {
		t.Errorf("%d attributes were found: this shows nothing", found)
	}
}
