package config_test

import (
	"crypto/tls"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// load parses a file that must be valid, as if it were in /etc/cdr.
func load(t *testing.T, yaml string) *config.Config {
	t.Helper()
	c, err := config.Parse("/etc/cdr/c.yaml", []byte(yaml), options())
	if err != nil {
		t.Fatalf("unexpected problems:\n%v", err)
	}
	return c
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s is %#v, want %#v", what, got, want)
	}
}

func TestOTLPDefaults(t *testing.T) {
	want := &config.OTLP{
		Logs: true, Metrics: true, Interval: 15 * time.Second, LogTimestamp: "start",
		OutboxLimit: 1_000_000, OutboxFull: "pause", ShutdownTimeout: 10 * time.Second,
	}
	for _, yaml := range []string{"otlp:\n", "otlp: {}\n", "otlp: ~\n"} {
		equal(t, yaml, load(t, yaml+valid).OTLP, want)
	}
}

func TestValues(t *testing.T) {
	c := load(t, `
storage: {path: /var/lib/cdr/}
metrics: {zero_for: 0s, series_limit: 1_000, native_histograms: False}
privacy: {numbers: keep, users: drop, addresses: hash}
otlp:
  endpoint: https://otlp.example:4318/base
  protocol: grpc
  logs: false
  interval: 1m30s
  log_timestamp: observed
  outbox_full: skip_logs
  outbox_limit: 5
  resource_attributes: {deployment.environment.name: prod, number: 010}
sources:
- name: a-1_B
  renamed_from: old
  history: 2d
  requests_per_minute: 60
  emergency_numbers: [911, 0112, "+44999"]
  acme:
    tenant_id: 12345678901234567890
    client_secret: yes
    types: []
    small: -7
    limits: {x: {rows: 3}, y: , z: {}}
    calls: {interval: 1s, lookback: 3d, late_after: 0}
`)
	equal(t, "storage.path", c.Storage.Path, "/var/lib/cdr/")
	equal(t, "metrics", c.Metrics, config.Metrics{SeriesLimit: 1000})
	equal(t, "privacy", c.Privacy, config.Privacy{Numbers: "keep", Users: "drop", Addresses: "hash"})
	equal(t, "otlp", *c.OTLP, config.OTLP{
		Endpoint: "https://otlp.example:4318/base", Protocol: "grpc", Metrics: true, Interval: 90 * time.Second,
		LogTimestamp: "observed", OutboxFull: "skip_logs", OutboxLimit: 5, ShutdownTimeout: 10 * time.Second,
		ResourceAttributes: map[string]string{"deployment.environment.name": "prod", "number": "010"},
	})
	s := c.Source("a-1_B")
	equal(t, "renamed_from", s.RenamedFrom, "old")
	equal(t, "history", s.History, 48*time.Hour)
	equal(t, "requests_per_minute", s.RequestsPerMinute, 60)
	equal(t, "emergency_numbers", s.EmergencyNumbers, []string{"911", "0112", "+44999"})
	equal(t, "block", s.Provider, &acme{
		TenantID: "12345678901234567890", Secret: config.NewSecret("yes"), Types: []string{}, Small: -7,
		Limits: map[string]limit{"x": {Rows: 3}, "y": {Rows: 7}, "z": {Rows: 7}},
		Calls:  &acmeCalls{Feed: config.Feed{Interval: time.Second, Lookback: 72 * time.Hour}, View: "detailed"},
	})
	equal(t, "an unknown source", c.Source("b"), (*config.Source)(nil))
}

func TestEnvironment(t *testing.T) {
	c := load(t, `
storage: {path: "${env:SET}"}
metrics: {zero_for: "${env:DURATION}", series_limit: "${env:NUMBER}", native_histograms: "${env:TRUE}"}
sources:
- name: ${env:NOWHERE:-fallback}
  renamed_from: ${env:EMPTY}
  acme:
    tenant_id: $${env:SET}
    client_secret: '${env:SECRET}'
    types: ["${env:EMPTY:-a}b}", '${env:SET:-unused}', "${env:EMPTY:-}", "a$${b", "$$", "$"]
    calls:
`)
	equal(t, "path", c.Storage.Path, "/etc/cdr/from-environment")
	equal(t, "metrics", c.Metrics, config.Metrics{
		ZeroFor: 90 * time.Minute, SeriesLimit: 42, NativeHistograms: true,
	})
	s := c.Sources[0]
	equal(t, "name", s.Name, "fallback")
	equal(t, "renamed_from", s.RenamedFrom, "")
	a := s.Provider.(*acme)
	equal(t, "literal", a.TenantID, "${env:SET}")
	equal(t, "types", a.Types, []string{"a}b", "from-environment", "", "a$${b", "$$", "$"})
	secret, err := a.Secret.Value(t.Context())
	equal(t, "secret", secret, "hunter2")
	equal(t, "error", err, nil)
}

// Definitions are read before all else, by the same rules.
func TestEnvironmentOfDefinitions(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "from-environment")
	write(t, file, "")
	var files []string
	with := options()
	with.Define = func(all []string) (map[string]func() any, error) {
		files = all
		return nil, nil
	}
	_, err := config.Parse(filepath.Join(dir, "c.yaml"), []byte("definitions: ['${env:SET}']\n"+valid), with)
	equal(t, "the files", files, []string{file})
	equal(t, "error", err, nil)
}

func TestAliasesAndMerges(t *testing.T) {
	c := load(t, `
sources:
- &base
  name: a
  history: 1h
  acme: &block
    tenant_id: t
    client_secret: s
    calls: &calls {interval: 1m, lookback: 1h}
- <<: *base
  name: b
  acme:
    <<: [{base_url: https://first.example}, *block, {base_url: https://second.example}]
    calls: *calls
`)
	a, b := c.Sources[0].Provider.(*acme), c.Sources[1].Provider.(*acme)
	equal(t, "own key", c.Sources[1].Name, "b")
	equal(t, "merged key", c.Sources[1].History, time.Hour)
	equal(t, "merged key of the block", b.TenantID, "t")
	equal(t, "first of two merged keys", b.BaseURL, "https://first.example")
	equal(t, "aliased mapping", b.Calls, a.Calls)
	if a.Calls == b.Calls {
		t.Error("two sources share one struct")
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "c.yaml")
	write(t, path, valid)
	t.Chdir(dir)
	for _, name := range []string{path, "c.yaml", "./c.yaml"} {
		c, err := config.Load(name, options())
		require.NoError(t, err)
		if want := filepath.Join(dir, "data"); c.Storage.Path != want {
			t.Errorf("loaded as %s, storage.path is %s, want %s", name, c.Storage.Path, want)
		}
	}
	for name, want := range map[string]string{
		"none.yaml": "none.yaml: can't be read: no such file or directory; name a readable YAML file",
		dir:         dir + ": can't be read: is a directory; name a readable YAML file",
	} {
		if _, err := config.Load(name, options()); err == nil || err.Error() != want {
			t.Errorf("the error is %v, want %s", err, want)
		}
	}
}

func TestUnmarshal(t *testing.T) {
	block := acme{}
	err := config.Unmarshal("block.yaml", []byte("tenant_id: t\nclient_secret: s\ncalls:\n"), &block, config.Options{})
	require.NoError(t, err)
	equal(t, "interval", block.Calls.Interval, 5*time.Minute)
	err = config.Unmarshal("block.yaml", []byte("tenant_id: t\nclient_secret: s\n"), &block, config.Options{})
	equal(t, "the error", fmt.Sprint(err), "block.yaml:1: a feed is missing; give at least one of calls, active_calls")
}

func TestTLSConfigForPrometheus(t *testing.T) {
	c := load(t, `
otlp:
  tls_config: {ca_file: ca.pem, cert: certificate, key: hunter2, server_name: n, insecure_skip_verify: true,
    min_version: TLS10, max_version: TLS13}
sources:
- name: a
  tls_config: {ca: authority, cert_file: cert.pem, key_file: /key.pem}
  other: {api_key: k}
`)
	equal(t, "otlp", c.OTLP.TLSConfig.Prometheus(), &promconfig.TLSConfig{
		CAFile: "/etc/cdr/ca.pem", Cert: "certificate", Key: "hunter2", ServerName: "n", InsecureSkipVerify: true,
		MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS13,
	})
	equal(t, "source", c.Sources[0].TLSConfig.Prometheus(), &promconfig.TLSConfig{
		CA: "authority", CertFile: "/etc/cdr/cert.pem", KeyFile: "/key.pem",
	})
}

// TestTLSConfigIsAcceptedByPrometheus keeps our rules at least as strict as the rules of the
// library that gets the result.
func TestTLSConfigIsAcceptedByPrometheus(t *testing.T) {
	for _, keys := range []string{
		"{}", "{ca_file: a}", "{ca: a}", "{cert: a, key: b}", "{cert_file: a, key_file: b}",
		"{cert: a, key_file: b}",
	} {
		c := load(t, "otlp:\n  tls_config: "+keys+"\n"+valid)
		if err := c.OTLP.TLSConfig.Prometheus().Validate(); err != nil {
			t.Errorf("%s: %v", keys, err)
		}
	}
}
