package web_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

func TestRoutesAndMethods(t *testing.T) {
	const reading, writing = "GET, HEAD", "POST, PUT"
	methods := []string{"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"}
	allowed := map[string]string{
		"/": reading, "/metrics": reading, "/-/healthy": reading, "/-/ready": reading, "/api/v1/status": reading,
		"/assets/page.css": reading, "/assets/page.js": reading, "/assets/icon.svg": reading, "/-/reload": writing,
	}
	missing := []string{
		"/metrics/", "/metrics/x", "//metrics", "/-/", "/-/quit", "/-/reload/", "/api/v1/", "/api/v1/status/",
		"/assets/", "/assets/page.html", "/index.html", "/favicon.ico", "/debug/pprof/", "/.././metrics",
	}
	for _, path := range slices.Concat(slices.Collect(maps.Keys(allowed)), missing) {
		t.Run(path, func(t *testing.T) {
			handler := newHandler(t, stories.Everything())
			for _, method := range methods {
				answer := ask(t, handler, method, path)
				want, allow := http.StatusOK, ""
				switch {
				case allowed[path] == "":
					want = http.StatusNotFound
				case !strings.Contains(allowed[path], method):
					want, allow = http.StatusMethodNotAllowed, allowed[path]
				}
				if answer.Code != want {
					t.Errorf("%s: got %d, want %d", method, answer.Code, want)
				}
				if got := answer.Header().Get("Allow"); got != allow {
					t.Errorf("%s: got Allow %q, want %q", method, got, allow)
				}
				checkHeaders(t, method, answer.Header())
			}
		})
	}
}

// checkHeaders checks the headers of every answer.
func checkHeaders(t *testing.T, method string, header http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff",
		"Referrer-Policy":        "no-referrer",
		"Cache-Control":          "no-store",
	} {
		if got := header.Get(name); got != want {
			t.Errorf("%s: got %s %q, want %q", method, name, got, want)
		}
	}
}

func TestAnswers(t *testing.T) {
	opening := stories.Backend{NotReady: "opening the ledger"}
	for name, test := range map[string]struct {
		backend stories.Backend
		path    string
		code    int
		body    string
	}{
		"healthy":                  {stories.Backend{}, "/-/healthy", 200, "Healthy.\n"},
		"healthy though not ready": {opening, "/-/healthy", 200, "Healthy.\n"},
		"ready":                    {stories.Backend{}, "/-/ready", 200, "Ready.\n"},
		"not ready":                {opening, "/-/ready", 503, "Not ready: opening the ledger\n"},
		"metrics":                  {stories.Backend{}, "/metrics?name=x", 200, "metrics\n"},
		"nothing there":            {stories.Backend{}, "/nothing?<script>", 404, "Not found.\n"},
	} {
		answer := ask(t, newHandler(t, &test.backend), http.MethodGet, test.path)
		if answer.Code != test.code || answer.Body.String() != test.body ||
			answer.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("%s: got %d %q, %v", name, answer.Code, answer.Body, answer.Header())
		}
	}
}

func TestTelemetryPath(t *testing.T) {
	problems := map[string]string{"/cdr-metrics": "", "/telephony/{tenant}/metrics": "", "/a:b": ""}
	for _, used := range []string{"/", "/-/healthy", "/-/ready", "/-/reload", "/api/v1/status", "/assets/page.css"} {
		problems[used] = "is already in use"
	}
	for _, invalid := range []string{
		"metrics", "/metrics/", "//metrics", "/x/../-/ready", "/metrics?x", "/me%74rics", "http://127.0.0.1/metrics",
	} {
		problems[invalid] = "must be an absolute path"
	}
	for path, problem := range problems {
		t.Run(path, func(t *testing.T) {
			handler, err := web.Handler(web.Settings{
				MetricsPath: path, Metrics: metricsText, Backend: &stories.Backend{},
				Logger: slog.New(slog.DiscardHandler),
			})
			if problem != "" {
				if err == nil || !strings.Contains(err.Error(), problem) {
					t.Fatalf("got error %v, want %q", err, problem)
				}
				return
			}
			require.NoError(t, err)
			if answer := ask(t, handler, http.MethodGet, path); answer.Code != 200 ||
				answer.Body.String() != "metrics\n" {
				t.Errorf("%s: got %d %q", path, answer.Code, answer.Body)
			}
			if answer := ask(t, handler, http.MethodGet, "/metrics"); answer.Code != http.StatusNotFound {
				t.Errorf("/metrics: got %d, want 404", answer.Code)
			}
			if page := ask(t, handler, http.MethodGet, "/").Body.String(); !strings.Contains(page,
				`href=".`+path+`"`) &&
				!strings.Contains(page, `href="./telephony/%7btenant%7d/metrics"`) {
				t.Errorf("the page has no link to %s", path)
			}
		})
	}
}

func TestWebConfigurationHeadersStay(t *testing.T) {
	handler := newHandler(t, stories.Everything())
	answer := httptest.NewRecorder()
	answer.Header().Set("Content-Security-Policy", "frame-ancestors https://grafana.example")
	handler.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if got := answer.Header().Values("Content-Security-Policy"); len(got) != 1 ||
		got[0] != "frame-ancestors https://grafana.example" {
		t.Errorf("got Content-Security-Policy %q", got)
	}
}
