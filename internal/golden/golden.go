// Package golden compares what tests make with files of the repository. With -update a test writes its files anew.
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

var update = flag.Bool("update", false, "write golden files and the tables of the docs anew")

// Update says whether files are to be written anew.
func Update() bool { return *update }

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
	t.Errorf("%s differs from line %d on; if it is meant to, run the test with -update. It would be\n%s\nand is\n%s", path, line+1, first(is), first(was))
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

// Tables compares the tables of a page of the docs, by their names.
func Tables(t testing.TB, path string, tables map[string]string) {
	t.Helper()
	page, err := os.ReadFile(path) //nolint:gosec // a page of the docs
	if err != nil {
		t.Fatal(err)
	}
	text := string(page)
	for name, table := range tables {
		if text, err = fill(text, name, table); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
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
		return "", fmt.Errorf("there is no place for the table %s: it wants the markers %q and %q", name, strings.TrimSpace(begin), end)
	}
	return before + begin + "\n" + table + "\n" + end + after, nil
}
