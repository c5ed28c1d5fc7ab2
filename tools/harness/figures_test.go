package harness

import (
	"strings"
	"testing"
)

// TestDifferences: a figure that is wrong, missing or too much has a line.
func TestDifferences(t *testing.T) {
	got := Figures{"a": 1e6, "b": 2e6, "c": 3e6}.Differences(Figures{"a": 1e6, "b": 25e5, "d": 1e6})
	want := "b: 2, want 2.5\nc: 3, want 0\nd: 0, want 1"
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("differences are\n%s\nwant\n%s", text, want)
	}
}
