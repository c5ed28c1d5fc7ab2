package docs_test

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
	"github.com/cdr-exporter/cdr-exporter/internal/golden"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// allProviders decodes the blocks of all providers, and has every variable.
func allProviders() config.Options {
	return config.Options{
		Providers: app.ConfigOptions(app.Providers()).Providers,
		LookupEnv: func(string) (string, bool) { return "3f1c55f2-0000-4000-8000-000000000002", true },
	}
}

// smallest has everything that has no default, and every optional part.
const smallest = `
otlp:
sources:
  - name: contoso
    msgraph: {tenant_id: contoso.example, client_id: 3f1c55f2-0000-4000-8000-000000000002, client_secret: secret,
      pstn: , direct_routing: , call_records: }
  - name: acme
    ringcentral: {client_id: app, client_secret: secret, jwt: secret, call_log: , active_calls: }
  - name: wave
    wavix: {api_key: secret, call_log: , active_calls: }
`

// given are the keys of providers' blocks that the smallest file gives, or that have no default.
var given = []string{"tenant_id", "client_id", "client_secret", "client_secret_expires", "jwt", "api_key"}

// described are the keys that configuration.md has a row for, with the default
// that it tells: the paths of config.example.yaml, without positions in lists.
func described(t *testing.T) map[string]string {
	t.Helper()
	text := golden.Read(t, "configuration.md")
	row := regexp.MustCompile("(?m)^\\| `([a-z0-9_.]+)` \\| (.*?) \\|")
	all := make(map[string]string)
	for _, found := range row.FindAllStringSubmatch(text, -1) {
		if _, twice := all[found[1]]; twice {
			t.Errorf("configuration.md describes %s twice", found[1])
		}
		all[found[1]] = strings.Trim(found[2], "`")
	}
	return all
}

// TestConfigurationDescribesEveryKey compares the table of keys with the types
// that are decoded, both ways.
func TestConfigurationDescribesEveryKey(t *testing.T) {
	want := make(map[string]bool)
	for _, key := range configtest.Keys(reflect.TypeFor[config.Config]()) {
		want[strings.ReplaceAll(key, "[]", "")] = true
	}
	for _, p := range app.Providers() {
		want["sources."+p.Name] = true
		for _, key := range configtest.BlockKeys(p.NewConfig()) {
			want["sources."+p.Name+"."+key] = true
		}
	}
	// The keys of tls_config are the same everywhere and described once.
	for key := range want {
		if strings.HasPrefix(key, "otlp.tls_config.") || strings.HasPrefix(key, "storage.postgres.tls_config.") {
			delete(want, key)
		}
	}
	got := described(t)
	for key := range want {
		if _, ok := got[key]; !ok {
			t.Errorf("configuration.md doesn't describe %s", key)
		}
	}
	for key := range got {
		if !want[key] {
			t.Errorf("configuration.md describes %s, which there isn't", key)
		}
	}
}

// TestConfigurationTellsDefaults compares the defaults in configuration.md with the defaults of a file that leaves
// everything out.
func TestConfigurationTellsDefaults(t *testing.T) {
	tree := printed(t, smallest)
	// Leave out the keys that the file gives, keys without a default, and the provider's keys.
	for _, source := range tree["sources"].([]any) {
		source := source.(map[string]any)
		delete(source, "name")
		delete(source, "requests_per_minute")
		for _, p := range app.Providers() {
			block, _ := source[p.Name].(map[string]any)
			for _, key := range given {
				delete(block, key)
			}
		}
	}
	tree["storage"] = map[string]any{"path": "data"} // printed as an absolute path
	got := described(t)
	checked := map[string]bool{}
	flatten("", tree, func(key, value string) {
		checked[key] = true
		if told := got[key]; !sameValue(told, value) {
			t.Errorf("configuration.md tells %q as the default of %s, it is %q", told, key, value)
		}
	})
	compareBlockDefaults(t, got)
	if len(checked) < 25 {
		t.Errorf("only %d defaults were compared: this shows nothing", len(checked))
	}
}

// compareBlockDefaults compares the told defaults of blocks that a definition describes: giving
// them changes nothing.
func compareBlockDefaults(t *testing.T, told map[string]string) {
	t.Helper()
	for name, plain := range blocksOfDefinitions(t, smallest) {
		keys := make(map[string]any)
		for key, value := range told {
			rest, is := strings.CutPrefix(key, "sources."+name+".")
			if !is || value == "" || strings.HasPrefix(value, "|") || slices.Contains(given, rest) {
				continue
			}
			into, inner := keys, strings.Split(rest, ".")
			for _, key := range inner[:len(inner)-1] {
				if into[key] == nil {
					into[key] = make(map[string]any)
				}
				into = into[key].(map[string]any)
			}
			into[inner[len(inner)-1]] = value
			if words := strings.Fields(value); len(words) > 1 {
				into[inner[len(inner)-1]] = words
			}
		}
		required := map[string]string{"client_id": "app", "client_secret": "secret", "jwt": "secret"}
		if name == "wavix" {
			required = map[string]string{"api_key": "secret"}
		}
		for key, value := range required {
			keys[key] = value
		}
		text, err := yaml.Marshal(map[string]any{"sources": []any{map[string]any{"name": "a", name: keys}}})
		require.NoError(t, err)
		if with := blocksOfDefinitions(t, string(text))[name]; with == nil || !plain.SameAs(with) {
			t.Errorf("configuration.md tells other defaults of sources.%s than there are:\n%s", name, text)
		}
	}
}

// blocksOfDefinitions are the blocks of a configuration that definitions describe, by provider.
func blocksOfDefinitions(t *testing.T, text string) map[string]*declared.Block {
	t.Helper()
	c, err := config.Parse("config.yaml", []byte(text), allProviders())
	require.NoError(t, err)
	all := make(map[string]*declared.Block)
	for i := range c.Sources {
		if block, is := c.Sources[i].Provider.(*declared.Block); is {
			all[c.Sources[i].ProviderName] = block
		}
	}
	return all
}

// printed is a configuration with its defaults as a tree, without empty values.
func printed(t *testing.T, text string) (tree map[string]any) {
	t.Helper()
	c, err := config.Parse("config.yaml", []byte(text), allProviders())
	require.NoError(t, err)
	marshalled, err := yaml.Marshal(c)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(marshalled, &tree))
	for _, source := range tree["sources"].([]any) {
		source := source.(map[string]any)
		if block, _ := source["provider"].(map[string]any); block["text"] == nil { // not of a definition
			source[source["providername"].(string)] = source["provider"]
		}
		delete(source, "providername")
		delete(source, "provider")
	}
	dropEmpty(tree)
	return tree
}

// dropEmpty removes what a configuration doesn't say. False and 0 say something, but in a
// tls_config, which is empty then.
func dropEmpty(tree map[string]any) {
	for key, value := range tree {
		switch value := value.(type) {
		case map[string]any:
			dropEmpty(value)
			if len(value) == 0 {
				delete(tree, key)
			}
		case []any:
			if len(value) == 0 {
				delete(tree, key)
			}
			for _, item := range value {
				if item, ok := item.(map[string]any); ok {
					dropEmpty(item)
				}
			}
		case string:
			if value == "" {
				delete(tree, key)
			}
		case nil:
			delete(tree, key)
		case bool:
			if key == "insecure_skip_verify" && !value {
				delete(tree, key)
			}
		}
	}
}

// flatten tells every value of a tree by its path, a list as a whole.
func flatten(path string, value any, tell func(key, value string)) {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			flatten(strings.TrimPrefix(path+"."+key, "."), inner, tell)
		}
	case []any:
		if path == "sources" {
			for _, source := range value {
				flatten(path, source, tell)
			}
			return
		}
		tell(path, strings.Trim(fmt.Sprint(value), "[]"))
	default:
		tell(path, fmt.Sprint(value))
	}
}

// sameValue compares durations by their length, all else by its text.
func sameValue(a, b string) bool {
	x, errA := model.ParseDuration(a)
	y, errB := model.ParseDuration(b)
	if errA == nil && errB == nil {
		return time.Duration(x) == time.Duration(y)
	}
	return a == b
}

// configurations are the blocks of YAML in the docs that are a configuration, and the example.
func configurations(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{"config.example.yaml": readExample(t)}
	for _, p := range pages(t) {
		blocks, _, err := p.blocks()
		if err != nil {
			t.Error(err)
		}
		for _, b := range blocks {
			var document map[string]any
			// TestDefinitionsTutorial
			if b.language == "yaml" && yaml.Unmarshal([]byte(b.text), &document) == nil && document["sources"] != nil &&
				document["definitions"] == nil {
				texts[fmt.Sprintf("%s:%d", p.path, b.line)] = b.text
			}
		}
	}
	if len(texts) < 5 {
		t.Errorf("only %d configurations were found: this shows nothing", len(texts))
	}
	return texts
}

// TestConfigurationsInTheDocsAreValid loads every block of YAML that is a
// configuration, and the example.
func TestConfigurationsInTheDocsAreValid(t *testing.T) {
	for where, text := range configurations(t) {
		if _, err := config.Parse(where, []byte(text), allProviders()); err != nil {
			t.Errorf("%s isn't valid:\n%v", where, err)
		}
	}
}
