package web_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// metricsText stands for the metrics.
var metricsText = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "metrics\n")
})

// newHandler is the handler under test, with metrics that say "metrics".
func newHandler(t *testing.T, backend web.Backend) http.Handler {
	t.Helper()
	handler, err := web.Handler(web.Settings{
		Metrics: metricsText, Backend: backend, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	return handler
}

// ask sends one request and returns the answer.
func ask(t *testing.T, handler http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return answer
}

// statusPage is the page as it is answered.
func statusPage(t *testing.T, backend web.Backend) (body, policy string) {
	t.Helper()
	answer := ask(t, newHandler(t, backend), http.MethodGet, "/")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("got %d %q", answer.Code, answer.Header().Get("Content-Type"))
	}
	return answer.Body.String(), answer.Header().Get("Content-Security-Policy")
}

// statusOf is the status as it is answered.
func statusOf(t *testing.T, backend web.Backend) (status web.Status) {
	t.Helper()
	body := ask(t, newHandler(t, backend), http.MethodGet, "/api/v1/status").Body.Bytes()
	require.NoError(t, json.Unmarshal(body, &status))
	return status
}

// storyOf is a story's backend.
func storyOf(t *testing.T, name string) *stories.Backend {
	t.Helper()
	for _, s := range stories.All() {
		if s.Name == name {
			return s.Backend
		}
	}
	t.Fatalf("there is no story %s", name)
	return nil
}
