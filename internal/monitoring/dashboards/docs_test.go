package dashboards

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// TestDocsListDashboards fails when the table of the docs doesn't list the dashboards
// as they are; with -update it rewrites it.
func TestDocsListDashboards(t *testing.T) {
	var table strings.Builder
	table.WriteString("| dashboard | shows |\n| --- | --- |\n")
	for _, d := range built(t) {
		fmt.Fprintf(&table, "| [%s](../dashboards/grafana/%s) | %s |\n", strings.TrimPrefix(*d.Title, titlePrefix),
			d.File, *d.Description)
	}
	golden.Tables(t, filepath.Join("..", "..", "..", "docs", "dashboards.md"),
		map[string]string{"dashboards": table.String()})
}
