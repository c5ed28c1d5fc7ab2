package config_test

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
)

const examplePath = "../../config.example.yaml"

// providers are those whose blocks the example shows. What is in the blocks is for the
// tests of the docs, which know the providers' types.
var providers = []string{"msgraph", "ringcentral", "wavix"}

// anyBlock stands for a provider's block.
type anyBlock struct{}

// readExample returns the example as it is.
func readExample(t *testing.T) []byte {
	t.Helper()
	example, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	return example
}

// withoutBlocks empties the providers' blocks, each of which must be there once.
func withoutBlocks(t *testing.T, example []byte) []byte {
	t.Helper()
	var kept strings.Builder
	seen := map[string]int{}
	inside := false
	for line := range strings.Lines(string(example)) {
		name, isKey := strings.CutSuffix(strings.TrimSpace(line), ":")
		switch {
		case isKey && line == "    "+name+":\n" && slices.Contains(providers, name):
			kept.WriteString("    " + name + ": {}\n")
			seen[name]++
			inside = true
		case inside && strings.HasPrefix(line, "      "):
		default:
			kept.WriteString(line)
			inside = false
		}
	}
	for _, name := range providers {
		if seen[name] != 1 {
			t.Fatalf("the example has %d sources of %s", seen[name], name)
		}
	}
	return []byte(kept.String())
}

// parseExample parses an example whose providers' blocks are empty.
func parseExample(example []byte) (*config.Config, error) {
	options := config.Options{LookupEnv: func(string) (string, bool) { return "value", true }}
	for _, name := range providers {
		options.Providers = append(options.Providers, config.Provider{Name: name, New: func() any { return new(anyBlock) }})
	}
	return config.Parse("config.example.yaml", example, options)
}

func TestExampleIsValid(t *testing.T) {
	if _, err := parseExample(withoutBlocks(t, readExample(t))); err != nil {
		t.Errorf("problems:\n%v", err)
	}
}

func TestExampleIsComplete(t *testing.T) {
	if missing := missingKeys(t, readExample(t)); len(missing) > 0 {
		t.Errorf("config.example.yaml lacks %s", strings.Join(missing, ", "))
	}
	without := strings.ReplaceAll(string(readExample(t)), "#hash_key_file:", "# hash_key_file:")
	if missing := missingKeys(t, []byte(without)); !slices.Equal(missing, []string{"privacy.hash_key_file"}) {
		t.Errorf("without hash_key_file the missing keys are %v", missing)
	}
}

// missingKeys lists the keys that an example lacks, apart from those that it says are
// the same elsewhere.
func missingKeys(t *testing.T, example []byte) []string {
	t.Helper()
	missing, err := configtest.MissingKeys(example, "", reflect.TypeFor[config.Config]())
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(missing, func(key string) bool { return strings.HasPrefix(key, "otlp.tls_config.") })
}

// TestExampleShowsDefaults holds the example to its promise that a key that is left
// out has the value shown, apart from those whose comments say otherwise.
func TestExampleShowsDefaults(t *testing.T) {
	got, err := parseExample(withoutBlocks(t, readExample(t)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseExample([]byte("otlp:\nsources:\n- {name: contoso, msgraph: }\n- {name: acme, ringcentral: }\n- {name: wave, wavix: }\n"))
	if err != nil {
		t.Fatal(err)
	}
	got.OTLP.Endpoint, got.OTLP.Protocol, got.OTLP.ResourceAttributes, got.OTLP.Headers = "", "", nil, nil
	got.Sources[0].RequestsPerMinute = 0
	got.Sources[0].TLSConfig.MinVersion, got.Sources[0].TLSConfig.MaxVersion = "", ""
	equal(t, "the example", asJSON(t, got), asJSON(t, want))
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
	_, err := parseExample(withoutBlocks(t, configtest.Uncomment(readExample(t))))
	if err == nil {
		t.Fatal("alternatives that are given together are accepted")
	}
	for line := range strings.Lines(err.Error()) {
		if !strings.Contains(line, "is given twice, as text and as a file") {
			t.Error(strings.TrimSpace(line))
		}
	}
}

func TestKeys(t *testing.T) {
	want := []string{
		"tenant_id", "client_secret", "client_secret_file", "managed_identity", "managed_identity.client_id",
		"certificate_file", "base_url", "types", "small",
		"calls", "calls.interval", "calls.lookback", "calls.late_after", "calls.view", "limits", "limits[*].rows",
	}
	if got := config.Keys(reflect.TypeFor[*acme]()); !slices.Equal(got, want) {
		t.Errorf("the keys are\n%q, want\n%q", got, want)
	}
}
