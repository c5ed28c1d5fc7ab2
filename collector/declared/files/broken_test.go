package files_test

import (
	"strings"
	"testing"
	"time"
)

// TestBrokenDocuments: each document of which nothing can be read is set aside, and says so.
func TestBrokenDocuments(t *testing.T) {
	for _, c := range []struct{ name, definition, first, second string }{
		{"XML", xmlDefinition("    rows: cdr\n", ""), "no XML", "this isn't any either"},
		{"JSON that is too large", wholeJSON, strings.Repeat(" ", 16<<20+1), strings.Repeat(" ", 16<<20+2)},
		{
			"JSON without its list", strings.Replace(wholeJSON, "    record:", "    rows: data.calls\n    record:", 1),
			`{"data":{}}`, `{"data":{"call":[]}}`,
		},
		{"JSON", wholeJSON, "no JSON", "this isn't any either"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			for i, text := range []string{c.first, c.second} {
				r.add("calls"+string(rune('a'+i)), text)
				r.pass(2 * time.Hour)
				r.poll()
				if len(r.invalid) != i+1 {
					t.Errorf("of %d documents %d were set aside: %q", i+1, len(r.invalid), r.invalid)
				}
			}
		})
	}
}
