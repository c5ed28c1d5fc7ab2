package app_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestDefinitionsOfABuiltin: one definition may take the place of a built-in one, and has the keys
// of its sources.
func TestDefinitionsOfABuiltin(t *testing.T) {
	const amended = "extends: asterisk\nparameters: {site: {default: x}}\n"
	for _, c := range []struct {
		name, second, want string
	}{
		{"alone", "", ""},
		{"with one of another name", "extends: asterisk\nprovider: mine\n", ""},
		{"twice", amended, "a provider of this name already exists"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := t.TempDir()
			config := "definitions: ['*_pbx.yaml']\nsources: [{name: pbx, asterisk: {paths: a.csv, time_zone: " +
				"UTC, site: y, cdr: {}}}]\n"
			files := map[string]string{"a_pbx.yaml": amended, "config.yaml": config}
			if c.second != "" {
				files["b_pbx.yaml"] = c.second
			}
			for name, text := range files {
				require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
			}
			_, _, err := app.LoadConfig(app.Settings{ConfigFile: filepath.Join(folder, "config.yaml")}, false)
			if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
