package files_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
)

// patternFiles are files whose lines a pattern describes, with the lines of a log that tell of no
// call.
const patternFiles = `format: pattern, pattern: '^(?P<start>\d+) call \S+ (?P<state>\w+) by (?P<trunk>.*)$|^\[(?P<trunk>\w+)\] (?P<start>\d+) (?P<state>busy)|^(?P<other>#)'`

func patternDefinition(read string) string {
	return strings.Replace(filesDefinition(read+", "+patternFiles), "    record:",
		"    ignore: {other: '*'}\n    record:", 1)
}

// TestLinesByAPattern: a line is a row by its named groups; one that the pattern doesn't match is
// set aside alone.
func TestLinesByAPattern(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
		invalid    string
	}{
		{"a line", "1795428001 call x busy by a\n", []string{"a"}, ""},
		{"a line with CR", "1795428001 call x busy by a\r\n", []string{"a"}, ""},
		{"a name in two alternatives", "[a] 1795428001 busy\n1795428001 call x done by b\n", []string{"a", "b"}, ""},
		{
			"quotes and commas are text", "1795428001 call x busy by \"a,\n1795428001 call x busy by b\n",
			[]string{`"a,`, "b"},
			"",
		},
		{
			"another line", "1795428001 call x busy by a\nkernel: up\n1795428001 call x busy by b\n",
			[]string{"a", "b"},
			"the pattern doesn't match the line",
		},
		{"a line that is ignored", "# begins\n1795428001 call x busy by a\n\n", []string{"a"}, ""},
		{"a line of blanks", "1795428001 call x busy by a\n \t\n", []string{"a"}, ""},
		{"an empty group", "1795428001 call x busy by \n", []string{""}, ""},
		{
			"too long", strings.Repeat("x", 2<<20) + "\n1795428001 call x busy by a\n",
			[]string{"a"},
			"the line is longer than 1 MiB",
		},
	} {
		for _, how := range []string{"read: lines", "read: whole"} {
			t.Run(c.name+", "+how, func(t *testing.T) {
				r := read(t, patternDefinition(how), "calls: {}, paths: ['calls*']")
				r.add("calls", c.text)
				r.rest()
				r.poll()
				r.is(c.want...)
				if got := strings.Join(r.invalid, "; "); got != c.invalid {
					t.Errorf("set aside: %q, want %q", got, c.invalid)
				}
				r.add("calls", "1795428002 call x busy by more\n")
				r.rest()
				r.poll()
				r.is(append(c.want, "more")...)
				r.add("calls.copy", c.text)
				r.rest()
				if n := r.poll(); n > 0 {
					t.Errorf("a copy counts %d", n)
				}
			})
		}
	}
}

func TestPatternProblems(t *testing.T) {
	for _, c := range []struct{ name, files, want string }{
		{"none", "read: lines, format: pattern", "d.yaml:2: files.pattern: is missing; give a regular expression"},
		{
			"no expression", "read: lines, format: pattern, pattern: '('",
			"d.yaml:2: files.pattern: isn't a valid regular expression (RE2)",
		},
		{
			"no names", "read: lines, format: pattern, pattern: '(a)'",
			"d.yaml:2: files.pattern: must have named groups, such as",
		},
		{
			"of CSV", "read: lines, format: csv, pattern: '(?P<a>a)'",
			"d.yaml:2: files.pattern: is for format: pattern only",
		},
		{
			"with columns", "read: lines, format: pattern, pattern: '(?P<a>a)', columns: [a]",
			"d.yaml:2: files.columns: is for format: csv only",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := declared.Load("d.yaml", []byte(filesDefinition(c.files))); !strings.Contains(fmt.Sprint(err),
				c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// FuzzLinePattern: whatever lines are, each becomes a row or is set aside, without a value in the
// reason.
func FuzzLinePattern(f *testing.F) {
	f.Add("1795428001 call x busy by a\n[a] 1795428001 busy\n# b\n")
	f.Add("[\xff\n{")
	d, err := declared.Load("d.yaml", []byte(patternDefinition("read: lines")))
	if err != nil {
		f.Fatal(err)
	}
	feed := d.Feeds["calls"]
	f.Fuzz(func(t *testing.T, text string) {
		rows := 0
		for _, m := range declared.NewMapper(&feed, declared.MapperSettings{}).Try([]byte(text)) {
			if rows++; (m.Record == nil) == (m.Invalid == "" && !m.Ignored) {
				t.Errorf("a row became %+v", m)
			}
		}
		if rows > strings.Count(text, "\n")+1 {
			t.Errorf("%d rows", rows)
		}
	})
}
