package app

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// A signal that is turned off leaves log records or spans in the outbox. They don't count any more: otherwise
// CDROutboxNearLimit would fire, and the page be full, while the other signal is sent.
func TestReloadTurnsASignalOff(t *testing.T) {
	t.Parallel()
	provider, folder := newNotifying(t), t.TempDir()
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(endpoint.Close)
	configure := func(signals string) string {
		file := provider.writeSources(folder, office)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		writeFile(t, file, string(text)+"otlp: {endpoint: \""+endpoint.URL+
			"\", outbox_limit: 1, shutdown_timeout: 1s, "+signals+"}\n")
		return file
	}
	a := startWith(t, listen(configure("logs: true, traces: false"), provider))
	awaitRest(t, a)
	post(t, hookURL(a, office), "call")
	until(t, a, "cdr_exporter_otlp_outbox_records 1")
	if state := a.Status().OTLP.State; state != web.OTLPFull {
		t.Errorf("at the limit the page says %q", state)
	}
	configure("logs: false, traces: true")
	reload(t, a)
	_, body := ask(t, a, http.MethodGet, "/metrics")
	for _, line := range []string{
		"cdr_exporter_otlp_outbox_limit_records 1\n", "cdr_exporter_otlp_outbox_records 0\n",
	} {
		if !strings.Contains(body, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if strings.Contains(body, "\ncdr_exporter_otlp_outbox_oldest_timestamp_seconds") {
		t.Error("the metrics say since when something waits")
	}
	if state := a.Status().OTLP.State; state != web.OTLPOK {
		t.Errorf("without log records the page says %q", state)
	}
}
