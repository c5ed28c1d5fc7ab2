package files_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// patternFiles are files whose lines a pattern describes, with the lines of a log that tell of no
// call.
const patternFiles = `format: pattern, pattern: '^(?P<start>\d+) call \S+ (?P<state>\w+) by (?P<trunk>.*)$|^\[(?P<trunk>\w+)\] (?P<start>\d+) (?P<state>busy)|^(?P<other>#)'`

func patternDefinition(read string) string {
	return strings.Replace(filesDefinition(read+", "+patternFiles), "    record:",
		"    ignore: {other: '*'}\n    record:", 1)
}

// FuzzLinePattern: whatever lines are, each becomes a row or is set aside, without a value in the
// reason.
func FuzzLinePattern(f *testing.F) {
	f.Add("1795428001 call x busy by a\n[a] 1795428001 busy\n# b\n")
	f.Add("[\xff\n{")
	d, err := declared.Load("d.yaml", []byte(patternDefinition("read: lines")))
	require.NoError(f, err)
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
