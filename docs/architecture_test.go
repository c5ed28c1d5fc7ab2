package docs

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestArchitectureNamesCode: each function that docs/architecture.md names behind a file is in that file.
func TestArchitectureNamesCode(t *testing.T) {
	text, err := os.ReadFile("architecture.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`([a-z0-9_/]+/[a-z0-9_]+\\.go)` `[A-Za-z]+\\.([A-Za-z]+)`").
		FindAllStringSubmatch(string(text), -1)
	if len(named) < 10 {
		t.Fatalf("only %d functions are named", len(named))
	}
	for _, found := range named {
		source, err := os.ReadFile(path.Join("..", found[1]))
		if err != nil {
			t.Error(err)
		}
		if !strings.Contains(string(source), ") "+found[2]+"(") {
			t.Errorf("%s isn't there", found[0])
		}
	}
}
