package harness

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestDifferences: a value that is wrong, missing or too much has a line.
func TestDifferences(t *testing.T) {
	got := Differences(simulator.Tables{"m": {"a": 1e6, "b": 2e6, "c": 0}},
		simulator.Tables{"m": {"a": 1e6, "b": 25e5}, "n": {"d": 1e6}})
	want := "m{b} is 2, want 2.5\nm{c} is 0, want absent\nn{d} is absent, want 1"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("differences are\n%s\nwant\n%s", text, want)
	}
}
