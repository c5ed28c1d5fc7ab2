//go:build e2e

package rules

import (
	"os"
	"path/filepath"
	"testing"
)

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
	path := filepath.Join(writeRules(t, p.Recording(), p.Alerting()), "tests.yaml")
	if err := os.WriteFile(path, []byte(tests), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(filepath.Dir(path), "alerts.yaml"))
	promtool(t, "test", "rules", path)
}
