package config_test

import (
	"crypto/tls"
	"testing"

	promconfig "github.com/prometheus/common/config"
)

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
