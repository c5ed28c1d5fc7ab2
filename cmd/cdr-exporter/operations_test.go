package main

import (
	"io"
	"os"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestCommandsAreDocumented: docs/operations.md lists every command.
func TestCommandsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	rows, _, found := strings.Cut(string(page), "\n\n`cdr-exporter COMMAND --help`")
	if !found {
		t.Fatal("the sentence after the table of commands is missing")
	}
	_, commands := newCLI(streams{out: io.Discard, errors: io.Discard}, nil)
	for name := range commands {
		if !strings.Contains(rows, "`"+name+"`") && !strings.Contains(rows, "`"+name+" ") {
			t.Errorf("docs/operations.md has no row for `%s`", name)
		}
	}
}
