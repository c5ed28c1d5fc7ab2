package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

const schemaFile = "config.schema.json"

// firstLine is what editors look for at the beginning of a configuration.
const firstLine = "# yaml-language-server: $schema=" + config.SchemaURL + "\n"

// TestSchemaAcceptsExamples validates the example, the example with its commented keys, and every configuration in
// the docs against the shipped schema.
func TestSchemaAcceptsExamples(t *testing.T) {
	compiled, err := jsonschema.NewCompiler().Compile(schemaFile)
	require.NoError(t, err)
	if !strings.HasPrefix(readExample(t), firstLine) {
		t.Errorf("config.example.yaml doesn't begin with %s", firstLine)
	}
	for where, text := range configurations(t) {
		if err := compiled.Validate(asEditorsRead(t, text)); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
	// One typing error in each kind of place.
	for was, typo := range map[string]string{
		"zero_for: 2m": "zero_for: 2 minutes", "cloud: global": "cloud: china",
		"series_limit: 10000": "series_limit: many",
		"late_after: 6h":      "late_afer: 6h", "- name: acme": "- nam: acme", "jwt_file: ": "jwt: x\n      jwt_file: ",
		"auth: bearer": "auth: header",
		"tenant_id: ":  "tenant: ", "numbers: mask": "numbers: hide", "logs: true": "logs: yes",
		"types: [placed, received]": "types: [made]",
	} {
		text := strings.Replace(readExample(t), was, typo, 1)
		if compiled.Validate(asEditorsRead(t, text)) == nil {
			t.Errorf("the schema accepts %q", typo)
		}
		if _, err := config.Parse("config.yaml", []byte(text), allProviders()); err == nil || text == readExample(t) {
			t.Errorf("the decoder accepts %q", typo)
		}
	}
}

// dates are read as texts by editors (YAML 1.2) and as times by our library (YAML 1.1).
var dates = regexp.MustCompile(`(?m)(: )(\d{4}-\d\d-\d\d)$`)

func asEditorsRead(t *testing.T, text string) (document any) {
	t.Helper()
	require.NoError(t, yaml.Unmarshal([]byte(dates.ReplaceAllString(text, `$1"$2"`)), &document))
	return document
}
