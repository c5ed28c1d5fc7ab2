package app

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"

	promconfig "github.com/prometheus/common/config"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Storage says where the ledger of a configuration is.
func Storage(c *config.Config) (ledger.Storage, error) {
	p := c.Storage.Postgres
	if p == nil {
		return ledger.Storage{Folder: c.Storage.Path}, nil
	}
	s := ledger.Storage{Postgres: &ledger.Postgres{DSN: p.DSN.Value}}
	if p.TLSConfig.IsZero() {
		return s, nil
	}
	var err error
	if s.Postgres.TLS, err = promconfig.NewTLSConfig(p.TLSConfig.Prometheus()); err != nil {
		return s, fmt.Errorf("read storage.postgres.tls_config: %w", err)
	}
	return s, nil
}

// storage is Storage for a process that counts: as a replica it has a name of its own, which no process before it had.
func (s *Settings) storage(c *config.Config) (ledger.Storage, error) {
	where, err := Storage(c)
	if err != nil || where.Postgres == nil {
		return where, err
	}
	host, err := os.Hostname()
	if err != nil {
		return where, fmt.Errorf("name this replica: %w", err)
	}
	id := make([]byte, 4)
	_, _ = rand.Read(id) // never fails
	where.Postgres.Replica = host + "-" + hex.EncodeToString(id)
	where.Postgres.Address = cmp.Or(c.Storage.Postgres.Address, statusPage(s.ListenAddresses[0], host))
	return where, nil
}

// statusPage is the URL of the status page behind a listen address, as another host may reach it; empty if that isn't known.
func statusPage(listen, hostname string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil || port == "0" {
		return ""
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = hostname
	}
	return "http://" + net.JoinHostPort(host, port) + "/"
}
