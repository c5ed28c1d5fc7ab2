package main

import (
	"strings"
	"testing"
)

// TestBadCommit: the error says what git says.
func TestBadCommit(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	err := run(t.Context(), []string{"-commit", "no-such-commit"}, t.Output())
	if err == nil || !strings.Contains(err.Error(), "take the files of no-such-commit out of git") {
		t.Errorf("the error is %v", err)
	}
}
