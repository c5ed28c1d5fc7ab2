package main

import (
	"io"
	"os"
	"regexp"
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

// TestFlagsOfOperations: each flag that docs/operations.md names is one of a command.
func TestFlagsOfOperations(t *testing.T) {
	page, err := os.ReadFile("../../docs/operations.md")
	require.NoError(t, err)
	cli, _ := newCLI(streams{out: io.Discard, errors: io.Discard}, nil)
	known := make(map[string]bool)
	for _, command := range cli.Model().FlattenedCommands() {
		for _, flag := range append(command.Flags, cli.Model().Flags...) {
			known[flag.Name] = true
		}
	}
	for _, found := range regexp.MustCompile(`--([a-z][a-z.-]*)`).FindAllStringSubmatch(string(page), -1) {
		if !known[found[1]] {
			t.Errorf("docs/operations.md names --%s, which no command has", found[1])
		}
	}
}
