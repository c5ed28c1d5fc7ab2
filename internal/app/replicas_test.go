package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// share puts the ledger of a configuration into PostgreSQL.
func share(t *testing.T, file string) string {
	t.Helper()
	writeFile(t, filepath.Join(filepath.Dir(file), "dsn"), pgtest.Database(t))
	edit(t, file, "{path: data}", "{postgres: {dsn_file: dsn, address: \"http://elsewhere.example/\"}}")
	return file
}

// ownedFeed is the line that says whether a process reads the feed.
func ownedFeed(source string, n int) string {
	return fmt.Sprintf(`cdr_exporter_feed_owned{feed="records",source="%s"} %d`, source, n)
}

// Without a lease a replica shows nothing of the calls, and the status says why. It doesn't know whether a feed is
// behind or log records wait: another one reads and sends them by now. Rules take the largest value of all replicas.
func TestWithoutALease(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	p.calls(map[cdr.Direction]int{cdr.Inbound: 1})
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(endpoint.Close)
	file := share(t, p.writeSources(t.TempDir(), office))
	edit(t, file, "records: {", "active_calls: , records: {")
	edit(t, file, "sources:", "otlp: {endpoint: \""+endpoint.URL+
		"\", shutdown_timeout: 1s, metrics: false, traces: false}\nsources:")
	a := startWith(t, listen(file, p))
	const catchingUp, active, oldest = `cdr_exporter_catching_up{feed="records",source="office"}`,
		"\ncdr_active_calls{", "\ncdr_exporter_otlp_outbox_oldest_timestamp_seconds"
	until(t, a, ownedFeed("office", 1))
	untilHas(t, a, catchingUp)
	untilHas(t, a, active)
	post(t, hookURL(a, office), "call")
	until(t, a, "cdr_exporter_otlp_outbox_records 1")
	untilHas(t, a, oldest)
	a.owners.mu.Lock() // no pass
	defer a.owners.mu.Unlock()
	ended := *a.owners.seen.Load()
	ended.until = time.Time{}
	a.owners.seen.Store(&ended)
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for text, want := range map[string]bool{
		ownedFeed("office", 0): true, catchingUp: false, active: false, oldest: false,
		"cdr_exporter_otlp_outbox_records 0\n": true,
	} {
		if strings.Contains(body, text) != want {
			t.Errorf("the metrics have %q: %t", text, !want)
		}
	}
	s := wholeStatus(t, a)
	if f := feedOf(s.Sources[0], "records"); f.State != web.StateError || !strings.Contains(f.LastError, "lease") {
		t.Errorf("the feed is %q, error %q", f.State, f.LastError)
	}
	if strings.Contains(s.Verdict.Text, "no calls yet") {
		t.Errorf("the verdict is %q", s.Verdict.Text)
	}
	if _, page := ask(t, a, http.MethodGet, "/"); strings.Contains(page, "0.0 MB") {
		t.Error("the page has a size of the database, which isn't known")
	}
}

// Until the next pass reads a source that a reload has changed, it isn't read elsewhere.
func TestStatusAfterAReload(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	a := startWith(t, listen(share(t, p.writeSources(t.TempDir(), office)), p))
	until(t, a, ownedFeed("office", 1))
	require.Eventually(t, "it is known who owns the feed", func() bool {
		return wholeStatus(t, a).Replicas[0].Feeds == 1
	})
	a.owners.mu.Lock()
	defer a.owners.mu.Unlock()
	of := a.accounts()[0]
	a.stopAccount(&of)
	if f := statusOf(t, a).Feeds[0]; f.State != web.StateCatchingUp {
		t.Errorf("the feed is %q", f.State)
	}
	seen := *a.owners.seen.Load()
	ended := *seen.feeds[feedName{"office", "records"}]
	ended.Owner = ""
	seen.feeds = map[feedName]*ledger.FeedOwner{{"office", "records"}: &ended}
	a.owners.seen.Store(&seen)
	f := statusOf(t, a).Feeds[0]
	if f.State != web.StateUnowned || f.LastError != "no replica reads the feed" {
		t.Errorf("the feed that no replica owns is %q: %q", f.State, f.LastError)
	}
}

// The links on the status pages of other replicas lead to this one's page as it is served, with TLS or without.
func TestAddressOfAReplica(t *testing.T) {
	t.Parallel()
	host, err := os.Hostname()
	require.NoError(t, err)
	const secured, here = "tls_server_config: {cert_file: c, key_file: k}\n", "10.0.0.7:9887"
	for name, test := range map[string]struct{ configured, listen, web, want string }{
		"with TLS":                {"", here, secured, "https://10.0.0.7:9887/"},
		"with a certificate here": {"", here, "tls_server_config: {cert: c, key: k}\n", "https://10.0.0.7:9887/"},
		"with a password alone":   {"", here, "basic_auth_users: {}\n", "http://10.0.0.7:9887/"},
		"on every address":        {"", ":9887", "", "http://" + host + ":9887/"},
		"and with TLS":            {"", ":9887", secured, "https://" + host + ":9887/"},
		"on every one of IPv6":    {"", "[::]:9887", "", "http://" + host + ":9887/"},
		"on loopback":             {"", "127.0.0.1:9887", "", ""},
		"on loopback of IPv6":     {"", "[::1]:9887", "", ""},
		"on any port":             {"", ":0", "", ""},
		"without a listener":      {},
		"as configured":           {"https://cdr.example", here, "", "https://cdr.example"},
	} {
		settings := Settings{}
		if test.listen != "" {
			settings.ListenAddresses = []string{test.listen}
		}
		if test.web != "" {
			settings.WebConfigFile = filepath.Join(t.TempDir(), "web.yml")
			writeFile(t, settings.WebConfigFile, test.web)
		}
		c := &config.Config{Storage: config.Storage{Postgres: &config.Postgres{Address: test.configured}}}
		where, err := settings.storage(c)
		if err != nil || where.Postgres.Address != test.want {
			t.Errorf("%s: %q, %v, want %q", name, where.Postgres.Address, err, test.want)
		}
	}
}
