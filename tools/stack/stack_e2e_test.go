//go:build e2e

package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// visitor looks at the page of a stack that runs.
type visitor struct {
	t     *testing.T
	base  string
	ended chan error
}

// sees waits until the page has a text. It may take long on a slow machine.
func (v *visitor) sees(text string) {
	v.t.Helper()
	// A call of d counts up to d/2 after it settled (counting.md, When a call counts).
	limit, tick := time.After(15*time.Minute), time.NewTicker(time.Second)
	defer tick.Stop()
	for body := ""; !strings.Contains(body, text); body = v.send(http.MethodGet, "") {
		select {
		case err := <-v.ended:
			v.t.Fatalf("the stack ended: %v", err)
		case <-limit:
			v.t.Fatalf("the page doesn't say %q:\n%s\nThe exporter's warnings:\n%s", text, body, warnings(v.t))
		case <-tick.C:
		}
	}
}

// warnings are those lines of the exporter's log.
func warnings(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	logs, err := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "*", "exporter.log"))
	if err != nil || len(logs) != 1 {
		t.Errorf("the exporter's logs are %v, %v", logs, err)
		return ""
	}
	log, err := os.ReadFile(logs[0])
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, "level=WARN") {
			text.WriteString(line)
		}
	}
	return text.String()
}

func (v *visitor) send(method, path string) string {
	v.t.Helper()
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, http.NoBody)
	require.NoError(v.t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	response, err := client.Do(request)
	require.NoError(v.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		v.t.Fatalf("%s %s: status %d, %v\n%s", method, path, response.StatusCode, err, body)
	}
	return string(body)
}

// TestE2EStackTool: the one command starts everything, the page shows the results of its buttons
// and Alertmanager's alerts, the numbers are exact after a kill -9, and nothing is left.
// TestE2EStack in cmd/cdr-exporter checks that alerts fire in time.
func TestE2EStackTool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	t.Chdir(filepath.Join("..", ".."))
	out, ended := new(require.Output), make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { ended <- run(ctx, []string{"--listen=127.0.0.1:0"}, out) }()
	v := &visitor{t: t, ended: ended}
	address := regexp.MustCompile(`http://[^/]+/`)
	for tick := time.NewTicker(100 * time.Millisecond); v.base == ""; v.base = address.FindString(out.String()) {
		select {
		case err := <-ended:
			t.Fatalf("the stack ended: %v\n%s", err, out)
		case <-tick.C:
		}
	}
	v.sees("The trunk works.")
	v.send(http.MethodPost, "trunk/fail")
	v.sees("The trunk fails")
	v.sees("<td>active</td>") // of values that are new to the exporter
	v.send(http.MethodPost, "exporter/kill")
	v.send(http.MethodPost, "trunk/mend")
	v.send(http.MethodPost, "publication/hold")
	v.sees("all three agree to the unit")
	v.send(http.MethodPost, "publication/resume")
	v.sees("Calls are published all the time")
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) > 0 {
		t.Errorf("left are %v, %v", left, err)
	}
}
