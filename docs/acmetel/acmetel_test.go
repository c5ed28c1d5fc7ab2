package acmetel_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/docs/acmetel"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestGuideIsTrue: every part of the program between `begin` and `end` is in the
// guide as it stands, and every block of Go in the guide is such a part.
func TestGuideIsTrue(t *testing.T) {
	code, err := os.ReadFile("acmetel.go")
	require.NoError(t, err)
	guide, err := os.ReadFile("../adding-a-provider.md")
	require.NoError(t, err)
	parts := map[string]string{}
	for _, m := range regexp.MustCompile(`(?s)// begin: (\w+)\n\n(.*?)\n// end: `).FindAllStringSubmatch(string(code),
		-1) {
		parts[m[1]] = m[2]
	}
	if len(parts) != 3 {
		t.Fatalf("the program has %d parts", len(parts))
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	for _, b := range blocks {
		found := false
		for name, part := range parts {
			if b[1] == part {
				delete(parts, name)
				found = true
			}
		}
		if !found && !strings.Contains(b[1], "Provider(),") {
			t.Errorf("this block of the guide isn't in the program:\n%s", b[1])
		}
	}
	for name := range parts {
		t.Errorf("the guide lacks the part %s", name)
	}
}

// TestExampleIsRead: the exporter reads it with nothing else than the one line.
func TestExampleIsRead(t *testing.T) {
	start := time.Now().UTC().Add(-2 * time.Hour).Format(time.RFC3339)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer k" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Query().Get("cursor") == "" {
			fmt.Fprintf(w, `{"calls":[{"id":"1","start":%q,"seconds":60,"to":"+4930901820","result":"answered"},
				{"id":"2"}],"next":"calls?cursor=2"}`, start)
			return
		}
		fmt.Fprintf(w, `{"calls":[{"id":"3","start":%q,"seconds":0,"result":"busy"}]}`, start)
	}))
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "config.yaml")
	text := fmt.Sprintf("storage: {path: data}\nmetrics: {zero_for: 0s}\nsources:\n  - {name: acme, acmetel: "+
		"{base_url: %q, api_key: k, call_log: {interval: 1s}}}\n", server.URL)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	a, err := app.New(t.Context(), app.Settings{
		ConfigFile: file, ListenAddresses: []string{"127.0.0.1:0"}, Providers: []collector.Provider{acmetel.Provider()},
	})
	require.NoError(t, err)
	require.NoError(t, a.Start())
	t.Cleanup(func() {
		if err := a.Stop(); err != nil {
			t.Error(err)
		}
	})
	want := []string{
		`cdr_calls_total{call_type="call",direction="outbound",feed="call_log",late="true",outcome="answered",` +
			`provider="acmetel",source="acme",trunk=""} 1`,
		`cdr_calls_total{call_type="call",direction="outbound",feed="call_log",late="true",outcome="busy",` +
			`provider="acmetel",source="acme",trunk=""} 1`,
		`cdr_exporter_rows_total{feed="call_log",result="invalid",source="acme"} 1`,
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		got := scrape(t, "http://"+a.Addr()+"/metrics")
		missing := ""
		for _, line := range want {
			if !strings.Contains(got, line+"\n") {
				missing = line
			}
		}
		if missing == "" {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the metrics lack %s in:\n%s", missing, got)
		case <-ticker.C:
		}
	}
}

func scrape(t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(body)
}
