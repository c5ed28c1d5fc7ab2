package config_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// write makes a file in a temporary folder.
func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
}

func TestSecretFromFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	secret := config.NewSecretFile(path)
	// The same file is used throughout: each change is seen at the next use.
	for _, tt := range []struct{ name, content, want, wantErr string }{
		{"plain", "hunter1", "hunter1", ""},
		{"changed, of the same size", "hunter2", "hunter2", ""},
		{"newline at the end", "hunter3\n", "hunter3", ""},
		{"carriage return and newline", "hunter4\r\n", "hunter4", ""},
		{"only one newline is removed", "hunter5\n\n", "hunter5\n", ""},
		{"blanks are kept", " hunter6 ", " hunter6 ", ""},
		{"empty", "", "", "read secret: read " + path + ": is empty"},
		{"only a newline", "\n", "", "read secret: " + path + " is empty"},
		{"too large", strings.Repeat("hunter", 1<<18), "", "read secret: " + path + " is larger than 1048576 bytes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			write(t, path, tt.content)
			got, err := secret.Value(t.Context())
			if got != tt.want {
				t.Errorf("the secret is %q, want %q", got, tt.want)
			}
			if message := fmt.Sprint(err); err != nil && message != tt.wantErr || err == nil && tt.wantErr != "" {
				t.Errorf("the error is %s, want %s", message, tt.wantErr)
			}
		})
	}
}

func TestSecretFileThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	if _, err := config.NewSecretFile(filepath.Join(dir, "none")).Value(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the error of a missing file is %v", err)
	}
	if _, err := config.NewSecretFile(dir).Value(t.Context()); err == nil || err.Error() != "read secret: read "+dir+
		": not a regular file" {
		t.Errorf("the error of a folder is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := config.NewSecret("hunter2").Value(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a cancelled context is %v", err)
	}
}

func TestSecretBytesAreUntouched(t *testing.T) {
	path := filepath.Join(t.TempDir(), "client.pfx")
	write(t, path, "\x30\x82\n")
	got, err := config.NewSecretFile(path).Bytes(t.Context())
	if err != nil || string(got) != "\x30\x82\n" {
		t.Errorf("Bytes returns %q, %v", got, err)
	}
}

func TestSecretThatIsNotSet(t *testing.T) {
	var secret config.Secret
	got, err := secret.Value(t.Context())
	if secret.IsSet() || got != "" || err != nil || secret.String() != "" {
		t.Errorf("the zero secret has the value %q, the error %v and prints %q", got, err, secret)
	}
}

// TestSecretsAreNeverPrinted prints a configuration full of secrets in every way.
func TestSecretsAreNeverPrinted(t *testing.T) {
	c := load(t, `
privacy: {hash_key: hunter2}
otlp:
  headers: {authorization: hunter2}
  tls_config: {cert: public, key: hunter2}
sources:
- name: a
  proxy_url: http://user:hunter2@proxy.example:3128/
  other: {api_key: hunter2}
`)
	secret, proxy := c.Privacy.HashKey, c.Sources[0].ProxyURL
	hidden := struct {
		secret config.Secret
		proxy  config.ProxyURL
	}{secret, proxy}
	printed := map[string]string{}
	for name, value := range map[string]any{
		"config": c, "config value": *c, "source": c.Sources[0], "source pointer": &c.Sources[0], "otlp": c.OTLP,
		"block": c.Sources[0].Provider, "secret": secret, "proxy": proxy, "hidden": hidden, "tls": c.OTLP.TLSConfig,
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			printed[name+verb] = fmt.Sprintf(verb, value)
		}
		if name == "hidden" {
			continue
		}
		asYAML, err := yaml.Marshal(value)
		if err != nil {
			t.Errorf("marshal %s: %v", name, err)
		}
		asJSON, err := json.Marshal(value)
		if err != nil {
			t.Errorf("marshal %s: %v", name, err)
		}
		var logged bytes.Buffer
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "value", value)
		slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "value", value)
		printed[name+" as YAML"], printed[name+" as JSON"], printed[name+" logged"] = string(asYAML), string(asJSON),
			logged.String()
	}
	for name, text := range printed {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("%s: a secret is printed:\n%s", name, text)
		}
	}
	if got := fmt.Sprintf("%v %s", secret, proxy); got != "<secret> <secret>" {
		t.Errorf("secret and proxy print as %s", got)
	}
}
