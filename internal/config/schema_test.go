package config_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// compileSchema compiles a schema with an implementation that isn't ours.
func compileSchema(t *testing.T, schema map[string]any) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(schema)
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource(config.SchemaURL, document))
	compiled, err := compiler.Compile(config.SchemaURL)
	require.NoError(t, err)
	return compiled
}

// validate validates a YAML document as an editor does. Known is false if it can't be parsed.
func validate(schema *jsonschema.Schema, text string) (known bool, err error) {
	var document any
	if err := yaml.Unmarshal([]byte(text), &document); err != nil || document == nil {
		return false, err
	}
	return true, schema.Validate(plain(document))
}

// plain is a YAML value as JSON has it: dates are texts there.
func plain(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for key, inner := range value {
			value[key] = plain(inner)
		}
	case []any:
		for i, inner := range value {
			value[i] = plain(inner)
		}
	case time.Time:
		return value.Format(time.DateOnly)
	}
	return value
}

// visible are the problems that a schema sees; hidden are those among them that it doesn't: values
// of variables, numbers beyond an int8, and texts and durations that are well-formed but out of
// range.
var (
	visible = regexp.MustCompile(`: unknown key|` +
		`must be (a mapping|a list|true or false|a duration|a whole number|a secret|a text|` +
		`[a-zA-Z0-9/]+(, \w+)* or \w+, is )|` +
		`is (missing|empty)|has no provider|already has the provider|is already set by|` +
		`\.(series_limit|outbox_limit|requests_per_minute|zero_for|shutdown_timeout|history|late_after): ` +
		`must be at least|` +
		`(hash_key|hash_key_file|dsn_file|tls_config.key_file): is set twice`)
	hidden = regexp.MustCompile(`(?m)^.*(\$\{env:|small: .*"300"|reads 010 as 8|storage.path: is missing).*$`)
)

// checkSchema compares what the schema says of a file with what the decoder says.
func checkSchema(t *testing.T, schema *jsonschema.Schema, text, problems string) {
	t.Helper()
	known, err := validate(schema, text)
	if !known {
		return
	}
	refused := err != nil
	if want := visible.MatchString(hidden.ReplaceAllString(problems, "")); refused != want {
		t.Errorf("the schema refuses it: %v (%v), want %v", refused, err, want)
	}
}
