package declared_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

const filesDefinition = `provider: acmetel
files: {read: lines, format: csv, columns: [start, state]}
feeds:
  calls:
    record: {start: {path: start, time: unix}, outcome: {path: state, table: {busy: busy}}}
`

func TestForProblems(t *testing.T) {
	for _, c := range []struct{ name, path, feed, want string }{
		{"not in the request", "/{for.a}", "for: {a: x, b: y}", "feeds.calls.for.b: isn't in the request; use {for.b}"},
		{
			"unknown in the request", "/{for.c}", "for: {a: x}",
			"request.path: names {for.c}, but the feed's for doesn't have c",
		},
		{"none at all", "/{for.c}", "", "request.path: names {for.c}, but the feed's for doesn't have c"},
		{"unknown in the record", "/{for.a}", "for: {a: x}", "record.direction: names for.b"},
		{"empty", "/{for.a}", "for: {a: []}", "feeds.calls.for.a: is empty"},
		{"name", "/{for.a}", "for: {A-b: x}", "must have a name of lower-case letters"},
		{
			"no list", "/{for.a}", "for: {a: '{key}'}",
			"for.a: has {key}, which must be a text, or a parameter with list: true alone",
		},
		{"a list and more", "/{for.a}", "for: {a: 'x{trunks}'}", "for.a: has x{trunks}, which must be"},
		{"complete", "/calls", "complete: rows", `complete: must be total, is "rows"`},
		{"complete without a total", "/calls", "complete: total", "complete: needs total"},
		{"max_rows", "/calls", "max_rows: -1", "max_rows: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := strings.NewReplacer("path: way,", "path: for.b,", "path: /calls", "path: '"+c.path+"'",
				"    filter:", "    "+c.feed+"\n    filter:").Replace(whole)
			if _, err := declared.Load("d.yaml", []byte(text)); !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	for _, key := range []string{"for: {a: x}", "complete: total", "max_rows: 5", "empty: {status: none}"} {
		text := strings.Replace(filesDefinition, "    record:", "    "+key+"\n    record:", 1)
		if _, err := declared.Load("d.yaml", []byte(text)); !strings.Contains(fmt.Sprint(err), "only works with http") {
			t.Errorf("%s of files: %v", key, err)
		}
	}
}
