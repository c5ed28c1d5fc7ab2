package web_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// verdictOf is the verdict as the page shows it, with a line for each finding, without what to do.
func verdictOf(t *testing.T, backend web.Backend) string {
	t.Helper()
	var level, text, findings string
	body, _ := statusPage(t, backend)
	eachElement(t, body, func(node *html.Node) {
		switch {
		case attribute(node, "id") == "verdict":
			level = attribute(node, "data-level")
		case attribute(node, "id") == "verdict-text":
			text = textOf(node)
		case node.Data == "li" && attribute(node, "data-level") != "":
			finding := textOf(node)
			for child := range node.ChildNodes() {
				if attribute(child, "class") == "advice" {
					finding = strings.TrimSuffix(finding, " "+textOf(child))
				}
			}
			findings += "\n- " + strings.TrimSuffix(finding, ".")
		}
	})
	return level + ": " + text + findings
}

// TestVerdictOfEachStory: all verdicts of the storybook.
func TestVerdictOfEachStory(t *testing.T) {
	var all strings.Builder
	for _, s := range stories.All() {
		fmt.Fprintf(&all, "# %s\n%s\n\n", s.Name, verdictOf(t, s.Backend))
	}
	golden.File(t, filepath.Join("testdata", "verdicts.txt"), []byte(all.String()))
}

// TestVerdict: situations that no story shows.
func TestVerdict(t *testing.T) {
	good, trunk, failing := stories.Good, stories.Trunk, stories.Failing
	on := func(trunks ...stories.Attempts) *stories.Backend { return stories.Account(stories.Reading(trunks...)) }
	inbound := trunk("sbc1.example.com", good)
	inbound.Direction = cdr.Inbound
	yesterdays := trunk("sbc1.example.com", good[:16]+"ffffffff"+good[:40])
	yesterdays.Newest = 13 * time.Hour
	few := trunk("sbc1.example.com", strings.Repeat("c", 30))
	few.Direction = cdr.Inbound
	many := trunk("sbc1.example.com", "ffff"+strings.Repeat("c", 16)+"ff"+strings.Repeat("c", 14))
	generous := on(trunk("sbc1.example.com", good[:48]+"cfcfcfcccfcccccc"))
	generous.Shown.Thresholds = thresholds.Default()
	generous.Shown.Thresholds.ErrorBudget = 0.05
	unnamed := stories.Reading()
	unnamed.Feed, unnamed.Trunks = "call_log", stories.Counted("office", "call_log", trunk("", strings.Repeat("f", 6)))
	office := stories.Account(unnamed)
	office.Shown.Sources[0].Name = "office"
	down := failing("sbc1.example.com", "fffff", 90*time.Minute)
	wellReading := stories.Reading(trunk("sbc1.example.com", good))
	snapshot := web.Feed{Feed: "active_calls", Snapshot: true, State: web.StateError}
	const ok = "ok: Calls get through on the only trunk."
	const certificate = "; certificate expired (569008); your SBC"
	for name, test := range map[string]struct {
		backend *stories.Backend
		want    string
	}{
		"all is well": {
			on(trunk("sbc1.example.com", good), inbound, trunk("sbc2.example.com", "cccc")),
			"ok: Calls get through on all 2 trunks.",
		},
		"one trunk, a few failures": {on(trunk("sbc1.example.com", "f"+good[:60]+"fcf")), ok},
		"down but for one call that got through": {
			on(failing("sbc1.example.com", strings.Repeat("f", 60)+"cfff", 2*time.Minute)),
			"bad: Calls fail on the only trunk.\n- sbc1.example.com, outbound: 63 of the last 64 attempts failed, " +
				"since 11:58 UTC" + certificate,
		},
		"mended":                 {on(trunk("sbc1.example.com", "fff"+good[:61])), ok},
		"these were yesterday's": {on(yesterdays), ok},
		"one direction of a trunk burns the budget of both": {
			on(few, many), "warn: Some calls fail on the only trunk.\n- sbc1.example.com, outbound: 6 of the last 36 " +
				"attempts failed; no reason given; unclear whose fault",
		},
		"an error budget of one's own": {generous, ok},
		"three faults at night": {
			on(failing("sbc1.example.com", "fff", 3*time.Hour)),
			"warn: Some calls fail on the only trunk.\n- sbc1.example.com, outbound: 3 of the last 3 attempts " +
				"failed, since 09:00 UTC" + certificate,
		},
		"no trunk has a name": {
			office, "bad: Calls fail on the only trunk.\n- office call_log, outbound: 6 of the last 6 attempts " +
				"failed, since 11:58 UTC; no reason given; unclear whose fault",
		},
		"pstn connects": {on(stories.Operator("Colt", good)), ok},
		"call records next to direct routing aren't a trunk": {
			stories.Account(wellReading, stories.Reading(stories.Operator("", good))), ok,
		},
		"a feed fails while a trunk is down": {
			stories.Account(stories.In(web.StateError, 70*time.Minute, "403 Forbidden", down)),
			"bad: Calls fail on the only trunk.\n- sbc1.example.com, outbound: 5 of the last 5 attempts failed, " +
				"since 10:30 UTC (read up to 10:50 UTC)" + certificate +
				"\n- contoso direct_routing: can't tell, since 10:50 UTC; 403 Forbidden",
		},
		"throttled for a moment": {
			stories.Account(stories.In(web.StateThrottled, 2*time.Minute, "429", trunk("sbc1.example.com", good))), ok,
		},
		"a snapshot says nothing of failures": {stories.Account(wellReading, snapshot), ok},
	} {
		t.Run(name, func(t *testing.T) {
			if got := verdictOf(t, test.backend); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}
