package config_test

import (
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/config/configtest"
)

const examplePath = "../../config.example.yaml"

// anyBlock stands for the provider's block, which the provider's own tests check.
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

// withoutBlock empties the provider's block, the last thing in the example.
func withoutBlock(t *testing.T, example []byte) []byte {
	t.Helper()
	before, _, found := strings.Cut(string(example), "    msgraph:\n")
	if !found {
		t.Fatal("the example has no source of msgraph")
	}
	return []byte(before + "    msgraph: {}\n")
}

// parseExample parses an example whose provider's block is empty.
func parseExample(example []byte) (*config.Config, error) {
	return config.Parse("config.example.yaml", example, config.Options{
		Providers: []config.Provider{{Name: "msgraph", New: func() any { return new(anyBlock) }}},
		LookupEnv: func(string) (string, bool) { return "value", true },
	})
}

func TestExampleIsValid(t *testing.T) {
	if _, err := parseExample(withoutBlock(t, readExample(t))); err != nil {
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
	got, err := parseExample(withoutBlock(t, readExample(t)))
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseExample([]byte("otlp:\nsources:\n- name: contoso\n  msgraph:\n"))
	if err != nil {
		t.Fatal(err)
	}
	got.OTLP.Endpoint, got.OTLP.Protocol, got.OTLP.ResourceAttributes = "", "", nil
	got.Sources[0].RequestsPerMinute = 0
	got.Sources[0].TLSConfig.MinVersion, got.Sources[0].TLSConfig.MaxVersion = "", ""
	equal(t, "the example", got.String(), want.String())
}

// TestExampleOfWhatIsLeftOut checks the lines in comments: with all of them nothing
// may be wrong but that alternatives are given together.
func TestExampleOfWhatIsLeftOut(t *testing.T) {
	_, err := parseExample(withoutBlock(t, configtest.Uncomment(readExample(t))))
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
		"certificate_file", "base_url", "types", "ratio", "small",
		"calls", "calls.interval", "calls.lookback", "calls.late_after", "calls.view", "limits", "limits[*].rows",
	}
	if got := config.Keys(reflect.TypeFor[*acme]()); !slices.Equal(got, want) {
		t.Errorf("the keys are\n%q, want\n%q", got, want)
	}
}
