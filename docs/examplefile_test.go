package docs_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
)

// exampleBlocks are the providers whose blocks the example shows.
var exampleBlocks = []string{"msgraph", "ringcentral", "wavix"}

// anyBlock stands for a provider's block.
type anyBlock struct{}

// withoutBlocks empties the providers' blocks, each of which must be there once.
func withoutBlocks(t *testing.T, example string) string {
	t.Helper()
	var kept strings.Builder
	seen := map[string]int{}
	inside := false
	for line := range strings.Lines(example) {
		name, isKey := strings.CutSuffix(strings.TrimSpace(line), ":")
		switch {
		case isKey && line == "    "+name+":\n" && slices.Contains(exampleBlocks, name):
			kept.WriteString("    " + name + ": {}\n")
			seen[name]++
			inside = true
		case inside && strings.HasPrefix(line, "      "):
		default:
			kept.WriteString(line)
			inside = false
		}
	}
	for _, name := range exampleBlocks {
		if seen[name] != 1 {
			t.Fatalf("the example has %d sources of %s", seen[name], name)
		}
	}
	return kept.String()
}

// parseExample parses an example whose providers' blocks are empty.
func parseExample(example string) (*config.Config, error) {
	options := config.Options{
		Providers: map[string]func() any{},
		LookupEnv: func(string) (string, bool) { return "value", true },
	}
	for _, name := range exampleBlocks {
		options.Providers[name] = func() any { return new(anyBlock) }
	}
	return config.Parse("config.example.yaml", []byte(example), options)
}

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
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(missing, func(key string) bool {
		return strings.HasPrefix(key, "otlp.tls_config.") || strings.HasPrefix(key, "storage.postgres.tls_config.")
	})
}

// TestExampleShowsDefaults holds the example to its promise that a key that is left
// out has the value shown, apart from those whose comments say otherwise.
func TestExampleShowsDefaults(t *testing.T) {
	got, err := parseExample(withoutBlocks(t, readExample(t)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseExample("otlp:\nsources:\n- {name: contoso, msgraph: }\n- {name: acme, ringcentral: " +
		"}\n- {name: wave, wavix: }\n")
	if err != nil {
		t.Fatal(err)
	}
	got.OTLP.Endpoint, got.OTLP.Protocol, got.OTLP.ResourceAttributes, got.OTLP.Headers = "", "", nil, nil
	got.Sources[0].RequestsPerMinute = 0
	got.Sources[0].TLSConfig.MinVersion, got.Sources[0].TLSConfig.MaxVersion = "", ""
	if got, want := asJSON(t, got), asJSON(t, want); got != want {
		t.Errorf("the example is\n%s\nwant\n%s", got, want)
	}
}

func asJSON(t *testing.T, c *config.Config) string {
	t.Helper()
	text, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExampleOfWhatIsLeftOut checks the lines in comments: with all of them nothing
// may be wrong but that alternatives are given together.
func TestExampleOfWhatIsLeftOut(t *testing.T) {
	_, err := parseExample(withoutBlocks(t, uncomment(readExample(t))))
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
