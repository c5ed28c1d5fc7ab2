package main

import (
	"crypto/tls"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// health runs the health check of addresses and expects its exit code and one line on stderr.
func health(t *testing.T, code int, problem string, addresses ...string) {
	t.Helper()
	args := []string{"healthcheck"}
	for _, address := range addresses {
		args = append(args, "--web.listen-address="+address)
	}
	var errs strings.Builder
	if got := run(t.Context(), args, streams{errors: &errs}); got != code {
		t.Errorf("healthcheck of %q: exit code %d, want %d", addresses, got, code)
	}
	if said := errs.String(); !strings.Contains(said, problem) || (said != "") != (code != 0) ||
		strings.Count(said, "\n") > 1 {
		t.Errorf("healthcheck of %q says %q, want one line with %q", addresses, said, problem)
	}
}

// TestHealthcheck asks servers that stand for the exporter's states; TestDemo
// asks the exporter itself.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	answers := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/-/healthy" {
				status = http.StatusNotFound
			}
			w.WriteHeader(status)
		}
	}
	hangs := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		tls     *tls.Config
		code    int
		problem string
	}{
		"healthy":                   {handler: answers(200)},
		"healthy with TLS":          {handler: answers(200), tls: &tls.Config{}},
		"password wanted":           {handler: answers(401), tls: &tls.Config{}},
		"rate limit used up":        {handler: answers(429)},
		"client certificate wanted": {handler: answers(200), tls: &tls.Config{ClientAuth: tls.RequireAnyClientCert}},
		"the same with TLS 1.2": {
			handler: answers(200),
			tls:     &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12},
		},
		"another program on the port": {handler: answers(404), code: 1, problem: "/-/healthy answered 404 Not Found"},
		"no answer in time":           {handler: hangs, code: 1, problem: "context deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewUnstartedServer(c.handler)
			defer server.Close()
			server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
			if server.TLS = c.tls; c.tls != nil {
				server.StartTLS()
			} else {
				server.Start()
			}
			address := server.Listener.Addr().String()
			_, port, _ := strings.Cut(address, ":")
			health(t, c.code, c.problem, address)
			health(t, c.code, c.problem, "0.0.0.0:"+port, ":"+port)
			server.Close()
			health(t, 1, "connection refused", address)
		})
	}
}
