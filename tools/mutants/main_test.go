package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMutantsApply: each mutant's text stands once in its file, it changes something, and the test
// that finds it exists.
func TestMutantsApply(t *testing.T) {
	const tree = "../.."
	all, err := mutants()
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, m := range all {
		if names[m.Name] {
			t.Errorf("two mutants are named %q", m.Name)
		}
		names[m.Name] = true
		if _, err := m.apply(tree); err != nil || m.Is == m.Becomes {
			t.Errorf("%s: %v", m.Name, err)
		}
		if !hasTest(t, filepath.Join(tree, m.Package), m.Test) {
			t.Errorf("%s: %s has no test %q", m.Name, m.Package, m.Test)
		}
	}
}

func hasTest(t *testing.T, folder, name string) bool {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "func "+name+"(") {
			return true
		}
	}
	return false
}
