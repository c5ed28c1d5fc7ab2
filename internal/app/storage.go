package app

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"

	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// Storage says where the ledger of a configuration is.
func Storage(c *config.Config) (ledger.Storage, error) {
	p := c.Storage.Postgres
	if p == nil {
		return ledger.Storage{Folder: c.Storage.Path}, nil
	}
	client, err := p.TLSConfig.Client("storage.postgres.tls_config")
	return ledger.Storage{Postgres: &ledger.Postgres{DSN: p.DSN.Value, TLS: client}}, err
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
