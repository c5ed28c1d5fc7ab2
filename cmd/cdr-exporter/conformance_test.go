//go:build conformance

package main_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
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
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	wxsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	ringcentralDocument = "ringcentral-call-log.openapi.json"
	wavixDocument       = "wavix-2026.openapi.json"
)

// described says which paths the cut-down document of RingCentral describes: neither
// tokens nor call-log-extract-sync.
func described(path string) bool {
	return strings.HasPrefix(path, "/restapi/v1.0/") && !strings.Contains(path, "extract-sync")
}

func everything(string) bool { return true }

// trusting is a transport that trusts a simulator's authority.
func trusting(pool *x509.CertPool) http.RoundTripper {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
}

// steady is a Wavix world of valid rows that never change.
func steady(seed uint64, mix *simulator.Mix, calls int) simulator.Settings {
	s := past(seed, mix, calls)
	s.Revised, s.Malformed, s.NoID = 0, 0, 0
	return s
}

// ringcentralFor starts a simulator with a world that holds to its document.
func ringcentralFor(t *testing.T) (*rcsim.Server, *simulator.World) {
	t.Helper()
	now := time.Now()
	s := rcsim.Historical(91, rcsim.PublishedMix(), now.Add(-70*time.Hour), now.Add(-48*time.Hour), 2_000)
	s.Revised, s.Malformed = 0, 0
	account := world(t, s)
	server, err := rcsim.Start(rcsim.Settings{Account: account, Heavy: 1_000_000, Auth: 1_000_000})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server, account
}

func wavixFor(t *testing.T) *wxsim.Server {
	t.Helper()
	server, err := wxsim.Start(wxsim.Settings{
		Placed:   world(t, steady(92, documented(wxsim.PlacedMix()), 1_000)),
		Received: world(t, steady(93, documented(wxsim.ReceivedMix()), 1_000)),
	})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// conformanceConfig reads both through their fronts.
func conformanceConfig(t *testing.T, rc *rcsim.Server, ringcentral, wavix, key, format string) string {
	t.Helper()
	folder := t.TempDir()
	text := fmt.Sprintf(`storage: {path: ledger}
metrics: {zero_for: 0s}
sources:
  - name: acme
    history: 72h
    requests_per_minute: 100000
    ringcentral:
      base_url: %s
      client_id: %s
      client_secret: %s
      jwt: %s
      call_log: {interval: 1s, lookback: 48h}
      active_calls: {interval: 1s}
  - name: wave
    history: 72h
    requests_per_minute: 100000
    wavix:
      base_url: %s
      api_key: %s
      format: %s
      call_log: {interval: 1s, lookback: 48h}
      active_calls: {interval: 1s}
`, ringcentral, rcsim.ClientID, rc.ClientSecret, rc.JWT(), wavix, key, format)
	file := filepath.Join(folder, "config.yaml")
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}

// TestConformance_Simulators: every request of the exporter to the simulators and every answer goes
// through Prism, which only lets through what the providers' own documents allow. The exporter
// counts exactly the simulators' calls.
func TestConformance_Simulators(t *testing.T) {
	for _, format := range []string{"json", "stream"} {
		t.Run(format, func(t *testing.T) {
			rc, calls := ringcentralFor(t)
			wx := wavixFor(t)
			ca := filepath.Join(t.TempDir(), "ca.pem")
			require.NoError(t, os.WriteFile(ca, append(rc.CA(), wx.CA()...), 0o600))
			prismRC := startPrism(t, ringcentralDocument, rc.BaseURL(), ca)
			prismWX := startPrism(t, wavixDocument, wx.BaseURL(), ca)
			frontRC := prismRC.front(rc.BaseURL(), trusting(rc.Pool()), described)
			frontWX := prismWX.front(wx.BaseURL(), trusting(wx.Pool()), everything)
			rc.Faults.Rewrite(func(body []byte) []byte {
				return bytes.ReplaceAll(body, []byte(rc.BaseURL()), []byte(frontRC.URL))
			})

			file := conformanceConfig(t, rc, frontRC.URL, frontWX.URL, wx.APIKey, format)
			x := start(t, newVault(t), launch{config: file}).ready()
			now := time.Now()
			eventually(t, "count all calls", func() error {
				x.running()
				m := x.scrape()
				for source, want := range map[string]int{
					"acme": callsOf(calls.Totals(simulator.Once(now))), "wave": callsOf(wx.Totals(simulator.Once(now))),
				} {
					if got := m.sum("cdr_calls_total", "source="+source); got != float64(want) {
						return fmt.Errorf("%s has %g calls, want %d", source, got, want)
					}
				}
				if len(m.series("cdr_active_calls")) < 4 {
					return fmt.Errorf("no active calls")
				}
				return nil
			})
			x.stop()
			for name, p := range map[string]*prism{"ringcentral": prismRC, "wavix": prismWX} {
				for _, line := range p.strayed() {
					t.Errorf("%s: %s", name, line)
				}
			}
			for p, path := range map[*prism]string{prismRC: "/restapi/v1.0/account/~/call-log", prismWX: "/v1/cdrs"} {
				if p.served(path) == 0 {
					t.Errorf("nothing went through Prism to %s:\n%s", path, p.log())
				}
			}
		})
	}
}

func callsOf(t simulator.Totals) int { return int(t.Metrics.Sum("cdr_calls_total") / 1_000_000) }

// documented is a mix without values that Wavix's document of 2026 doesn't allow. Its rows conform
// to the document, unless the world has malformed rows, rows without an id, or
// revisions, which have unknown prices at first.
func documented(m *simulator.Mix) *simulator.Mix {
	some := *m
	some.Kinds = slices.DeleteFunc(slices.Clone(m.Kinds), func(k simulator.Kind) bool {
		known := slices.Contains([]string{"answered", "noanswer", "busy", "failed"}, k.Phrase)
		return !known || !k.Free && !k.Priced || k.Party == simulator.Null
	})
	return &some
}

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
