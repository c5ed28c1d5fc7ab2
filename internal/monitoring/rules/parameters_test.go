package rules

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestExample: rules.example.yaml names every parameter with its default.
func TestExample(t *testing.T) {
	const name = "rules.example.yaml"
	text, err := os.ReadFile(filepath.Join(root, name))
	require.NoError(t, err)
	want := Default()
	p, err := Load(filepath.Join(root, name), want.Feeds)
	require.NoError(t, err)
	// empty
	want.KeepLabels, want.Off, want.AlertLabels, want.HomeCountries = p.KeepLabels, p.Off, p.AlertLabels,
		p.HomeCountries
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%s has %+v, and SetDefaults of parameters.go %+v", name, *p, *want)
	}
	for _, key := range configtest.Keys(reflect.TypeFor[Parameters]()) {
		if !strings.Contains(string(text), "\n"+key+":") {
			t.Errorf("%s doesn't name %s: add it with its default and one sentence", name, key)
		}
	}
}

// TestParameterProblems: an invalid parameter gives an error in the form of `check config`.
func TestParameterProblems(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"unknown key", "error_bugdet: 0.1", "rules.yaml:1: error_bugdet: unknown key"},
		{"share", "off: []\nfew_share: 50", "rules.yaml:2: few_share: must be above 0 and at most 1, is 50"},
		{"share that isn't a number", "few_share: .nan", "rules.yaml:1: few_share: must be above 0 and at most 1, " +
			"is NaN"},
		{"floor that isn't a number", "charge_floors: {USD: .nan}", "rules.yaml:1: charge_floors: must be amounts " +
			"by currency"},
		{"floor without end", "charge_floors: {USD: .inf}", "rules.yaml:1: charge_floors: must be amounts by currency"},
		{"selector of two lines", "selector: \"job=\\\"a\\nb\\\"\"", "rules.yaml:1: selector: must be matchers " +
			"without braces"},
		{"a time that buckets don't tell", "queue_seconds: 25", "rules.yaml:1: queue_seconds: must be a bound of " +
			"the buckets of cdr_queue_wait_seconds"},
		{"count", "answer_floor: 0", "rules.yaml:1: answer_floor: must be at least 1, is 0"},
		{"no number", "down_ratio: many", "rules.yaml:1: down_ratio: must be a number without quotes"},
		{"choice", "emergency_calls: loud", "rules.yaml:1: emergency_calls: must be off, info or critical"},
		{"alert", "off: [CDRNothing]", `rules.yaml:1: off: must be alerts of docs/alerts.md, "CDRNothing" isn't one`},
		{
			"alert that can't keep labels", "alert_labels: {CDRFeedStale: [site]}",
			`rules.yaml:1: alert_labels: "CDRFeedStale" can't keep labels of calls; these alerts can: CDR`,
		},
		{
			"alert that asks about calls beside its own figure", "alert_labels: {CDRTollFraud: [site]}",
			`rules.yaml:1: alert_labels: "CDRTollFraud" can't keep labels of calls; these alerts can: CDR`,
		},
		{
			"alert that leaves out by calls", "alert_labels: {CDRQualityPoor: [site]}",
			`rules.yaml:1: alert_labels: "CDRQualityPoor" can't keep labels of calls; these alerts can: CDR`,
		},
		{"no label to keep", "alert_labels: {CDRFailureSpike: [Site]}", "rules.yaml:1: alert_labels: must be labels " +
			"of the configuration by alert"},
		{"selector", `selector: '{job="a"}'`, "rules.yaml:1: selector: must be matchers without braces"},
		{"label", "keep_labels: [a-b]", "rules.yaml:1: keep_labels: must be labels"},
		{"country", "risky_countries: [Cuba]", "rules.yaml:1: risky_countries: must be codes"},
		{"home", "home_countries: [Germany]", "rules.yaml:1: home_countries: must be codes"},
		{"hours", "office_hours: Mon-Fri 7-19", "rules.yaml:1: office_hours: must be days and hours of UTC, such as " +
			"Mon-Fri 06-19"},
		{"hours of a night", "office_hours: Mon-Fri 19-07", "rules.yaml:1: office_hours: must be days and hours of " +
			"UTC"},
		{"currency", "charge_floors: {Euro: 5}", "rules.yaml:1: charge_floors: must be amounts by currency"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := config.Unmarshal("rules.yaml", []byte(c.text), new(Parameters), config.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestAdapt: the selector goes into raw series alone, and the labels to keep into groupings.
func TestAdapt(t *testing.T) {
	p := &Parameters{Selector: `job="x"`, KeepLabels: []string{"cluster", "job"}}
	for _, c := range []struct{ name, expr, want string }{
		{
			"selected", `sum by (source) (rate(cdr_calls_total{late="false"}[5m]))`,
			`sum by (cluster, job, source) (rate(cdr_calls_total{job="x",late="false"}[5m]))`,
		},
		{"bare", `max by (job, instance) (up == 0)`, `max by (cluster, job, instance) (up{job="x"} == 0)`},
		{
			"recorded", `source_feed:cdr_calls:rate1h > 0 and on (source, feed) source_feed:cdr_live:min7m == 1`,
			`source_feed:cdr_calls:rate1h > 0 and on (cluster, job, source, feed) source_feed:cdr_live:min7m == 1`,
		},
		{
			"text", `vector(1) unless x{y="cdr_calls_total by (z)"}`,
			`vector(1) unless x{job="x",y="cdr_calls_total by (z)"}`,
		},
	} {
		if got := p.adapt(c.expr).String(); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	if got, want := string(p.Alertmanager([]byte("equal: [source, feed]\ngroup_by: [alertname, job]"))), "equal: "+
		"[cluster, job, source, feed]\ngroup_by: [cluster, alertname, job]"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestChoices: alerts that are off are in no file, and emergency calls are as loud as is said.
func TestChoices(t *testing.T) {
	p := Default()
	p.Off, p.EmergencyCalls, p.RunbookURL, p.GrafanaURL = []string{"CDRWatchdog"}, critical, "https://wiki/",
		"https://grafana/"
	text, err := p.AlertsFile()
	require.NoError(t, err)
	if strings.Contains(string(text), "CDRWatchdog") {
		t.Error("the watchdog isn't off")
	}
	for _, want := range []string{"runbook_url: https://wiki/CDRTrunkDown.md", "dashboard_url: " +
		"https://grafana/d/cdr-exporter-trunks?from="} {
		if !strings.Contains(string(text), want) {
			t.Errorf("it lacks %s", want)
		}
	}
	for choice, want := range map[string]string{
		"off": "", info: `{{ if eq $labels.result "answered" }}info{{ else }}critical{{ end }}`,
		critical: critical,
	} {
		p.EmergencyCalls = choice
		got := ""
		for r := range rulesOf(p.Alerting()...) {
			if r.Alert == "CDREmergencyCall" {
				got = r.severity()
			}
		}
		if got != want {
			t.Errorf("with emergency_calls %s the severity is %q", choice, got)
		}
	}
}
