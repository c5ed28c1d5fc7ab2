//go:build e2e

package rules

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

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
			path := filepath.Join(writeRules(t, p.Recording(), p.Alerting()), "tests.yaml")
			if err := os.WriteFile(path, fmt.Appendf(nil, tests, c.group, c.samples), 0o600); err != nil {
				t.Fatal(err)
			}
			promtool(t, "test", "rules", path)
		})
	}
	t.Run("all that can", func(t *testing.T) {
		p := Default()
		p.AlertLabels = make(map[string][]string)
		for _, name := range p.canKeepLabels() {
			p.AlertLabels[name] = []string{"department", "site"}
		}
		dir := writeRules(t, p.Recording(), p.Alerting())
		promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, "recording.yaml"),
			filepath.Join(dir, "alerts.yaml"))
	})
}
