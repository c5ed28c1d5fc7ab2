package docs_test

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
)

// readExample returns config.example.yaml as it is.
func readExample(t *testing.T) string {
	t.Helper()
	return read(t, filepath.Join("..", "config.example.yaml"))
}

func TestExampleHasEveryKeyOfAProvider(t *testing.T) {
	for _, p := range app.Providers() {
		if !slices.Contains(exampleBlocks, p.Name) {
			continue
		}
		missing, err := missingKeys(readExample(t), "sources[]."+p.Name, configtest.BlockKeys(p.NewConfig()))
		if err != nil {
			t.Fatal(err)
		}
		if len(missing) > 0 {
			t.Errorf("config.example.yaml lacks %s of %s", strings.Join(missing, ", "), p.Name)
		}
	}
}

// TestExampleShowsDefaultsOfProviders holds the example to its promise that a key that
// is left out has the value shown.
func TestExampleShowsDefaultsOfProviders(t *testing.T) {
	example, defaults := blocks(printed(t, readExample(t))), blocks(printed(t, smallest))
	checked := 0
	for _, p := range app.Providers() {
		want := map[string]string{}
		flatten("", defaults[p.Name], func(key, value string) { want[key] = value })
		flatten("", example[p.Name], func(key, value string) {
			checked++
			if !sameValue(value, want[key]) {
				t.Errorf("config.example.yaml shows %q for %s.%s, the default is %q", value, p.Name, key, want[key])
			}
		})
	}
	plain := blocksOfDefinitions(t, smallest)
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
	if checked < 20 {
		t.Errorf("only %d values were compared: this shows nothing", checked)
	}
}

// blocks are the providers' blocks of a configuration, without what has no default.
func blocks(tree map[string]any) map[string]any {
	all := map[string]any{}
	for _, source := range tree["sources"].([]any) {
		for _, p := range app.Providers() {
			block, ok := source.(map[string]any)[p.Name].(map[string]any)
			if !ok {
				continue
			}
			for _, key := range given {
				delete(block, key)
				delete(block, key+"_file")
			}
			all[p.Name] = block
		}
	}
	return all
}
