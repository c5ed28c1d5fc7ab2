package app

import (
	"path/filepath"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// The other replicas link to a status page as it is served, with TLS or without.
func TestAddressOfAReplica(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "web.yml")
	for name, test := range map[string]struct{ configured, listen, web, want string }{
		"with TLS": {
			listen: "10.0.0.7:9887",
			web:    "tls_server_config: {cert_file: cert.pem, key_file: key.pem}\n", want: "https://10.0.0.7:9887/",
		},
		"with a certificate here": {
			listen: "10.0.0.7:9887", web: "tls_server_config: {cert: c, key: k}\n",
			want: "https://10.0.0.7:9887/",
		},
		"with a password alone": {
			listen: "10.0.0.7:9887", web: "basic_auth_users: {}\n",
			want: "http://10.0.0.7:9887/",
		},
		"without a listener": {},
		"as configured": {
			configured: "https://cdr.example", listen: "10.0.0.7:9887",
			want: "https://cdr.example",
		},
	} {
		settings := Settings{}
		if test.listen != "" {
			settings.ListenAddresses = []string{test.listen}
		}
		if test.web != "" {
			settings.WebConfigFile = file
			writeFile(t, file, test.web)
		}
		c := &config.Config{Storage: config.Storage{Postgres: &config.Postgres{Address: test.configured}}}
		where, err := settings.storage(c)
		if err != nil || where.Postgres.Address != test.want {
			t.Errorf("%s: %q, %v", name, where.Postgres.Address, err)
		}
	}
}
