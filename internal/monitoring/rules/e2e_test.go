//go:build e2e

package rules

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// promtool runs the real one.
func promtool(t *testing.T, arguments ...string) {
	t.Helper()
	program := exec.CommandContext(t.Context(), filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "promtool"), arguments...)
	if out, err := program.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestE2EPromtool gives the rules to promtool, and lets it run their tests.
func TestE2EPromtool(t *testing.T) {
	lint(t, filepath.Join(root, "dashboards", "prometheus"))
	t.Run("with parameters", func(t *testing.T) {
		p := Default()
		p.Selector, p.KeepLabels = `job="cdr-exporter", cluster="eu"`, []string{"cluster", "job"}
		p.GrafanaURL = "https://grafana.example.com"
		lint(t, writeRules(t, p.Recording(), p.Alerting()))
	})
	for _, path := range testFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			tests := string(content)
			recording, alerting := needed(tests, func(alert string) bool {
				return strings.Contains(tests, alert) || strings.Contains(tests, "ALERTS")
			})
			testRules(t, recording, alerting, strings.ReplaceAll(tests, "../", ""))
		})
	}
}

// testRules writes groups of rules next to a file of promtool's tests, which it runs.
func testRules(t *testing.T, recording, alerting []Group, tests string) (dir string) {
	t.Helper()
	dir = writeRules(t, recording, alerting)
	path := filepath.Join(dir, "tests.yaml")
	require.NoError(t, os.WriteFile(path, []byte(tests), 0o600))
	promtool(t, "test", "rules", path)
	return dir
}

// lint checks both files of rules in a folder.
func lint(t *testing.T, dir string) {
	t.Helper()
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, "recording.yaml"),
		filepath.Join(dir, "alerts.yaml"))
}

// writeRules writes groups of rules to recording.yaml and alerts.yaml in a new folder.
func writeRules(t *testing.T, recording, alerting []Group) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, groups := range map[string][]Group{"recording.yaml": recording, "alerts.yaml": alerting} {
		content, err := file("", groups)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), content, 0o600)
		}
		require.NoError(t, err)
	}
	return dir
}

// TestE2EAlertLabels: Berlin's few calls all fail while the trunk carries Munich's. The trunk
// as a whole is fine; an alert that keeps the label is about Berlin, and nobody else.
func TestE2EAlertLabels(t *testing.T) {
	const tests = `
rule_files: [recording.yaml, alerts.yaml]
evaluation_interval: 1m
group_eval_order: [cdr-live, cdr-kpis-1h, cdr-faults, %scdr-failures]
tests:
  - interval: 1m
    input_series:
      - {series: 'cdr_exporter_catching_up{source="contoso", feed="direct_routing"}', values: '0x200'}
      - series: 'cdr_exporter_watermark_timestamp_seconds{source="contoso", feed="direct_routing"}'
        values: '0+60x200'
      - series: 'cdr_calls_total{source="contoso", feed="direct_routing", trunk="sbc1", direction="outbound",
          outcome="failed", late="false", site="Berlin"}'
        values: '0+0.25x200'
      - series: 'cdr_calls_total{source="contoso", feed="direct_routing", trunk="sbc1", direction="outbound",
          outcome="answered", late="false", site="Munich"}'
        values: '0+2x200'
      - series: 'cdr_calls_total{source="contoso", feed="direct_routing", trunk="sbc1", direction="outbound",
          outcome="answered", late="false"}'
        values: '0+2x200'
      - series: 'cdr_recent_attempts{source="contoso", feed="direct_routing", trunk="sbc1", direction="outbound"}'
        values: '64x200'
      - series: 'cdr_recent_faults{source="contoso", feed="direct_routing", trunk="sbc1", direction="outbound"}'
        values: '4x200'
    promql_expr_test:
      - expr: count by (alertname, source, trunk, site) (ALERTS{alertname="CDRFailureSpike", alertstate="firing"})
        eval_time: 150m
        exp_samples: [%s]
`
	for _, c := range []struct {
		name, group, samples string
		labels               map[string][]string
	}{
		{"whole", "", "", nil},
		{
			"by site", "cdr-by-site, ",
			`{labels: '{alertname="CDRFailureSpike", source="contoso", trunk="sbc1", site="Berlin"}', value: 1}`,
			map[string][]string{"CDRFailureSpike": {"site"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Default()
			p.AlertLabels, p.Off = c.labels, slices.DeleteFunc(AlertNames(),
				func(name string) bool { return name == "CDRFailureSpike" })
			testRules(t, p.Recording(), p.Alerting(), fmt.Sprintf(tests, c.group, c.samples))
		})
	}
	t.Run("all that can", func(t *testing.T) {
		p := Default()
		p.AlertLabels = make(map[string][]string)
		for _, name := range p.canKeepLabels() {
			p.AlertLabels[name] = []string{"department", "site"}
		}
		lint(t, writeRules(t, p.Recording(), p.Alerting()))
	})
}

// TestE2EOfficeHours: six calls an hour abroad, day and night. 1 January 1970 is a Thursday.
func TestE2EOfficeHours(t *testing.T) {
	const tests = `
rule_files: [recording.yaml, alerts.yaml]
evaluation_interval: 1h
group_eval_order: [cdr-live, cdr-baselines, cdr-fraud-baselines, cdr-fraud]
tests:
  - interval: 4m
    input_series:
      - {series: 'cdr_exporter_catching_up{source="a", feed="f"}', values: '0x1200'}
      - {series: 'cdr_exporter_watermark_timestamp_seconds{source="a", feed="f"}', values: '0+240x1200'}
      - {series: 'cdr_calls_total{source="a", feed="f"}', values: '0+4x1200'}
      - series: 'cdr_calls_by_country_total{source="a", feed="f", direction="outbound", country="DE",
          number_class="geographic", connected="true"}'
        values: '0+1x1200'
      - series: 'cdr_calls_by_country_total{source="a", feed="f", direction="outbound", country="FR",
          number_class="geographic", connected="true"}'
        values: '0+0.4x1200'
    promql_expr_test:
      - expr: 'count by (country) (ALERTS{alertname="CDRTollFraud", sign="unusual_hour", alertstate="firing"})
          and on () round(sum(source_feed_country:cdr_outbound_calls:rate1h{country="FR"}) * 3600) == 6'
        eval_time: 22h
        exp_samples: [{labels: '{country="FR"}', value: 1}]
      - {expr: 'ALERTS{alertname="CDRTollFraud", sign="unusual_hour"}', eval_time: 18h, exp_samples: []}
      - {expr: 'ALERTS{alertname="CDRTollFraud", sign="unusual_hour"}', eval_time: 20h, exp_samples: []}
      - {expr: 'ALERTS{alertname="CDRTollFraud", sign="unusual_hour"}', eval_time: 36h, exp_samples: []}
      - expr: 'count by (country) (ALERTS{alertname="CDRTollFraud", sign="unusual_hour", alertstate="firing"})'
        eval_time: 60h
        exp_samples: [{labels: '{country="FR"}', value: 1}]
`
	p := Default()
	p.OfficeHours, p.HomeCountries = "Mon-Fri 06-19", []string{"DE", "AT"}
	lint(t, testRules(t, p.Recording(), p.Alerting(), tests))
}
