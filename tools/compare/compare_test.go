package main

import (
	"strings"
	"testing"
)

// TestDifferences names what only one of two has, and what both have with other values.
func TestDifferences(t *testing.T) {
	earlier := look{
		series:  map[string]string{"same": "1", "changed": "1", "gone": "2"},
		records: map[string]string{"once": "+"},
	}
	present := look{
		series:  map[string]string{"same": "1", "changed": "3", "new": "4"},
		records: map[string]string{"once": "++"},
	}
	want := `changed: was "1", is "3"
gone: was "2", is ""
new: was "", is "4"
once: was "+", is "++"`
	if got := strings.Join(earlier.differences(present), "\n"); got != want {
		t.Errorf("differences are\n%s\nwant\n%s", got, want)
	}
}

// TestBadCommit: the error says what git says.
func TestBadCommit(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	err := run(t.Context(), []string{"-commit", "no-such-commit"}, t.Output())
	if err == nil || !strings.Contains(err.Error(), "take the files of no-such-commit out of git") {
		t.Errorf("the error is %v", err)
	}
}
