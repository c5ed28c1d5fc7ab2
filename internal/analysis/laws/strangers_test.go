package laws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestStrangers: right definitions of made-up providers with awkward habits, written from the pages
// alone, break no law. Those of real providers are tested in providers.
func TestStrangers(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no definition: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel() // most of it waits
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			d, err := declared.Load("definition.yaml", text)
			require.NoError(t, err)
			verdicts, err := laws.Run(t.Context(), laws.Settings{Definition: d})
			require.NoError(t, err)
			for _, v := range verdicts {
				if v.State == laws.Broken {
					t.Errorf("%s: %s", v.Law, v.Detail)
				}
			}
		})
	}
}
