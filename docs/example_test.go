package docs_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
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

// exampleBlocks are the providers whose blocks the example shows.
var exampleBlocks = []string{"msgraph", "ringcentral", "wavix"}

func TestExampleIsComplete(t *testing.T) {
	if missing := topLevelMissing(t, readExample(t)); len(missing) > 0 {
		t.Errorf("config.example.yaml lacks %s", strings.Join(missing, ", "))
	}
	without := strings.ReplaceAll(readExample(t), "#hash_key_file:", "# hash_key_file:")
	if missing := topLevelMissing(t, without); !slices.Equal(missing, []string{"privacy.hash_key_file"}) {
		t.Errorf("without hash_key_file the missing keys are %v", missing)
	}
}

// topLevelMissing lists the keys outside of providers' blocks that an example lacks, apart from those that it says are
// the same elsewhere.
func topLevelMissing(t *testing.T, example string) []string {
	t.Helper()
	missing, err := missingKeys(example, "", configtest.Keys(reflect.TypeFor[config.Config]()))
	require.NoError(t, err)
	return slices.DeleteFunc(missing, func(key string) bool {
		return strings.HasPrefix(key, "otlp.tls_config.") || strings.HasPrefix(key, "storage.postgres.tls_config.")
	})
}

// TestExampleOfWhatIsLeftOut checks the lines in comments: with all of them nothing
// may be wrong but that alternatives are given together.
func TestExampleOfWhatIsLeftOut(t *testing.T) {
	_, err := config.Parse("config.example.yaml", []byte(uncomment(readExample(t))), allProviders())
	if err == nil {
		t.Fatal("alternatives that are given together are accepted")
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.Contains(line, "is set twice, as text and as a file") &&
			!strings.Contains(line, "is already set by") {
			t.Error(strings.TrimSpace(line))
		}
	}
}

// An example documents a key by giving it, or by giving it in a comment: a line with # directly
// before its text is a part of the configuration that is left out, such as an alternative, while a
// line with # and a space is prose.

// leftOut is a line of configuration in a comment.
var leftOut = regexp.MustCompile(`(?m)^([ \t]*)#([^#\s])`)

// uncomment puts the configuration that is left out of an example back in. Its lines
// keep their numbers.
func uncomment(example string) string {
	return leftOut.ReplaceAllString(example, "$1$2")
}

// missingKeys returns those keys of a type, as configtest.Keys lists them, that an
// example does not document under a path such as "sources[].msgraph"; the empty
// path is the whole file. A key that is documented by an element of a list counts
// for the list.
func missingKeys(example string, under string, keys []string) ([]string, error) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(uncomment(example)), &root); err != nil {
		return nil, fmt.Errorf("parse example with its comments: %w", err)
	}
	documented := map[string]bool{}
	for _, node := range root.Content {
		collectKeys(node, "", documented)
	}
	if under != "" {
		under += "."
	}
	return slices.DeleteFunc(keys, func(key string) bool { return documented[under+key] }), nil
}

// collectKeys notes the paths of all keys in a node.
func collectKeys(n *yaml.Node, path string, keys map[string]bool) {
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i].Value
			if path != "" {
				key = path + "." + key
			}
			keys[key] = true
			collectKeys(n.Content[i+1], key, keys)
		}
	case yaml.SequenceNode:
		for _, item := range n.Content {
			collectKeys(item, path+"[]", keys)
		}
	}
}
