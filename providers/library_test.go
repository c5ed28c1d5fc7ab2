package providers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestLibrary: every definition of the library keeps all laws, says what it is, and is in the list of docs/library.md.
func TestLibrary(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no definition: %v", err)
	}
	page, err := os.ReadFile("../docs/library.md")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			text := string(data)
			for _, want := range []string{"\n# https://", "\n# Level: ", "\n# Unverified: "} {
				if !strings.Contains(text, want) {
					t.Errorf("it has no comment %q", want)
				}
			}
			if !strings.Contains(string(page), "("+"../providers/"+filepath.Base(file)+")") {
				t.Error("docs/library.md doesn't list it")
			}
			keepsLaws(t, text)
		})
	}
}

// TestStrangers: right definitions of made-up providers with awkward habits, written from the pages
// alone, break no law.
func TestStrangers(t *testing.T) {
	files, err := filepath.Glob("../internal/analysis/laws/testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("there is no definition: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			keepsLaws(t, string(text))
		})
	}
}
