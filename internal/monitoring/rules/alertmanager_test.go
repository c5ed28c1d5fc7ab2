package rules

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// alertmanagerConfig is what of Alertmanager's configuration names alerts and labels.
type alertmanagerConfig struct {
	Route struct {
		Receiver string `yaml:"receiver"`
		Routes   []struct {
			Matchers []string `yaml:"matchers"`
			Receiver string   `yaml:"receiver"`
		} `yaml:"routes"`
	} `yaml:"route"`
	Receivers []struct {
		Name string `yaml:"name"`
	} `yaml:"receivers"`
	InhibitRules []struct {
		Source []string `yaml:"source_matchers"`
		Target []string `yaml:"target_matchers"`
		Equal  []string `yaml:"equal"`
	} `yaml:"inhibit_rules"`
}

var matcherParts = regexp.MustCompile(`^(\w+) (=~?) "([^"]*)"$`)

// matched are the alerts that all matchers fit.
func matched(t *testing.T, matchers []string) []string {
	t.Helper()
	var found []string
	for r := range rulesOf(Default().Alerting()...) {
		labels := map[string]string{"alertname": r.Alert, "severity": r.Severity, "signal": string(r.Signal)}
		fits := true
		for _, m := range matchers {
			p := matcherParts.FindStringSubmatch(m)
			if p == nil {
				t.Fatalf("the matcher %q isn't understood", m)
			}
			value := p[3]
			if p[2] == "=" {
				value = regexp.QuoteMeta(value)
			}
			expected := regexp.MustCompile("^(?:" + value + ")$")
			fits = fits && (expected.MatchString(labels[p[1]]) || p[1] == "severity" && expected.MatchString(r.Milder))
		}
		if fits {
			found = append(found, r.Alert)
		}
	}
	return found
}

// alternatives is how many names a list of matchers gives for one label.
func alternatives(matchers []string) int { return strings.Count(strings.Join(matchers, ""), "|") + 1 }

func loadAlertmanager(t *testing.T) alertmanagerConfig {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "dashboards", "alertmanager", "alertmanager.yaml"))
	require.NoError(t, err)
	var c alertmanagerConfig
	require.NoError(t, yaml.Unmarshal(content, &c))
	return c
}

// TestAlertmanagerExample: its matchers fit alerts that there are, its receivers too.
func TestAlertmanagerExample(t *testing.T) {
	c := loadAlertmanager(t)
	receivers := make(map[string]bool)
	for _, r := range c.Receivers {
		receivers[r.Name] = true
	}
	if !receivers[c.Route.Receiver] {
		t.Errorf("there is no receiver %s", c.Route.Receiver)
	}
	for _, r := range c.Route.Routes {
		if !receivers[r.Receiver] || len(matched(t, r.Matchers)) == 0 {
			t.Errorf("the route for %q has no receiver or fits no alert", r.Matchers)
		}
	}
	for _, r := range c.InhibitRules {
		if got := matched(t, r.Source); len(got) != alternatives(r.Source) {
			t.Errorf("the source %q fits %q", r.Source, got)
		}
		targets := matched(t, r.Target)
		if strings.Contains(r.Target[0], "alertname") && len(targets) != alternatives(r.Target) || len(targets) == 0 {
			t.Errorf("the target %q fits %q", r.Target, targets)
		}
	}
}

// TestInhibitions: what the practice asks for is silenced, by the labels that both have in
// promtool's tests.
func TestInhibitions(t *testing.T) {
	labels := firedLabels(t)
	inhibited := make(map[string][]string)
	for _, r := range loadAlertmanager(t).InhibitRules {
		for _, source := range matched(t, r.Source) {
			for _, target := range matched(t, r.Target) {
				same := func(label string) bool {
					return slices.Contains(labels[source], label) && slices.Contains(labels[target], label)
				}
				// A missing label is an empty one: it would be equal in alerts that lack it.
				if !slices.ContainsFunc(r.Equal, func(l string) bool { return !same(l) }) {
					inhibited[source] = append(inhibited[source], target)
				}
			}
		}
	}
	for source, targets := range map[string]struct{ silences, leaves []string }{
		"CDRFeedStale": {
			[]string{"CDRFailureSpike", "CDRTrunkDown", "CDRQualityPoor", "CDRSourceAbsent"},
			[]string{"CDREmergencyCall", "CDRCredentialExpiringSoon"},
		},
		"CDRTrunkDown": {
			[]string{"CDRFailureSpike", "CDRFailureBudgetBurning", "CDRAnswersCollapsed"},
			[]string{"CDRChargesSurging", "CDRNoCalls"},
		},
		"CDRAnswersCollapsed": {nil, []string{"CDRTollFraud"}},
		"CDRExporterDown":     {[]string{"CDRConfigReloadFailed", "CDRSourceAbsent"}, []string{"CDRWatchdog"}},
	} {
		for _, target := range slices.Concat(targets.silences, targets.leaves) {
			want := slices.Contains(targets.silences, target)
			if got := slices.Contains(inhibited[source], target); got != want {
				t.Errorf("%s silences %s: %t, want %t", source, target, got, want)
			}
		}
	}
}

// firedLabels are the labels with which each alert fires in promtool's tests.
func firedLabels(t *testing.T) map[string][]string {
	t.Helper()
	fired := make(map[string][]string)
	for _, path := range testFiles(t) {
		for _, test := range loadTests(t, path).Tests {
			for _, a := range test.AlertRuleTests {
				for _, want := range a.ExpAlerts {
					fired[a.AlertName] = slices.AppendSeq(fired[a.AlertName], maps.Keys(want.ExpLabels))
				}
			}
		}
	}
	return fired
}
