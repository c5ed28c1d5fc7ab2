package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// Without a lease a replica doesn't know what waits to be sent: another one sends it by now. Rules take the largest
// value of all replicas.
func TestOutboxWithoutALease(t *testing.T) {
	t.Parallel()
	p := newNotifying(t)
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(endpoint.Close)
	file := p.share(pgtest.Database(t), office)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	writeFile(t, file, string(text)+"otlp: {endpoint: \""+endpoint.URL+
		"\", shutdown_timeout: 1s, metrics: false, traces: false}\n")
	a := startWith(t, listen(file, p))
	until(t, a, ownedFeed("office", 1))
	post(t, hookURL(a, office), "call")
	until(t, a, "cdr_exporter_otlp_outbox_records 1")
	a.owners.mu.Lock() // no pass
	defer a.owners.mu.Unlock()
	ended := *a.owners.seen.Load()
	ended.until = time.Time{}
	a.owners.seen.Store(&ended)
	_, body := ask(t, a, http.MethodGet, "/metrics")
	if !strings.Contains(body, "cdr_exporter_otlp_outbox_records 0\n") ||
		strings.Contains(body, "\ncdr_exporter_otlp_outbox_oldest_timestamp_seconds") {
		t.Error("a replica without a lease says that log records wait")
	}
}
