package config

import (
	"crypto/tls"
	"slices"

	promconfig "github.com/prometheus/common/config"
)

// tlsVersions are Prometheus's names, from [tls.VersionTLS10] on.
var tlsVersions = []string{"TLS10", "TLS11", "TLS12", "TLS13"}

// TLSConfig has the keys of Prometheus's tls_config, for connections that the exporter opens. Its zero value means the system's
// certificates and Go's defaults.
type TLSConfig struct {
	// CA is a bundle of PEM certificates that is trusted instead of the system's.
	CA     string `yaml:"ca"`
	CAFile File   `yaml:"ca_file"`
	// Cert is the client's PEM certificate, Key its private key.
	Cert     string `yaml:"cert"`
	CertFile File   `yaml:"cert_file"`
	Key      Secret `yaml:"key"`
	// ServerName is expected in the server's certificate instead of the URL's host.
	ServerName         string `yaml:"server_name"`
	InsecureSkipVerify bool   `yaml:"insecure_skip_verify"`
	// MinVersion and MaxVersion are TLS10, TLS11, TLS12 or TLS13.
	MinVersion string `yaml:"min_version"`
	MaxVersion string `yaml:"max_version"`
}

// Validate implements [Validator].
func (t *TLSConfig) Validate(r *Report) {
	const both = "is given twice, as text and as a file; keep one of them"
	if t.CA != "" && t.CAFile != "" {
		r.Problemf("ca_file", both)
	}
	if t.Cert != "" && t.CertFile != "" {
		r.Problemf("cert_file", both)
	}
	hasCert, hasKey := t.Cert != "" || t.CertFile != "", t.Key.IsSet() || r.Given("key")
	if hasCert && !hasKey {
		r.Problemf("", "has a client certificate without its key; give key or key_file")
	}
	if hasKey && !hasCert && !r.Given("cert") && !r.Given("cert_file") {
		r.Problemf("", "has a client key without its certificate; give cert or cert_file")
	}
	for _, version := range [][2]string{{"min_version", t.MinVersion}, {"max_version", t.MaxVersion}} {
		if version[1] != "" {
			r.OneOf(version[0], version[1], tlsVersions...)
		}
	}
	if highest := tlsVersion(t.MaxVersion); highest > 0 && tlsVersion(t.MinVersion) > highest {
		r.Problemf("max_version", "must not be below min_version (%s), is %s", t.MinVersion, t.MaxVersion)
	}
}

// IsZero reports whether nothing is set.
func (t *TLSConfig) IsZero() bool { return *t == TLSConfig{} }

// Prometheus returns the configuration in the type that the HTTP clients of Prometheus use, which read the files again when they
// change. It holds the key in clear.
func (t *TLSConfig) Prometheus() *promconfig.TLSConfig {
	c := &promconfig.TLSConfig{
		CA: t.CA, CAFile: string(t.CAFile), Cert: t.Cert, CertFile: string(t.CertFile), KeyFile: t.Key.file,
		ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify,
		MinVersion: tlsVersion(t.MinVersion), MaxVersion: tlsVersion(t.MaxVersion),
	}
	if t.Key.inline != nil {
		c.Key = promconfig.Secret(*t.Key.inline)
	}
	return c
}

// tlsVersion turns a name into the number of the protocol, 0 if it is empty.
func tlsVersion(name string) promconfig.TLSVersion {
	if i := slices.Index(tlsVersions, name); i >= 0 {
		return promconfig.TLSVersion(tls.VersionTLS10 + i)
	}
	return 0
}
