package msgraph

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestRows (counting.md 18): what rows become. A row stands between two others, which it doesn't affect.
func TestRows(t *testing.T) {
	const id, start = `"id":"1"`, `"startDateTime":"2026-11-19T10:00:00Z"`
	golden.Cases(t, "testdata/rows.txt", func(t *testing.T, c *golden.Case) {
		log := pstnLog()
		for i, line := range c.Lines {
			raw := strings.NewReplacer(`\xff`, "\xff", `\xc5`, "\xc5").Replace(line)
			switch {
			case line == "":
				continue
			case line == "log: direct_routing":
				log = directRoutingLog()
				continue
			case strings.HasPrefix(line, "row "):
				raw = raw[len("row "):]
			case line[0] != '{':
				for _, member := range []string{id, start} {
					if name, _, _ := strings.Cut(member, ":"); !strings.Contains(raw, name) {
						raw = member + "," + raw
					}
				}
				raw = "{" + raw + "}"
			}
			const good = "{" + id + "," + start + `,"successfulCall":true}`
			got, err := decodePage(t, log, `{"value":[`+good+","+raw+","+good+`]}`)
			if n := len(got.rows) + len(got.invalid); err != nil || n != 3 || len(got.invalid) > 1 {
				t.Fatalf("%d rows, invalid %q, error %v", len(got.rows), got.invalid, err)
			}
			c.Say(i, became(got))
		}
	})
}

// became says what the second of three rows became, without what most rows are.
func became(got read) string {
	var all []string
	if len(got.invalid) > 0 {
		all = append(all, got.invalid[0])
	} else {
		r := got.rows[1]
		for _, key := range slices.Sorted(maps.Keys(r)) {
			if text := fmt.Sprint(key, " ", r[key]); !slices.Contains([]string{
				"ID 1", "Start 2026-11-19T10:00:00Z", "Direction unknown", "Duration none", "Outcome unknown",
			}, text) {
				all = append(all, strings.ReplaceAll(strings.TrimPrefix(text, "cdr.msgraph."), "\x1f", "|"))
			}
		}
	}
	if len(got.unmapped) > 0 {
		all = append(all, "unmapped "+providertest.Unmapped(got.unmapped))
	}
	return strings.Join(all, ", ")
}

func TestConfigs(t *testing.T) {
	golden.Cases(t, "testdata/configs.txt", func(t *testing.T, c *golden.Case) {
		text := strings.NewReplacer("TENANT", testTenant, "CLIENT", testClient).Replace(strings.Join(c.Lines, "\n"))
		last := strings.Count(strings.TrimSpace(text), "\n")
		if _, err := decodeConfig(text); err != nil {
			c.Say(last, err.Error())
		} else {
			c.Say(last, "fine")
		}
	})
}

// TestOutcomes: docs/providers/msgraph.md lists the codes.
func TestOutcomes(t *testing.T) {
	golden.Cases(t, "testdata/outcomes.txt", func(t *testing.T, c *golden.Case) {
		for i, line := range c.Lines {
			words := append(strings.Fields(line), "", "", "", "")
			if words[0] == "" {
				continue
			}
			var codes [2]cdr.Int
			for k := range codes {
				if n, err := strconv.ParseInt(words[1+k], 10, 64); err == nil {
					codes[k] = cdr.KnownInt(n)
				}
			}
			duration, _ := time.ParseDuration(words[3])
			successful := map[string]cdr.Bool{"true": cdr.True, "false": cdr.False, "unsaid": cdr.Unsaid}[words[0]]
			outcome, reason := directRoutingOutcome(successful, codes[0], codes[1], duration, words[4] == "end")
			c.Say(i, fmt.Sprint(outcome, " ", reason, ", fault ", directRoutingFault(outcome, codes[1])))
		}
	})
}

// TestGolden maps the sample pages, which have the shape of Microsoft's own samples.
func TestGolden(t *testing.T) {
	for name, feed := range map[string]*callLog{"pstn": pstnLog(), "direct_routing": directRoutingLog()} {
		t.Run(name, func(t *testing.T) {
			page, err := os.ReadFile("testdata/" + name + ".json")
			require.NoError(t, err)
			got, err := decodePage(t, feed, string(page))
			if err != nil || len(got.invalid) != 0 || len(got.unmapped) != 0 {
				t.Fatalf("error %v, invalid %q, unmapped %v", err, got.invalid, got.unmapped)
			}
			golden.JSON(t, "testdata/"+name+".records.json", got.rows)
		})
	}
}

func TestSubCodeTables(t *testing.T) {
	slug := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for name, table := range map[string][]cdr.Cause{"codes": subCodes, "ranges": subCodeRanges} {
		if !slices.IsSortedFunc(table, func(a, b cdr.Cause) int { return int(a.Code - b.Code) }) {
			t.Errorf("%s: the table isn't ordered by code", name)
		}
		for i, row := range table {
			if i > 0 && table[i-1].Code == row.Code {
				t.Errorf("%s: %d has two rows", name, row.Code)
			}
			if row.Reason != "" && (!slug.MatchString(row.Reason) || len(row.Reason) > 24) {
				t.Errorf("%s: %d has the slug %q", name, row.Code, row.Reason)
			}
			if row.Source == "" {
				t.Errorf("%s: %d has no source", name, row.Code)
			}
		}
	}
}

func TestParseCallType(t *testing.T) {
	type meaning struct {
		direction        cdr.Direction
		known, emergency bool
	}
	for want, types := range map[meaning]string{
		{cdr.Inbound, true, false}: "user_in conf_in ucap_in unassigned_in oc_ucap_in ByotIn ByotInUcap " +
			"ByotInUnassigned dr_in dr_in_bot dr_unassigned_in byotin BYOTIN USER_IN",
		{cdr.Outbound, true, false}: "user_out user_out_conf user_out_transfer user_out_forwarding conf_out " +
			"ucap_out oc_user_out ByotOut ByotOutUcap ByotOutUserTransfer ByotOutUserForwarding dr_out " +
			"byotoutusertransfer",
		{cdr.Outbound, true, true}: "ByotEmergencyOut dr_emergency_out DR_EMERGENCY_OUT",
		// New words in a family keep their direction and are reported.
		{cdr.Inbound, false, false}:  "ByotInHologram",
		{cdr.Outbound, false, false}: "user_out_hologram",
		// Nothing is guessed.
		{cdr.DirectionUnknown, false, false}: "byotinhologram hologram_in2 hologram_in hologram_out ByotInOut " +
			"ByotUcap Byot userin in user_inside ",
		{cdr.DirectionUnknown, false, true}: "ByotEmergency",
	} {
		for raw := range strings.SplitSeq(types, " ") {
			slug, direction, known, emergency := parseCallType(raw)
			if got := (meaning{direction, known, emergency}); got != want || slug != cdr.CallType(raw) {
				t.Errorf("%s is %q %+v, want %+v", raw, slug, got, want)
			}
		}
	}
	for raw, want := range map[string]string{"ByotOutUserForwarding": "byot_out_user_forwarding", "BYOTIN": "byotin"} {
		if slug, _, _, _ := parseCallType(raw); slug != want {
			t.Errorf("%s is %q", raw, slug)
		}
	}
}

func FuzzParseCallType(f *testing.F) {
	for _, seed := range []string{"", "_", "ByotInUcap", "byotinout", "dr_emergency_out", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if slug, dir, known, _ := parseCallType(raw); slug != cdr.CallType(raw) ||
			(known && dir == cdr.DirectionUnknown) {
			t.Errorf("parseCallType(%q) = %q, %v, known %t", raw, slug, dir, known)
		}
	})
}
