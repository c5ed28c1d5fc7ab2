package main_test

import (
	"cmp"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// site is a folder with the configuration and the ledger of an exporter, and what must
// appear nowhere.
type site struct {
	t      testing.TB
	vault  *vault
	folder string
}

// newSite makes a site. The files that an exporter has left there are searched at the end.
func newSite(t testing.TB) *site {
	s := &site{t: t, vault: newVault(t), folder: t.TempDir()}
	t.Cleanup(s.searchLedger)
	return s
}

// part is a folder of the site for one account's files. The same texts must not appear in it.
func (s *site) part(name string) *site {
	s.t.Helper()
	require.NoError(s.t, os.Mkdir(s.path(name), 0o700))
	return &site{t: s.t, vault: s.vault, folder: s.path(name)}
}

// path is the path of a file in the site's folder.
func (s *site) path(name string) string { return filepath.Join(s.folder, name) }

// ledger is the exporter's storage.path.
func (s *site) ledger() string { return s.path("ledger") }

// searchLedger searches all that an exporter has kept, unless it kept nothing.
func (s *site) searchLedger() {
	if _, err := os.Stat(s.ledger()); errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.vault.searchFolder(s.ledger())
	s.vault.searchOutbox(s.ledger())
}

// write writes a file into the site's folder.
func (s *site) write(name, text string) string {
	s.t.Helper()
	require.NoError(s.t, os.WriteFile(s.path(name), []byte(text), 0o600))
	return s.path(name)
}

// keep writes a file that holds a secret.
func (s *site) keep(name, secret string) {
	s.t.Helper()
	s.vault.hide("the secret in "+name, secret)
	s.write(name, secret)
}

// settings are a configuration.
type settings struct {
	ZeroFor string
	Storage string // the block's content; empty: the site's ledger
	OTLP    string // the block's content in braces; empty: none
	More    string // further top level keys
	Sources []source
}

// configureSources writes the configuration file with these sources, each an item of
// YAML, and returns its name.
func (s *site) configureSources(set settings, sources ...string) string {
	s.t.Helper()
	set.ZeroFor = cmp.Or(set.ZeroFor, "0s")
	set.Storage = cmp.Or(set.Storage, "path: ledger")
	var b strings.Builder
	fmt.Fprintf(&b, "storage: {%s}\nmetrics: {zero_for: %s}\n", set.Storage, set.ZeroFor)
	if set.OTLP != "" {
		fmt.Fprintf(&b, "otlp: %s\n", set.OTLP)
	}
	fmt.Fprintf(&b, "%s\nsources:\n%s", set.More, strings.Join(sources, ""))
	return s.write("config.yaml", b.String())
}

// trust writes ca.pem with the certificate of a server.
func (s *site) trust(server *httptest.Server) {
	s.t.Helper()
	s.write("ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})))
}

// secretFor is a secret of the test's own, so that a search for it finds no other.
func secretFor(t testing.TB, what string) string {
	return what + "~" + strings.ReplaceAll(t.Name(), "/", "~")
}

// provider is a simulated provider whose time a test drives.
type provider interface {
	Now() time.Time
	Visible() time.Time
	Pause() time.Time
	Resume()
	Advance(d time.Duration)
}

// place is a simulated account as one source of the configuration reads it: what must
// have been counted is known for each of its feeds.
type place interface {
	provider
	// source is the name of the source.
	source() string
	// feeds are the feeds that have records.
	feeds() []string
	// tables are the metrics of a feed that was read at these instants, and tally its row counts.
	tables(feed string, at ...time.Time) tables
	tally(feed string, at ...time.Time) tally
	// active is cdr_active_calls at an instant, without zeros; nil if they aren't read.
	active(at time.Time) map[cdr.Direction]int
	// server is the provider, which several places may share.
	server() provider
	// item is the source in the configuration, an item of YAML.
	item() string
	// answered is how many requests for rows the provider has answered.
	answered() int
}

// tally are a feed's row counts by result.
type tally struct {
	// records are the distinct records, calls those that count as a call, revised their
	// changes.
	records, calls, revised int
	invalid, ignored        int // distinct rows
}
