package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestMutantsApply: each mutant's text stands once in its file, it changes something, and the test
// that finds it exists.
func TestMutantsApply(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	all, err := mutants()
	require.NoError(t, err)
	names := make(map[string]bool)
	for _, m := range all {
		if names[m.Name] {
			t.Errorf("two mutants are named %q", m.Name)
		}
		names[m.Name] = true
		if _, err := m.apply(); err != nil || m.Is == m.Becomes {
			t.Errorf("%s: %v", m.Name, err)
		}
		if !hasTest(t, m.Package, m.Test) {
			t.Errorf("%s: %s has no test %q", m.Name, m.Package, m.Test)
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	require.NoError(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if strings.Contains(string(text), "func "+name+"(") {
			return true
		}
	}
	return false
}
