package files_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestTexts: what rows files have, and that a row that can't be read costs no other.
func TestTexts(t *testing.T) {
	golden.Cases(t, "testdata/texts.txt", func(t *testing.T, c *golden.Case) {
		var files, feed, block string
		var texts []string
		last := 0
		for i, line := range c.Lines {
			key, value, _ := strings.Cut(line, " ")
			switch key {
			case "":
				continue
			case "files:":
				files = value
			case "feed:":
				feed = "    " + value + "\n"
			case "block:":
				block = ", " + value
			case "<":
				text, err := strconv.Unquote(`"` + strings.ReplaceAll(value, `"`, `\"`) + `"`)
				require.NoError(t, err)
				texts = append(texts, text)
			}
			last = i
		}
		c.Say(last, readTexts(t, files, feed, block, texts))
	})
}

// readTexts writes texts to a file, one after the other, and says what rows they have in the end.
func readTexts(t *testing.T, files, feed, block string, texts []string) string {
	t.Helper()
	definition := strings.Replace(filesDefinition(files), "    record:", feed+"    record:", 1)
	r := read(t, definition, "calls: {}, paths: ['calls*']"+block)
	said := ""
	for _, text := range texts {
		r.add("calls", text)
		r.rest()
		if r.poll(); r.waits != "" {
			said = "waits " + r.waits + "\n"
		}
	}
	r.pass(2 * time.Hour)
	r.poll()
	r.forget()
	if n := r.poll(); n > 0 {
		t.Errorf("%d more", n)
	}
	if len(r.troubles) > 0 {
		said += "then waits " + r.waits + "\n"
	}
	var rows []string
	for name, n := range r.rows {
		rows = append(rows, slices.Repeat([]string{fmt.Sprintf("%q", name)}, n)...)
	}
	slices.Sort(rows)
	said += "rows " + strings.Join(rows, " ")
	for _, problem := range r.invalid {
		said += "\nset aside: " + problem
	}
	r.put("calls.copy", strings.Join(texts, ""))
	r.rest()
	if n := r.poll(); n > 0 {
		t.Errorf("a copy counts %d", n)
	}
	return said
}

// TestLongTexts: texts that are long, or too long.
func TestLongTexts(t *testing.T) {
	const lines, whole, xml = "read: lines, format: jsonl", "read: whole, format: json", "read: whole, format: xml"
	a, b := fmt.Sprintf(document, "a"), fmt.Sprintf(document, "b")
	row := "1795428001 call x busy by a\n"
	nulls := strings.Repeat("\x00", 2<<20)
	blanks, long := strings.Repeat(" ", 70_000)+a+strings.Repeat(",", 70_000)+b, strings.Repeat("x", 2<<20)
	for _, c := range []struct{ name, files, text, want string }{
		{"objects far apart", lines, blanks, `rows "a" "b"`},
		{"objects far apart", whole, blanks, `rows "a" "b"`},
		{"an object that is too long", lines, `{"x":"` + long + `"}` + a + b, `rows "a" "b"` + "\nset aside: "},
		{"many objects", lines, strings.Repeat(a, 3000) + b, "rows" + strings.Repeat(` "a"`, 3000) + ` "b"`},
		{"many objects", whole, strings.Repeat(a, 3000) + b, "rows" + strings.Repeat(` "a"`, 3000) + ` "b"`},
		{
			"a line", "read: lines, " + patternFiles, long + "\n" + row,
			`rows "a"` + "\nset aside: the line is longer than 1 MiB",
		},
		{
			"a line", "read: whole, " + patternFiles, long + "\n" + row,
			`rows "a"` + "\nset aside: the line is longer than 1 MiB",
		},
		{"a line behind NULs", "read: lines, " + patternFiles, nulls + row, `rows "a"`},
		{"a line behind NULs", "read: whole, " + patternFiles, nulls + row, `rows "a"`},
		{
			"a line behind a cut one and NULs", "read: lines, " + patternFiles, "1795" + nulls + row,
			`rows "a"` + "\nset aside: the line is longer than 1 MiB",
		},
		{"an object behind NULs", lines, nulls + a + b, `rows "a" "b"`},
		{
			"a value of XML", xml, "<l>" + element(long) + element("a") + "</l>",
			`rows "a"` + "\nset aside: it has a value longer than 1 MiB",
		},
		{
			"an attribute of XML", xml, `<l><cdr x="` + long + `"/>` + element("a") + "</l>",
			`rows "a"` + "\nset aside: it has a value longer than 1 MiB",
		},
		{
			"far too deep XML", xml, strings.Repeat("<x>", 100_000) + element("a") + strings.Repeat("</x>", 100_000),
			"rows \nset aside: it has elements more than 32 deep",
		},
	} {
		t.Run(c.name+", "+c.files[:11], func(t *testing.T) {
			feed := map[bool]string{true: "    rows: cdr\n", false: ""}[c.files == xml]
			if strings.Contains(c.files, "pattern") {
				feed = "    ignore: {other: '*'}\n"
			}
			got := strings.TrimPrefix(readTexts(t, c.files, feed, "", []string{c.text}), "waits held\n")
			if !strings.HasPrefix(got, c.want) {
				t.Errorf("got %.300s, want %.300s", got, c.want)
			}
		})
	}
}
