package docs_test

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
)

// readExample returns config.example.yaml as it is.
func readExample(t *testing.T) string {
	t.Helper()
	example, err := os.ReadFile(filepath.Join("..", "config.example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return string(example)
}

func TestExampleHasEveryKeyOfAProvider(t *testing.T) {
	for _, p := range app.Providers() {
		missing, err := missingKeys(readExample(t), "sources[]."+p.Name, reflect.TypeOf(p.NewConfig()))
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
