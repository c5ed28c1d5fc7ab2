package files_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestRepeatedNames (definitions.md, Files): exports that were put one behind the other have their names again, and
// maybe a byte order mark. That is neither a call nor a row that can't be read.
func TestRepeatedNames(t *testing.T) {
	const (
		mark  = "\ufeff"
		names = "start,state,trunk\n"
	)
	lines := filesDefinition("read: lines, format: csv")
	for _, c := range []struct{ name, definition, block, text, more string }{
		{"whole", filesDefinition("read: whole, format: csv"), "", names + line("a") + names + line("b"), ""},
		{"whole, with a line of types", wholeCSV, "", heading + line("a") + heading + line("b"), ""},
		{"a byte order mark", wholeCSV, "", mark + heading + line("a") + mark + heading + line("b"), ""},
		{"a growing file", lines, "", names + line("a") + names + line("b"), ""},
		{"names that come later", lines, "", names + line("a"), mark + "start,\"state\",trunk\r\n" + line("b")},
		{
			"a line of types that comes later", filesDefinition("read: lines, format: csv, skip: 1"), "",
			heading + line("a") + names, "INTEGER,VARCHAR,VARCHAR\n" + line("b"),
		},
		{
			"a number of values that rows don't have", filesDefinition("read: lines, format: csv, widths: [4]"), "",
			names + "1795428001,busy,a,\n" + names + "1795428001,busy,b,\n", "",
		},
		{"names although the source has them", lines, "columns: [start, state, trunk], ", names + line("a"), line("b")},
		{"a mark without names", lines, "columns: [start, state, trunk], ", line("a") + mark + line("b"), ""},
		{
			"objects", filesDefinition("read: lines, format: jsonl"), "",
			`{"start":1795428001,"state":"busy","trunk":"a"}` + "\n" + mark +
				`{"start":1795428001,"state":"busy","trunk":"b"}` + "\n", "",
		},
		{
			"documents", wholeJSON, "", `{"start":1795428001,"state":"busy","trunk":"a"}` + "\n" + mark +
				`{"start":1795428001,"state":"busy","trunk":"b"}`, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, c.block+`paths: "calls*", calls: {}`)
			r.add("calls.csv", c.text)
			r.rest()
			r.poll()
			if c.more != "" {
				r.add("calls.csv", c.more)
				r.rest()
				r.poll()
			}
			if r.is("a", "b"); len(r.invalid) > 0 || len(r.troubles) > 0 {
				t.Errorf("invalid: %v, troubles: %v", r.invalid, r.troubles)
			}
		})
	}
}

// TestOtherNames: a line with other names isn't known to be one, so it is set aside.
func TestOtherNames(t *testing.T) {
	r := read(t, filesDefinition("read: lines, format: csv"), `paths: "calls*", calls: {}`)
	if err := os.WriteFile(filepath.Join(r.folder, "calls.csv"),
		[]byte("start,state,trunk\n"+line("a")+"state,start,trunk\n"+line("b")), 0o600); err != nil {
		t.Fatal(err)
	}
	r.poll()
	if r.is("a", "b"); !slices.Equal(r.invalid, []string{"start isn't a Unix time"}) {
		t.Errorf("invalid: %v", r.invalid)
	}
}
