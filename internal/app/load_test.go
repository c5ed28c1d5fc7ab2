package app

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// The key of the hashes is the same as text and from a file, in which editors put a newline at the end.
func TestHashKey(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key.txt")
	writeFile(t, file, "k3y\n")
	for name, test := range map[string]struct {
		secret config.Secret
		want   []byte
	}{
		"not set":   {},
		"as text":   {config.NewSecret("k3y"), []byte("k3y")},
		"in a file": {config.NewSecretFile(file), []byte("k3y")},
	} {
		key, err := HashKey(t.Context(), &config.Config{Privacy: config.Privacy{HashKey: test.secret}})
		if string(key) != string(test.want) || (key == nil) != (test.want == nil) || err != nil {
			t.Errorf("%s: %q, %v", name, key, err)
		}
	}
}

// Check has the problems of the files that a configuration names all at once, like its own.
func TestCheckHasEveryProblem(t *testing.T) {
	p, folder := &acme{t: t}, t.TempDir()
	file := p.write(folder, "call_log: ",
		"rules_file: rules.yaml\nlabels: [{name: department, file: people.csv, key: user}]\n")
	for name, text := range map[string]string{"rules.yaml": "surprise: 1\n", "people.csv": "name\nann\n"} {
		writeFile(t, filepath.Join(folder, name), text)
	}
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://otlp.example")
	err := Check(Settings{ConfigFile: file, Providers: []collector.Provider{p.provider()}})
	for _, want := range []string{
		"rules.yaml:1: surprise", "people.csv:1: has no column user",
		"environment: OTEL_EXPORTER_OTLP_ENDPOINT",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s isn't among the problems: %v", want, err)
		}
	}
}
