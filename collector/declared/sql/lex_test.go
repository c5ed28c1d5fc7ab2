package sql_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// TestBoundNames: a name of a value is found wherever it isn't in a text, a quoted name or a
// comment, as each database reads these.
func TestBoundNames(t *testing.T) {
	const all = "mysql postgres sqlite"
	for _, c := range []struct{ piece, bound string }{ // the drivers that take :from in the piece for a value
		{"at > :from", all},
		{"at>:from-1", all},
		{"(:from)", all},
		{"at > :fromage", ""},
		{"at > :from_x", ""},
		{"a::from", ""},
		{"':from'", ""},
		{"'it''s :from'", ""},
		{"'' > :from", all},
		{`":from"`, ""},
		{`"a"":from"`, ""},
		{"`:from`", ""},
		{"-- :from", ""},
		{"/* :from */", ""},
		{"/* ' */ :from", all},
		{"/* /* */ :from */", "mysql sqlite"},
		{"/* /* */ */ :from", all},
		{"/*/ :from */", ""},
		{`'a\' > :from --'`, "postgres sqlite"},
		{`'a\\' > :from`, all},
		{`E'a\' :from'`, "sqlite"},
		{`e'a\' :from'`, "sqlite"},
		{`type'a\' > :from`, "postgres sqlite"},
		{"$$ :from $$", "mysql sqlite"},
		{"$x$ $$ :from $x$", "mysql sqlite"},
		{"a$b$ > :from", all},
		{"# :from", "postgres sqlite"},
		{"[:from]", "mysql postgres"},
		{"[a] > :from", all},
		{"'ä' > :from", all},
		{"ä:from", all},
		{"x'0f' > :from", all},
		{": from", ""},
	} {
		for driver := range strings.FieldsSeq(all) {
			t.Run(c.piece+", "+driver, func(t *testing.T) {
				query := "    query: |\n      SELECT (SELECT 1 ORDER BY 1), :after, :limit, " + c.piece + "\n"
				text := strings.Replace(table("", "by: inserted, key: id"), "driver: sqlite", "driver: "+driver, 1) +
					query
				_, err := declared.Load("d.yaml", []byte(text))
				if found := strings.Contains(fmt.Sprint(err), "names :from"); found != strings.Contains(c.bound,
					driver) || !found && err != nil {
					t.Errorf("found %t, %v", found, err)
				}
			})
		}
	}
}
