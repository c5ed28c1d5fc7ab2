package dashboards

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocsListDashboards fails when the table of the docs doesn't list the dashboards
// as they are; with -update it writes it anew.
func TestDocsListDashboards(t *testing.T) {
	const begin, end = "<!-- table: dashboards -->\n", "\n<!-- end of table -->"
	path := filepath.Join("..", "..", "docs", "dashboards.md")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(text), begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has no place for the table", path)
	}
	var table strings.Builder
	table.WriteString("\n| dashboard | shows |\n| --- | --- |\n")
	for _, d := range built(t) {
		fmt.Fprintf(&table, "| [%s](../dashboards/grafana/%s) | %s |\n", strings.TrimPrefix(*d.Title, titlePrefix), d.File, *d.Description)
	}
	want := before + begin + table.String() + end + after
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s doesn't list the dashboards as they are: go test ./internal/dashboards -run DocsList -update", path)
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}
