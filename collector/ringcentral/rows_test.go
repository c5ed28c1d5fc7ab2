package ringcentral_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var legLine = regexp.MustCompile(`^leg (\d+|-) (\d+) (\w+|".*?")(?: (.*))?$`)

// listed is the part of a result that has the legs in their order.
var listed = regexp.MustCompile(`Legs \[.*?\]`)

// legOf is a leg of a line `leg EXTENSION SECONDS RESULT MEMBERS` or `leg JSON`.
func legOf(t *testing.T, line string) string {
	t.Helper()
	m := legLine.FindStringSubmatch(line)
	if m == nil {
		return strings.TrimPrefix(line, "leg ")
	}
	seconds, err := strconv.Atoi(m[2])
	require.NoError(t, err)
	leg := fmt.Sprintf(`{"legType":"Hunting","startTime":"2026-03-02T10:00:%02d.000Z","result":%q`, seconds, strings.Trim(m[3], `"`))
	if m[1] != "-" {
		leg += `,"extension":{"id":` + m[1] + "}"
	}
	if m[4] != "" {
		leg += "," + m[4]
	}
	return leg + "}"
}

// TestRows (counting.md 17, 18): what rows become. The numbers of traps are those of
// providers/ringcentral.md, section 8; 90 is the queue Sales, 91 Support, and 101 and 102 are agents.
func TestRows(t *testing.T) {
	golden.Cases(t, "testdata/rows.txt", func(t *testing.T, c *golden.Case) {
		log := accountLog()
		for i := 0; i < len(c.Lines); i++ {
			line := c.Lines[i]
			if keys, is := strings.CutPrefix(line, "source: "); is {
				log = keys
				continue
			} else if line == "" {
				continue
			}
			var legs []string
			for i+1 < len(c.Lines) && strings.HasPrefix(c.Lines[i+1], "leg ") {
				i++
				legs = append(legs, legOf(t, c.Lines[i]))
			}
			got := became(t, log, line, legs)
			c.Say(i, got)
			if slices.Reverse(legs); strings.HasPrefix(c.Name, "legs, ") {
				again := became(t, log, line, legs)
				if listed.ReplaceAllString(got, "") != listed.ReplaceAllString(again, "") {
					t.Errorf("in another order the legs make %s", again)
				}
			}
		}
	})
}

// became says what a row becomes, without what most rows are.
func became(t *testing.T, log, line string, legs []string) string {
	t.Helper()
	raw := line
	if name, is := strings.CutPrefix(line, "sample "); is {
		raw = sample(t, name)
	} else if !strings.HasPrefix(line, "{") {
		raw = call("1", line)
	}
	if legs != nil {
		raw = raw[:len(raw)-1] + `,"legs":[` + strings.Join(legs, ",") + "]}"
	}
	if !json.Valid([]byte(raw)) {
		t.Fatalf("%s isn't JSON", raw)
	}
	got, err := decodePage(t, log, pageOf("", raw))
	require.NoError(t, err)
	var all []string
	for _, r := range got.rows {
		for _, key := range slices.Sorted(maps.Keys(r)) {
			text := fmt.Sprint(key, " ", r[key])
			if !slices.Contains([]string{
				"ID 1", "CallID 9", "cdr.ringcentral.session_id 9", "Start 2026-03-02T10:00:00Z", "Duration none",
				"Direction unknown",
			}, text) {
				all = append(all, strings.ReplaceAll(strings.TrimPrefix(text, "cdr.ringcentral."), "\x1f", "|"))
			}
		}
	}
	for range got.ignored {
		all = append(all, "ignored")
	}
	for _, problem := range got.invalid {
		all = append(all, "invalid: "+problem)
	}
	if len(got.unmapped) > 0 {
		all = append(all, "unmapped "+providertest.Unmapped(got.unmapped))
	}
	return strings.Join(all, ", ")
}
