package config

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"maps"
	"slices"

	promconfig "github.com/prometheus/common/config"
)

// TLSConfig has the keys of Prometheus's tls_config, for connections that the exporter opens. Zero
// means the system's certificates and Go's defaults.
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
	r.NotBoth("the authority", "ca", "ca_file")
	r.NotBoth("the client's certificate", "cert", "cert_file")
	if (r.Given("cert") || r.Given("cert_file")) != r.Given("key") {
		r.Problemf("", "a client certificate needs its key; set both (cert or cert_file, key or key_file), or neither")
	}
	for _, version := range [][2]string{{"min_version", t.MinVersion}, {"max_version", t.MaxVersion}} {
		r.OneOf(version[0], cmp.Or(version[1], "TLS12"), slices.Sorted(maps.Keys(promconfig.TLSVersions))...)
	}
	switch {
	case r.hasProblems():
	case t.MaxVersion != "" && cmp.Or(t.MinVersion, "TLS12") > t.MaxVersion:
		r.Problemf("max_version", "must be at least min_version (%s), is %s", cmp.Or(t.MinVersion, "by default TLS12"),
			t.MaxVersion)
	case r.decoder.CheckFiles:
		if _, err := promconfig.NewTLSConfig(t.Prometheus()); err != nil {
			r.Problemf("", "%s; set certificates and their own keys as PEM", err)
		}
	}
}

// Client makes the TLS configuration of a connection; nil if nothing is set. The file's key is for
// errors.
func (t *TLSConfig) Client(key string) (*tls.Config, error) {
	if t.IsZero() {
		return nil, nil
	}
	c, err := promconfig.NewTLSConfig(t.Prometheus())
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return c, nil
}

// IsZero reports whether nothing is set.
func (t *TLSConfig) IsZero() bool { return *t == TLSConfig{} }

// Prometheus returns the type for Prometheus's HTTP clients, which read the files again when they
// change. It contains the key in clear text.
func (t *TLSConfig) Prometheus() *promconfig.TLSConfig {
	c := &promconfig.TLSConfig{
		CA: t.CA, CAFile: string(t.CAFile), Cert: t.Cert, CertFile: string(t.CertFile), KeyFile: t.Key.file,
		ServerName: t.ServerName, InsecureSkipVerify: t.InsecureSkipVerify,
		MinVersion: promconfig.TLSVersions[t.MinVersion], MaxVersion: promconfig.TLSVersions[t.MaxVersion],
	}
	if t.Key.inline != nil {
		c.Key = promconfig.Secret(*t.Key.inline)
	}
	return c
}
