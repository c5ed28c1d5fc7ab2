package web_test

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// verdictOf is the verdict as the page shows it, without what to do.
func verdictOf(t *testing.T, backend web.Backend) (level web.Level, text string, findings []string) {
	t.Helper()
	body, _ := statusPage(t, backend)
	eachElement(t, body, func(node *html.Node) {
		switch {
		case attribute(node, "id") == "verdict":
			level = web.Level(attribute(node, "data-level"))
		case attribute(node, "id") == "verdict-text":
			text = textOf(node)
		case node.Data == "li" && attribute(node, "data-level") != "":
			finding := textOf(node)
			for child := range node.ChildNodes() {
				if attribute(child, "class") == "advice" {
					finding = strings.TrimSuffix(finding, " "+textOf(child))
				}
			}
			findings = append(findings, strings.TrimSuffix(finding, "."))
		}
	})
	return level, text, findings
}

func TestVerdict(t *testing.T) {
	good, trunk, failing := stories.Good, stories.Trunk, stories.Failing
	on := func(trunks ...stories.Attempts) *stories.Backend { return stories.Account(stories.Reading(trunks...)) }
	inbound := trunk("sbc1.example.com", good)
	inbound.Direction = cdr.Inbound
	yesterdays := trunk("sbc1.example.com", good[:16]+"ffffffff"+good[:40])
	yesterdays.Newest = 13 * time.Hour
	few := trunk("sbc1.example.com", strings.Repeat("c", 30))
	few.Direction = cdr.Inbound
	generous := on(trunk("sbc1.example.com", good[:48]+"cfcfcfcccfcccccc"))
	generous.Shown.Thresholds = thresholds.Default()
	generous.Shown.Thresholds.ErrorBudget = 0.05
	unnamed := stories.Reading()
	unnamed.Feed, unnamed.Trunks = "call_log", stories.Counted("office", "call_log", trunk("", strings.Repeat("f", 6)))
	office := stories.Account(unnamed)
	office.Shown.Sources[0].Name = "office"
	for name, test := range map[string]struct {
		backend  *stories.Backend
		level    web.Level
		text     string
		findings []string
	}{
		"no source": {
			storyOf(t, "no-source"), web.LevelUnknown,
			"Can't tell whether calls get through: no source is configured.", nil,
		},
		"no calls": {
			storyOf(t, "no-calls"), web.LevelUnknown, "Can't tell whether calls get through: no calls yet.", nil,
		},
		"first history": {
			storyOf(t, "first-history"), web.LevelUnknown,
			"Can't tell whether calls get through yet: the first history of contoso/pstn is still being read.",
			[]string{"contoso pstn: can't tell; nothing has been read yet"},
		},
		"all is well": {
			on(trunk("sbc1.example.com", good), inbound, trunk("sbc2.example.com", "cccc")), web.LevelOK,
			"Calls get through on all 2 trunks.", nil,
		},
		"one trunk, a few failures": {
			on(trunk("sbc1.example.com", "f"+good[:60]+"fcf")), web.LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"one trunk down": {
			storyOf(t, "trunk-down"), web.LevelBad, "Calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 10:41 UTC; " +
				"certificate expired (569008); your SBC; " +
				"63 of 64 failed attempts are of cost centre 4711, 63 of site Berlin"},
		},
		"just went down": {
			storyOf(t, "just-went-down"), web.LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: the last 7 attempts failed, since 11:51 UTC; certificate " +
				"expired (569008); your SBC"},
		},
		"down but for one call that got through": {
			on(failing("sbc1.example.com", strings.Repeat("f", 60)+"cfff", 2*time.Minute)), web.LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 63 of the last 64 attempts failed, since 11:58 UTC; " +
				"certificate expired (569008); your SBC"},
		},
		"just mended": {
			storyOf(t, "just-mended"), web.LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 48 of the last 64 attempts failed, none of the newest 16; " +
				"no reason given; unclear whose fault"},
		},
		"mended": {
			on(trunk("sbc1.example.com", "fff"+good[:61])), web.LevelOK,
			"Calls get through on the only trunk.", nil,
		},
		"more fail than the error budget allows, though few of the newest": {
			storyOf(t, "some-fail-without-reason"), web.LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 17 of the last 64 attempts failed; no reason given; unclear " +
				"whose fault"},
		},
		"these were yesterday's": {
			on(yesterdays), web.LevelOK, "Calls get through on the only trunk.", nil,
		},
		"one direction of a trunk burns the budget of both": {
			on(few, trunk("sbc1.example.com", "ffff"+strings.Repeat("c", 16)+"ff"+
				strings.Repeat("c", 14))), web.LevelWarn, "Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 6 of the last 36 attempts failed; no reason given; unclear " +
				"whose fault"},
		},
		"hardly any connects": {
			storyOf(t, "hardly-any-connects"), web.LevelBad,
			"Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 1 of the last 64 attempts connected; no reason given; users"},
		},
		"an error budget of one's own": {generous, web.LevelOK, "Calls get through on the only trunk.", nil},
		"all trunks down": {
			storyOf(t, "all-trunks-down"), web.LevelBad, "Calls fail on all 3 trunks.",
			[]string{
				"sbc1.example.com, outbound: 64 of the last 64 attempts failed, since 11:00 UTC; certificate " +
					"expired (569008); your SBC",
				"sbc2.example.com, outbound: 64 of the last 64 attempts failed, since 11:57 UTC; no route (503); " +
					"the carrier",
				"sbc3.example.com, outbound: 64 of the last 64 attempts failed, since 11:57 UTC; internal error " +
					"(500); the provider",
			},
		},
		"three faults at night": {
			on(failing("sbc1.example.com", "fff", 3*time.Hour)), web.LevelWarn,
			"Some calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: 3 of the last 3 attempts failed, since 09:00 UTC; " +
				"certificate expired (569008); your SBC"},
		},
		"some fail": {
			storyOf(t, "some-fail"), web.LevelWarn,
			"Some calls fail on 1 of 2 trunks.",
			[]string{"sbc1.example.com, outbound: 10 of the last 16 attempts failed; certificate expired " +
				"(569008); your SBC"},
		},
		"every call is refused": {
			storyOf(t, "refused"), web.LevelBad, "Calls fail on the only trunk.",
			[]string{"sbc1.example.com, outbound: none of the last 64 attempts connected, since 11:00 UTC; " +
				"outbound not allowed (510560); your policy, licence or credit; " +
				"63 of 64 attempts that didn't connect are of cost centre 4711, 63 of site Berlin"},
		},
		"no trunk has a name": {
			office, web.LevelBad, "Calls fail on the only trunk.",
			[]string{"office call_log, outbound: 6 of the last 6 attempts failed, since 11:58 UTC; no reason " +
				"given; unclear whose fault"},
		},
		"too few to tell": {
			storyOf(t, "too-few-calls"), web.LevelUnknown, "Can't tell whether calls get through.",
			[]string{"sbc1.example.com, outbound: can't tell, 0 of the last 2 attempts connected"},
		},
		"pstn connects": {
			on(stories.Operator("Colt", good)), web.LevelOK, "Calls get through on the only trunk.", nil,
		},
		"pstn connects nothing, or little": {
			storyOf(t, "no-reasons"), web.LevelBad, "Calls fail on 1 of 3 trunks.",
			[]string{
				"Colt, outbound: none of the last 24 attempts connected, since 11:58 UTC; the provider doesn't say " +
					"why; unclear whose fault",
				"Telia, outbound: can't tell, 2 of the last 16 attempts connected",
			},
		},
		"call records next to direct routing aren't a trunk": {
			stories.Account(stories.Reading(trunk("sbc1.example.com", good)),
				stories.Reading(stories.Operator("", good))),
			web.LevelOK, "Calls get through on the only trunk.", nil,
		},
		"a trunk is quiet": {
			storyOf(t, "quiet-trunk"), web.LevelOK,
			"Calls get through on 1 of 2 trunks; too few recent calls to tell of the rest.",
			[]string{"sbc3.example.com, outbound: can't tell, no call, since 28 Mar 06:00 UTC"},
		},
		"a feed fails": {
			storyOf(t, "feed-error"), web.LevelUnknown, "Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; Microsoft refuses the " +
				"credentials (403 Forbidden)"},
		},
		"a feed fails while a trunk is down": {
			stories.Account(stories.In(web.StateError, 70*time.Minute, "403 Forbidden",
				failing("sbc1.example.com", "fffff", 90*time.Minute))), web.LevelBad,
			"Calls fail on the only trunk.",
			[]string{
				"sbc1.example.com, outbound: 5 of the last 5 attempts failed, since 10:30 UTC (read up to " +
					"10:50 UTC); certificate expired (569008); your SBC",
				"contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden",
			},
		},
		"a feed is behind": {
			storyOf(t, "catching-up"), web.LevelUnknown,
			"Calls get through on 1 of 2 trunks; not every feed is up to date.",
			[]string{"contoso direct_routing: can't tell, since 10:50 UTC; older calls are being read first"},
		},
		"throttled for a moment": {
			stories.Account(stories.In(web.StateThrottled, 2*time.Minute, "429", trunk("sbc1.example.com", good))),
			web.LevelOK, "Calls get through on the only trunk.", nil,
		},
		"throttled for long": {
			storyOf(t, "throttled"), web.LevelUnknown,
			"Can't tell whether calls get through.",
			[]string{"contoso direct_routing: can't tell, since 11:00 UTC; 429 Too Many Requests"},
		},
		"a snapshot says nothing of failures": {
			stories.Account(stories.Reading(trunk("sbc1.example.com", good)),
				web.Feed{Feed: "active_calls", Snapshot: true, State: web.StateError}), web.LevelOK,
			"Calls get through on the only trunk.", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			level, text, findings := verdictOf(t, test.backend)
			if level != test.level || text != test.text {
				t.Errorf("got %s %q, want %s %q", level, text, test.level, test.text)
			}
			if got, want := strings.Join(findings, "\n"), strings.Join(test.findings, "\n"); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
