package files_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
)

// TestAuditOfFiles: an audit reads every row of every file, also what another one seems to have
// had, and counts lines by itself.
func TestAuditOfFiles(t *testing.T) {
	text, names := lines(0, 30)
	for _, c := range []struct {
		name, definition, more string
		rows                   int
		waits                  string
	}{
		{"each file by itself", filesDefinition(csvLines), "", 60, ""},
		{
			"rows over several lines", filesDefinition(csvLines), "1795428001,busy,\"a\nb\"\n", 61,
			"calls.2 has 32 lines and 31 rows",
		},
		{
			"a row that was cut, and rows over several lines", filesDefinition(csvLines),
			"1795428001,bu\x00\x001795428001,busy,c\n1795428001,busy,\"a\nb\"\n", 62,
			"calls.2 has 33 lines and 32 rows",
		},
		{"a line without an end", filesDefinition(csvLines), "1795428001,bu", 60, "calls.2 has 31 lines and 30 rows"},
		{"a long line", filesDefinition(csvLines), "1795428001,busy," + strings.Repeat("x", 5000) + "\n", 61, ""},
		{"lines that end with CR", filesDefinition(csvLines), "1795428001,busy,a\r1795428001,busy,b\r", 2, ""},
		{
			"an array over lines", filesDefinition("read: lines, format: jsonl"),
			"[\n" + fmt.Sprintf(document, "a") + ",\n" + fmt.Sprintf(document, "b") + "\n]\n", 2, "",
		},
		{
			"lines before the names", filesDefinition("read: whole, format: csv, titles: 2"),
			"Report\n\nstart,state,trunk\n1795428001,busy,a\n1795428001,busy,b\n", 2, "",
		},
		{"whole files", filesDefinition("read: whole, format: csv, columns: [start, state, trunk]"), "", 60, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(t, c.definition, "calls: {}, paths: ['calls*']")
			if c.rows > 2 {
				r.add("calls.1", text)
				c.more = text + c.more
			}
			r.add("calls.2", c.more)
			r.pass(30 * time.Second)
			spans, is := r.info.Reader.(collector.SpanReader)
			if !is || len(names) != 30 {
				t.Fatalf("the reader is %T", r.info.Reader)
			}
			spans.Audit = true
			rows, waits := 0, ""
			for page, err := range spans.Pages(t.Context(), time.Unix(0, 0), r.now) {
				if _, is := errors.AsType[*collector.Waiting](err); is {
					waits = err.Error()
					continue
				} else if err != nil {
					t.Fatal(err)
				}
				rows += len(page.Records)
			}
			if rows != c.rows || c.waits == "" && waits != "" || !strings.Contains(waits, c.waits) {
				t.Errorf("%d rows, %q; want %d, %q", rows, waits, c.rows, c.waits)
			}
		})
	}
}
