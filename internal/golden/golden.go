// Package golden compares output of tests with files of the repository. With -update a test
// rewrites its files.
package golden

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite golden files and the tables of the docs")

// Read is the text of a file of the repository.
func Read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path) //nolint:gosec // a test's own file
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// File compares a text with a file.
func File(t testing.TB, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path) //nolint:gosec // a test's own file
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	is, was := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	line := 0
	for line < min(len(is), len(was)) && is[line] == was[line] {
		line++
	}
	first := func(lines []string) string { return strings.Join(lines[line:min(line+5, len(lines))], "\n") }
	t.Errorf("%s differs, starting with line %d; if that is intended, run the test with -update. The new line "+
		"is\n%s\nand the old one\n%s", path, line+1, first(is), first(was))
}

// JSON compares a value, as indented JSON, with a file.
func JSON(t testing.TB, path string, value any) {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	File(t, path, text.Bytes())
}

// Tables compares the named tables with the tables on a page of the docs.
func Tables(t testing.TB, path string, tables map[string]string) {
	t.Helper()
	text := Read(t, path)
	for name, table := range tables {
		filled, err := fill(text, name, table)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		text = filled
	}
	File(t, path, []byte(text))
}

// fill puts a table between the markers `<!-- table: NAME -->` and `<!-- end of table -->`.
func fill(text, name, table string) (string, error) {
	const end = "<!-- end of table -->"
	begin := "<!-- table: " + name + " -->\n"
	before, rest, found := strings.Cut(text, begin)
	_, after, closed := strings.Cut(rest, end)
	if !found || !closed {
		return "", fmt.Errorf("the page has no place for the table %s: add the markers %q and %q", name,
			strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + table + "\n" + end + after, nil
}
