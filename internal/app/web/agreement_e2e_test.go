//go:build e2e

package web_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// situation is a trunk's attempts, a letter for each minute and direction, an alert that fires
// then, or none at all, and what the page says.
type situation struct {
	name              string
	outbound, inbound string
	alert             string
	level             web.Level
}

// series returns the situation's series in promtool's form. The source has the situation's name.
func (s *situation) series() (text string, minutes int) {
	labels := fmt.Sprintf(`source=%q, feed="direct_routing"`, s.name)
	all := map[string][]string{}
	add := func(name string, value int) { all[name] = append(all[name], fmt.Sprint(value)) }
	last := 70 + max(len(s.outbound), len(s.inbound)) // when the newest attempts were read
	minutes = last + 6                                // alerts must hold for a while
	for m := range minutes + 1 {
		add("cdr_exporter_catching_up{"+labels+"}", 0)
		add("cdr_exporter_watermark_timestamp_seconds{"+labels+"}", 60*m)
		for direction, results := range map[string]string{"outbound": s.outbound, "inbound": s.inbound} {
			which := fmt.Sprintf(`%s, trunk="sbc1", direction=%q`, labels, direction)
			seen := results[:max(0, min(len(results), m+len(results)-last))]
			kept := seen[max(0, len(seen)-64):]
			for letter, outcome := range map[string]string{"c": "answered", "f": "failed", "o": "busy"} {
				add(fmt.Sprintf(`cdr_calls_total{%s, outcome=%q, late="false"}`, which, outcome),
					strings.Count(seen, letter))
			}
			add("cdr_recent_attempts{"+which+"}", len(kept))
			add("cdr_recent_faults{"+which+"}", strings.Count(kept, "f"))
			add("cdr_recent_connected{"+which+"}", strings.Count(kept, "c"))
			add("cdr_recent_newest_timestamp_seconds{"+which+"}", 60*m)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		text += fmt.Sprintf("      - {series: '%s', values: '%s'}\n", name, strings.Join(all[name], " "))
	}
	return text, minutes
}

// TestE2EPageAgreesWithAlerts: no trunk is green on the page while an alert on its failures fires,
// and both judge by the same thresholds.
func TestE2EPageAgreesWithAlerts(t *testing.T) {
	situations := []situation{
		{"healthy", stories.Good, stories.Good, "", web.LevelOK},
		{"a fault now and then", "ccf" + stories.Good[:61], stories.Good, "", web.LevelOK},
		{"users who are busy", strings.Repeat("o", 30) + stories.Good[:34], stories.Good, "", web.LevelOK},
		{"17 of 64", strings.Repeat("fcc", 16) + "cccccccccccccccf", "", "CDRFailureSpike", web.LevelWarn},
		{
			"17 of 64 of one direction", strings.Repeat("fcc", 16) + "cccccccccccccccf", stories.Good,
			"CDRFailureSpike", web.LevelWarn,
		},
		{
			"6 percent of 70", strings.Repeat("fcccccccccccccc", 4) + "ccccccccccff", "",
			"CDRFailureSpike", web.LevelWarn,
		},
		{"6 percent of both directions", strings.Repeat("c", 30), "ff" + strings.Repeat("c", 20) + "ff" +
			strings.Repeat("c", 10), "CDRFailureSpike", web.LevelWarn},
		{"half", strings.Repeat("fc", 32), "", "CDRFailureSpike", web.LevelBad},
		{"down", stories.Good[:50] + "ffffffffffffff", stories.Good, "CDRTrunkDown", web.LevelBad},
		{"down since long", stories.Bad, "", "CDRTrunkDown", web.LevelBad},
		{"down for a small tenant", strings.Repeat("f", 10), "", "CDRTrunkDown", web.LevelBad},
		{"just mended", strings.Repeat("f", 44) + stories.Good[:20], "", "CDRTrunkDown", web.LevelWarn},
		{"nobody answers", strings.Repeat("o", 63) + "c", "", "CDRAnswersCollapsed", web.LevelBad},
	}
	// All are in one test: promtool evaluates each rule as often for one source as for all of them.
	var expected strings.Builder
	var b strings.Builder
	b.WriteString("rule_files: [recording.yaml, alerts.yaml]\nevaluation_interval: 1m\ntests:\n  - interval: " +
		"1m\n    input_series:\n")
	for _, s := range situations {
		series, minutes := s.series()
		which, firing := `severity="critical"`, ""
		if s.alert != "" {
			which, firing = fmt.Sprintf("alertname=%q", s.alert), "{labels: '{}', value: 1}"
		}
		b.WriteString(series)
		fmt.Fprintf(&expected, "      - {expr: 'group(ALERTS{alertstate=\"firing\", %s, source=~\"|%s\"})', "+
			"eval_time: %dm, exp_samples: [%s]}\n", which, s.name, minutes, firing)
		outbound, inbound := stories.Trunk("sbc1", s.outbound), stories.Trunk("sbc1", s.inbound)
		inbound.Direction = cdr.Inbound
		all := []stories.Attempts{outbound}
		if s.inbound != "" {
			all = append(all, inbound)
		}
		v := statusOf(t, stories.Account(stories.Reading(all...))).Verdict
		if v.Level != s.level || v.Level == web.LevelOK && s.alert != "" {
			t.Errorf("%s: the page says %s (%s) while %q fires", s.name, v.Level, v.Text, s.alert)
		}
	}
	b.WriteString("    promql_expr_test:\n" + expected.String())
	dir := t.TempDir()
	for name, produce := range map[string]func() ([]byte, error){
		"recording.yaml": rules.Default().RecordingFile, "alerts.yaml": rules.Default().AlertsFile,
		"tests.yaml": func() ([]byte, error) { return []byte(b.String()), nil },
	} {
		text, err := produce()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		require.NoError(t, err)
	}
	command := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "promtool"), "test", "rules",
		filepath.Join(dir, "tests.yaml"))
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("the alerts: %v\n%s", err, out)
	}
}
