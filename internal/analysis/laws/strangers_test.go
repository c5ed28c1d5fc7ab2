package laws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestStrangers: right definitions of made-up providers with awkward habits, written from the pages
// alone, break no law.
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
			keepsLaws(t, string(text))
		})
	}
}
