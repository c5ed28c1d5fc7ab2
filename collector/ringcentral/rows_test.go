package ringcentral_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/calls"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
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
		log := accountLog
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
	got, err := decodePage(t, log, pageOf(raw))
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

// TestGolden maps a page, which has the shape of RingCentral's own samples.
func TestGolden(t *testing.T) {
	page, err := os.ReadFile("testdata/call_log.json")
	require.NoError(t, err)
	got, err := decodePage(t, accountLog, string(page))
	if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 || len(got.ignored) != 1 {
		t.Fatalf("error %v, invalid %q, unmapped %v, ignored %q", err, got.invalid, got.unmapped, got.ignored)
	}
	golden.JSON(t, "testdata/call_log.records.json", got.rows)
}

// TestCallsOfAnExtension: rows of one session in the log of an extension, and the one call that their legs make.
func TestCallsOfAnExtension(t *testing.T) {
	listed := func(id, result, more string, legs ...string) string {
		return call(id, `"duration":60,"result":"`+result+`","extension":{"id":101},`+more+`,"legs":[`+
			strings.Join(legs, ",")+`]`)
	}
	const in, out, internal = `"direction":"Inbound"`, `"direction":"Outbound"`,
		`"direction":"Outbound","from":{"extensionId":"101"},"to":{"extensionId":"102"}`
	for _, test := range []struct {
		name, want string // direction, outcome, talk, connected
		rows       []string
	}{
		{"no legs", "inbound answered 1m0s 1m0s", []string{listed("1", "Accepted", in)}},
		{
			"a colleague's call", "inbound unknown 0s 0s",
			[]string{listed("1", "Answered Elsewhere", in, legOf(t, `leg 102 20 Accepted "duration":40`))},
		},
		{"a colleague's call, which came back", "inbound answered 40s 40s", []string{
			listed("1", "Answered Elsewhere", in, legOf(t, `leg 102 5 Accepted "duration":9`)),
			listed("2", "Accepted", in, legOf(t, `leg 101 20 Accepted "duration":40`)),
		}},
		{"rings, then talks", "inbound answered 40s 40s", []string{
			listed("1", "Accepted", in, legOf(t, `leg - 0 Accepted "master":true,"duration":60`),
				legOf(t, `leg 101 20 Accepted "direction":"Outbound","duration":40`)),
		}},
		{"both views of a call", "internal answered 1m0s 1m0s", []string{
			listed("1", "Call connected", internal, legOf(t, `leg 101 0 "Call connected" "duration":60`)),
			listed("2", "Accepted", `"direction":"Inbound","from":{"extensionId":"101"},"to":{"extensionId":"102"}`),
		}},
		{
			"the row says voicemail, its legs don't", "inbound voicemail 0s 1m0s",
			[]string{listed("1", "Voicemail", in, legOf(t, `leg 101 0 Missed "duration":20`))},
		},
		{
			"the row says busy, its legs don't", "outbound busy 0s 0s",
			[]string{listed("1", "Busy", out, legOf(t, `leg 101 0 Missed "duration":20`))},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var legs []cdr.Leg
			for i, r := range records(t, extensionLog, pageOf(test.rows...)) {
				if r.CallKey != "9" {
					t.Fatalf("key %q", r.CallKey)
				}
				if legs = append(legs, r.Legs...); len(r.Legs) == 0 {
					legs = append(legs, r.Leg())
				}
				listed := strings.Count(test.rows[i], `"legType"`)
				if counted := facts.AppendLegs(nil, r); len(counted) != listed {
					t.Errorf("%d legs are counted, %d are listed", len(counted), listed)
				}
			}
			for range 2 { // the order of rows and legs changes nothing
				c := calls.Of(legs)
				if got := fmt.Sprint(c.Direction, c.Outcome, calls.Length(c.Talk),
					calls.Length(c.Connected)); got != test.want || c.Start.Second() != 0 {
					t.Errorf("got %s from %s, want %s", got, c.Start, test.want)
				}
				slices.Reverse(legs)
			}
		})
	}
}
