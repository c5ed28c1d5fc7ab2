//go:build conformance

package main_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
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
	"testing"
	"time"

	wxsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/program"
)

// described says which paths the cut-down document of RingCentral describes: neither
// tokens nor call-log-extract-sync.
func described(path string) bool {
	return strings.HasPrefix(path, "/restapi/v1.0/") && !strings.Contains(path, "extract-sync")
}

// steady is a world of valid rows that never change.
func steady(s simulator.Settings) simulator.Settings {
	s.Revised, s.Malformed, s.NoID = 0, 0, 0
	return s
}

// TestConformance_Simulators: every request of the exporter to the simulators and every answer goes
// through Prism, which only lets through what the providers' own documents allow. The exporter
// counts exactly the simulators' calls.
func TestConformance_Simulators(t *testing.T) {
	for _, format := range []string{"json", "stream"} {
		t.Run(format, func(t *testing.T) {
			at, now := newSite(t), time.Now()
			rc := newOffice(t, at, rcsim.Settings{Account: simulator.NewWorld(steady(
				rcsim.Historical(91, rcsim.PublishedMix(), now.Add(-70*time.Hour), now.Add(-48*time.Hour), 2_000)))})
			wx := newCarrier(t, at, steady(past(92, documented(wxsim.PlacedMix()), 1_000)),
				steady(past(93, documented(wxsim.ReceivedMix()), 1_000)), wxsim.Settings{}).in(format)
			ca := at.write("both-ca.pem", string(append(rc.CA(), wx.CA()...)))
			prismRC := startPrism(t, "ringcentral-call-log.openapi.json", rc.BaseURL(), ca)
			prismWX := startPrism(t, "wavix-2026.openapi.json", wx.BaseURL(), ca)
			frontRC := prismRC.front(rc.BaseURL(), rc.Pool(), described)
			frontWX := prismWX.front(wx.BaseURL(), wx.Pool(), func(string) bool { return true })
			rc.Faults.Rewrite(func(body []byte) []byte {
				return bytes.ReplaceAll(body, []byte(rc.BaseURL()), []byte(frontRC))
			})

			config := at.configureSources(settings{}, strings.ReplaceAll(rc.item(), rc.BaseURL(), frontRC),
				strings.ReplaceAll(wx.item(), wx.BaseURL(), frontWX))
			x := start(t, at.vault, launch{config: config}).ready()
			for _, p := range []place{rc, wx} {
				calls := p.tables(callLog, now).Sum("cdr_calls_total") / 1_000_000
				x.shows(float64(calls), "cdr_calls_total", "source="+p.source())
			}
			eventually(t, "show calls in progress", func() error {
				if n := len(x.scrape().series("cdr_active_calls")); n < 4 {
					return errors.New("no active calls")
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
				if !strings.Contains(p.log(), "get "+path) {
					t.Errorf("nothing went through Prism to %s:\n%s", path, p.log())
				}
			}
		})
	}
}

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
	t      *testing.T
	url    *url.URL
	folder string // of its log
}

var prismListens = regexp.MustCompile(`Prism is listening on (http://\S+)`)

// startPrism starts `prism proxy` before an upstream whose certificate is in the file ca.
func startPrism(t *testing.T, document, upstream, ca string) *prism {
	t.Helper()
	file, specs := os.Getenv("CDR_PRISM"), os.Getenv("SPECS")
	if file == "" || specs == "" {
		t.Fatal("CDR_PRISM and SPECS say where Prism and the documents are: use make conformance SPECS=DIR")
	}
	p := &prism{t: t, folder: t.TempDir()}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), file, "proxy", "--errors", "--host", "127.0.0.1",
		"--port", "0", filepath.Join(specs, document), upstream)
	cmd.Env = environment(map[string]string{"NODE_EXTRA_CA_CERTS": ca, "NO_COLOR": "1"})
	process, err := program.Start(p.folder, "prism", cmd)
	require.NoError(t, err)
	t.Cleanup(func() {
		if process.Kill(); t.Failed() {
			t.Log(process.Problem("was killed"))
		}
	})
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

func (p *prism) log() string {
	text, err := os.ReadFile(filepath.Join(p.folder, "prism.log"))
	require.NoError(p.t, err)
	return string(text)
}

// front is the address of a server that routes what a provider's document describes through Prism, and the rest to
// the simulator itself.
func (p *prism) front(simulator string, pool *x509.CertPool, described func(path string) bool) string {
	direct, err := url.Parse(simulator)
	require.NoError(p.t, err)
	server := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			if described(r.In.URL.Path) {
				r.SetURL(p.url)
			} else {
				r.SetURL(direct)
			}
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
	})
	p.t.Cleanup(server.Close)
	return server.URL
}

// strayed are the lines in which Prism says that something strays.
func (p *prism) strayed() []string {
	return regexp.MustCompile(`(?m)^.*(?:[Vv]iolation|✖).*$`).FindAllString(p.log(), -1)
}
