//go:build conformance

package main_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// prism is a process of Prism: it stands before a server and says where requests and answers stray from
// the provider's own OpenAPI document.
type prism struct {
	t    *testing.T
	url  *url.URL
	cmd  *exec.Cmd
	done chan struct{}

	mu    sync.Mutex
	lines []string // guarded by mu
}

// startPrism starts `prism proxy` before an upstream whose certificate is in the file ca.
func startPrism(t *testing.T, document, upstream, ca string) *prism {
	t.Helper()
	program, specs := os.Getenv("CDR_PRISM"), os.Getenv("SPECS")
	if program == "" || specs == "" {
		t.Fatal("CDR_PRISM and SPECS say where Prism and the documents are: use make conformance SPECS=DIR")
	}
	p := &prism{t: t, done: make(chan struct{})}
	p.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), program, "proxy", "--errors", "--host", "127.0.0.1",
		"--port", "0", filepath.Join(specs, document), upstream)
	p.cmd.Env = environment(map[string]string{"NODE_EXTRA_CA_CERTS": ca, "NO_COLOR": "1"})
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = p.cmd.Stdout
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start Prism: %v", err)
	}
	go p.read(bufio.NewScanner(out))
	t.Cleanup(p.stop)
	eventually(t, "start Prism", func() error {
		match := prismListens.FindStringSubmatch(p.log())
		if match == nil {
			return errors.New("it doesn't say where it listens")
		}
		p.url, err = url.Parse(match[1])
		return err
	})
	return p
}

var prismListens = regexp.MustCompile(`Prism is listening on (http://\S+)`)

func (p *prism) read(lines *bufio.Scanner) {
	defer close(p.done)
	for lines.Scan() {
		p.mu.Lock()
		p.lines = append(p.lines, lines.Text())
		p.mu.Unlock()
	}
}

func (p *prism) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines, "\n") + "\n"
}

func (p *prism) stop() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
	_ = p.cmd.Wait() // it was killed
	if p.t.Failed() {
		log := p.log()
		p.t.Logf("Prism's log ends:\n%s", log[max(0, len(log)-4000):])
	}
}

// front routes what a provider's document describes through Prism, and the rest to
// the simulator itself.
func (p *prism) front(simulator string, pool http.RoundTripper, described func(path string) bool) *httptest.Server {
	direct, err := url.Parse(simulator)
	require.NoError(p.t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if described(r.In.URL.Path) {
				r.SetURL(p.url)
			} else {
				r.SetURL(direct)
			}
		},
		Transport: pool,
	}
	server := httptest.NewServer(proxy)
	p.t.Cleanup(server.Close)
	return server
}

// strayed are the lines in which Prism says that something strays.
func (p *prism) strayed() []string {
	return regexp.MustCompile(`(?m)^.*(?:[Vv]iolation|✖).*$`).FindAllString(p.log(), -1)
}

// served is how many requests Prism let through to a path.
func (p *prism) served(path string) int {
	return strings.Count(p.log(), fmt.Sprintf("get %s", path))
}
