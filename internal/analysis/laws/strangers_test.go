package laws_test

import (
	"os"
	"path/filepath"
	"testing"
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
			if err != nil {
				t.Fatal(err)
			}
			keepsLaws(t, string(text))
		})
	}
}
