package laws_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/laws"
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
			verdicts, err := run(t, string(text))
			if err != nil {
				t.Fatal(err)
			}
			for law, v := range verdicts {
				if v.State == laws.Broken {
					t.Errorf("%s: %s", law, v.Detail)
				}
			}
		})
	}
}
