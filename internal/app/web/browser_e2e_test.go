//go:build e2e

package web_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/app/web"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

// TestE2EBrowser drives pages in Chromium: one with every state and every gap, the page of the demo,
// which is the real program with simulated providers, and each story of the storybook. CDR_SCREENSHOTS
// names a folder for screenshots of the stories.
func TestE2EBrowser(t *testing.T) {
	server := httptest.NewServer(slowLine(liveHandler(t)))
	defer server.Close()
	pages, err := stories.Handler(slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	storybook := httptest.NewServer(pages)
	defer storybook.Close()
	script := filepath.Join("..", "..", "..", "tools", "browser", "page.mjs")
	command := exec.CommandContext(t.Context(), "node", script, server.URL+"/", startDemo(t),
		storybook.URL+"/", os.Getenv("CDR_SCREENSHOTS"))
	command.Env = append(os.Environ(), "CDR_CHROMIUM="+chromium(t))
	command.WaitDelay = 10 * time.Second
	if os.Getenv("CDR_BROWSER") == "" {
		t.Fatal("CDR_BROWSER must name the folder with playwright-core and axe-core: run `make e2e`")
	}
	report, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("the page: %v\n%s", err, report)
	}
	t.Logf("%s", report)
	if strings.Count(string(report), "ok: ") != 12+len(stories.All()) {
		t.Errorf("the checks:\n%s", report)
	}
}

// liveHandler has every state, and calls come in whenever it is asked.
func liveHandler(t *testing.T) http.Handler {
	t.Helper()
	return newHandler(t, &risingBackend{Backend: stories.Everything(), began: time.Now()})
}

// slowLine lets a page come after its header fields, so that a browser has an empty document for a while.
func slowLine(handler http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		handler.ServeHTTP(whole, r)
		maps.Copy(w.Header(), whole.Header())
		w.WriteHeader(whole.Code)
		_ = http.NewResponseController(w).Flush()
		select {
		case <-time.After(200 * time.Millisecond):
		case <-r.Context().Done():
		}
		_, _ = w.Write(whole.Body.Bytes())
	})
}

// risingBackend has one record more each time, and a clock that goes.
type risingBackend struct {
	*stories.Backend

	began time.Time
	asked atomic.Int64
}

func (b *risingBackend) Status() web.Status {
	status := b.Backend.Status()
	status.Sources = stories.Everything().Shown.Sources
	status.Sources[0].Feeds[0].Records += b.asked.Add(1)
	status.Now = web.Time{Time: status.Now.Add(time.Since(b.began))}
	return status
}

// chromium is the browser: what CDR_CHROMIUM names, or the system's.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("CDR_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if file, err := exec.LookPath(name); name != "" && err == nil {
			return file
		}
	}
	t.Fatal("Chromium is needed: apt-get install chromium, or say where it is in CDR_CHROMIUM")
	return ""
}

// startDemo builds the program, starts its demo and waits until it is ready.
func startDemo(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "cdr-exporter")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-trimpath", "-ldflags=-s -w", "-o",
		binary, "../../../cmd/cdr-exporter")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as `make build`, which has compiled most of it
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	demo := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "demo", "--web.listen-address=127.0.0.1:0")
	demo.WaitDelay = 10 * time.Second
	said, err := demo.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, demo.Start())
	t.Cleanup(func() {
		_ = demo.Process.Signal(syscall.SIGTERM)
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ended: %v", err)
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	address := regexp.MustCompile(`http://\S+/`).FindString(line)
	if err != nil || address == "" {
		t.Fatalf("the demo doesn't say where to look: %q, %v", line, err)
	}
	awaitReady(t, address)
	return address
}

func awaitReady(t *testing.T, address string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for last := ""; ; {
		select {
		case <-ctx.Done():
			t.Fatalf("the demo isn't ready: %s", last)
		case <-ticker.C:
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"-/ready", http.NoBody)
		require.NoError(t, err)
		answer, err := client.Do(request)
		if err != nil {
			last = err.Error()
			continue
		}
		answer.Body.Close()
		if answer.StatusCode == http.StatusOK {
			return
		}
		last = fmt.Sprint(answer.Status)
	}
}
