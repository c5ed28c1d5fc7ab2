package metrics

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
)

// TestRule23_DefinitionsAreDeclared (counting.md 23): each definition that a ledger may have of a metric is the present one or is given to
// `following`. testdata/definitions.txt has them all, one a line; -update adds what is new and takes nothing away.
func TestRule23_DefinitionsAreDeclared(t *testing.T) {
	file := filepath.Join("testdata", "definitions.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	for _, d := range Catalogue() {
		now := definition(d)
		for _, line := range lines {
			was := strings.Split(line, "|")
			if was[0] == d.Name && line != now && !slices.Contains(d.Declared, Change{Kind: was[1], Labels: was[2], Bounds: was[3]}) {
				t.Errorf("%s has changed, and ledgers that have it as it was would be refused: give following(Change{Kind: %q, Labels: %q, Bounds: %q})",
					d.Name, was[1], was[2], was[3])
			}
		}
		switch {
		case slices.Contains(lines, now):
		case golden.Update():
			lines = append(lines, now)
		default:
			t.Errorf("%s lacks %q: go test ./internal/metrics -run Definitions -update", file, now)
		}
	}
	if golden.Update() && !t.Failed() {
		slices.Sort(lines)
		if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// definition is a line: name, kind, labels and bounds, as the ledger keeps them.
func definition(d *Def) string {
	var labels, bounds []string
	for _, l := range d.Labels {
		labels = append(labels, l.Name)
	}
	for _, b := range d.Bounds {
		bounds = append(bounds, strconv.FormatFloat(b, 'g', -1, 64))
	}
	return strings.Join([]string{d.Name, d.Kind.String(), strings.Join(labels, ","), strings.Join(bounds, ",")}, "|")
}
