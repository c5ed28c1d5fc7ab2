package docs_test

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// readExample returns config.example.yaml as it is.
func readExample(t *testing.T) string {
	t.Helper()
	return golden.Read(t, filepath.Join("..", "config.example.yaml"))
}

func TestExampleHasEveryKeyOfAProvider(t *testing.T) {
	for _, p := range app.Providers() {
		if !slices.Contains(exampleBlocks, p.Name) {
			continue
		}
		missing, err := missingKeys(readExample(t), "sources[]."+p.Name, configtest.BlockKeys(p.NewConfig()))
		require.NoError(t, err)
		if len(missing) > 0 {
			t.Errorf("config.example.yaml lacks %s of %s", strings.Join(missing, ", "), p.Name)
		}
	}
}

// notDefaults are the keys whose values in the example aren't the defaults, as their comments say.
var notDefaults = regexp.MustCompile(`^(otlp\.(endpoint|protocol|headers|resource_attributes)|` +
	`sources\.(name|requests_per_minute|tls_config\.m(in|ax)_version|` +
	`\w+\.(` + strings.Join(given, "|") + `)(_file)?))\b`)

// TestExampleShowsDefaults holds the example to its promise that a key that is left out has the value
// shown, apart from those whose comments say otherwise.
func TestExampleShowsDefaults(t *testing.T) {
	values := func(text string) map[string]string {
		all := make(map[string]string)
		flatten("", printed(t, text), func(key, value string) {
			if !notDefaults.MatchString(key) {
				all[key] = value
			}
		})
		return all
	}
	shown, defaults := values(readExample(t)), values(smallest)
	for key := range defaults {
		if _, is := shown[key]; !is {
			shown[key] = ""
		}
	}
	for key, value := range shown {
		if !sameValue(value, defaults[key]) {
			t.Errorf("config.example.yaml shows %q for %s, the default is %q", value, key, defaults[key])
		}
	}
	checked, plain := len(shown), blocksOfDefinitions(t, smallest)
	for name, shown := range blocksOfDefinitions(t, readExample(t)) {
		want := *plain[name]
		want.Secrets, want.Values = shown.Secrets, maps.Clone(want.Values)
		for _, key := range given {
			if value, is := shown.Values[key]; is {
				want.Values[key] = value
			}
		}
		checked += len(want.Values)
		if !want.SameAs(shown) {
			t.Errorf("config.example.yaml shows other values for %s than the defaults", name)
		}
	}
	if checked < 30 {
		t.Errorf("only %d values were compared: this shows nothing", checked)
	}
}
