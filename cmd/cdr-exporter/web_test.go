package main_test

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"golang.org/x/crypto/bcrypt"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// small is a tenant of one feed with a few calls.
func small(t *testing.T, seed uint64) *tenant {
	return newTenant(t, sim.Settings{PSTN: world(t, past(seed, sim.PSTNMix(), 200))})
}

// TestWebConfig (contract 1): TLS and basic auth by --web.config.file, on every
// address.
func TestWebConfig(t *testing.T) {
	t.Parallel()
	n := small(t, 61)
	config, authority := secured(t, n, "ada", "open~sesame")
	client := client{
		tls:  &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12},
		user: "ada", password: "open~sesame", path: "/telemetry/cdr",
	}
	x := start(t, n.vault, launch{
		config: n.configure(settings{}), client: client,
		args: []string{
			"--web.config.file=" + config, "--web.telemetry-path=/telemetry/cdr",
			"--web.listen-address=127.0.0.1:0", "--web.listen-address=[::1]:0",
		},
	}).ready()
	x.counts(n, n.Now())
	if a, err := x.client.do(http.MethodGet, "/metrics", nil); err != nil || a.status != http.StatusNotFound {
		t.Errorf("/metrics answers %d, %v though the metrics are elsewhere", a.status, err)
	}
	addresses := x.addresses()
	if len(addresses) != 3 {
		t.Fatalf("it listens on %q, want three addresses", addresses)
	}
	for _, address := range addresses {
		other := client
		other.attach(x, address)
		if _, err := other.get("/-/ready"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		other.password = "wrong"
		if a, err := other.do(http.MethodGet, "/telemetry/cdr", nil); err != nil || a.status != http.StatusUnauthorized {
			t.Errorf("%s answers a wrong password with %d, %v", address, a.status, err)
		}
		other.close()
		health(t, n.vault, 0, "", address)
	}
	x.stop()
}

// secured writes a web configuration file with TLS and one user.
func secured(t *testing.T, n *tenant, user, password string) (string, *simulator.Authority) {
	t.Helper()
	authority, err := simulator.NewAuthority()
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(authority.Certificate.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	n.write("web.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate.Certificate[0]})))
	n.write("web.key", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	n.vault.hide("the password of the metrics port", password)
	n.vault.hide("the hash of that password", string(hash))
	return n.write("web.yaml", fmt.Sprintf(
		"tls_server_config: {cert_file: web.pem, key_file: web.key}\nbasic_auth_users: {%s: %q}\n", user, hash)), authority
}

// TestNegotiation (contract 5): text, OpenMetrics and protobuf, compressed or not, say
// the same.
func TestNegotiation(t *testing.T) {
	t.Parallel()
	n := small(t, 62)
	x := n.start(settings{}).ready()
	now := n.Now()
	x.counts(n, now)
	want := expected(view(n.worlds[pstn], now))
	for name, c := range map[string]struct {
		accept, content string
		read            func(*testing.T, []byte) families
	}{
		"text":        {"text/plain;version=0.0.4", "text/plain; version=0.0.4", func(_ *testing.T, b []byte) families { return x.parse(b) }},
		"openmetrics": {"application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0", readOpenMetrics},
		"protobuf": {
			"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
			"application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited", readProtobuf,
		},
	} {
		for _, encoding := range []string{"", "gzip"} {
			t.Run(name+encoding, func(t *testing.T) {
				header := http.Header{"Accept": {c.accept}}
				if encoding != "" {
					header.Set("Accept-Encoding", encoding)
				}
				a, err := x.client.do(http.MethodGet, "/metrics", header)
				if err != nil {
					t.Fatal(err)
				}
				if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, c.content) {
					t.Errorf("content type is %q, want %q", got, c.content)
				}
				if got := a.header.Get("Content-Encoding"); got != encoding {
					t.Fatalf("content encoding is %q, want %q", got, encoding)
				}
				got := c.read(t, unpacked(t, a)).tables("contoso", pstn)
				if text := diff(got, want); text != "" {
					t.Error(text)
				}
			})
		}
	}
	x.stop()
}

func unpacked(t *testing.T, a answer) []byte {
	t.Helper()
	if a.header.Get("Content-Encoding") == "" {
		return a.body
	}
	z, err := gzip.NewReader(bytes.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func readProtobuf(t *testing.T, body []byte) families {
	t.Helper()
	all := make(families)
	decoder := expfmt.NewDecoder(bytes.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		family := new(dto.MetricFamily)
		err := decoder.Decode(family)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("parse protobuf: %v", err)
		}
		all[family.GetName()] = family
	}
}

// readOpenMetrics reads as much of OpenMetrics as the text parser knows, which is all
// but the end and the samples of start times.
func readOpenMetrics(t *testing.T, body []byte) families {
	t.Helper()
	text := string(body)
	if !strings.HasSuffix(text, "# EOF\n") {
		t.Error("OpenMetrics without an end")
	}
	var lines strings.Builder
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# TYPE") && fields[3] == "counter":
			line = strings.Replace(line, fields[2], fields[2]+"_total", 1)
		case strings.HasPrefix(line, "# TYPE"):
		case strings.HasPrefix(line, "#"), strings.Contains(fields[0], "_created"):
			continue
		}
		if sample, _, found := strings.Cut(line, " # {"); found { // an exemplar, which the text format hasn't
			line = sample + "\n"
		}
		lines.WriteString(line)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(strings.NewReader(lines.String()))
	if err != nil {
		t.Fatalf("parse OpenMetrics: %v", err)
	}
	return all
}

// TestStartTimes (contract 3; counting.md 20): series of a first history start at the
// feed's origin, unless it is so near that Prometheus would see a spike; native
// histograms are beside the classic ones.
func TestStartTimes(t *testing.T) {
	t.Parallel()
	n := small(t, 63)
	before := time.Now().Add(-72 * time.Hour)
	x := n.start(settings{}).ready()
	x.counts(n, n.Now())
	m := readProtobuf(t, x.protobuf())
	for name := range compared {
		for _, s := range m.series(name) {
			at := s.GetCounter().GetCreatedTimestamp().AsTime()
			if h := s.GetHistogram(); h != nil {
				at = h.GetCreatedTimestamp().AsTime()
				if len(h.GetPositiveSpan()) == 0 || len(h.GetBucket()) == 0 || h.GetSchema() > 3 {
					t.Errorf("%s isn't native and classic at once: %v", name, h)
				}
			}
			if at.Sub(before).Abs() > time.Minute {
				t.Errorf("%s starts at %s, want the origin, about %s", name, at, before)
			}
		}
	}
	x.stop()

	near := newTenant(t, sim.Settings{PSTN: world(t, bustling(64, sim.PSTNMix(), 300, time.Second))})
	x = near.start(settings{Sources: []source{{History: "1h"}}, Metrics: ", native_histograms: false"}).ready()
	eventually(t, "count calls", func() error {
		if x.scrape().sum("cdr_calls_total") == 0 {
			return errors.New("none yet")
		}
		return nil
	})
	m = readProtobuf(t, x.protobuf())
	for _, s := range m.series("cdr_call_duration_seconds") {
		if h := s.GetHistogram(); len(h.GetPositiveSpan()) != 0 || len(h.GetBucket()) == 0 {
			t.Errorf("a histogram isn't classic alone: %v", h)
		}
	}
	for _, s := range m.series("cdr_calls_total") {
		if at := s.GetCounter().GetCreatedTimestamp(); at != nil && at.AsTime().Before(time.Now().Add(-30*time.Minute)) {
			t.Errorf("a series of a short history starts at %s", at.AsTime())
		}
	}
	x.stop()
}

// protobuf scrapes as Prometheus does.
func (x *exporter) protobuf() []byte {
	x.t.Helper()
	header := http.Header{"Accept": {"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"}}
	a, err := x.client.do(http.MethodGet, "/metrics", header)
	if err != nil || a.status != http.StatusOK {
		x.t.Fatalf("scrape: status %d, %v", a.status, err)
	}
	return a.body
}

// TestEndpoints (contract 5): what there is, and nothing else.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	n := small(t, 65)
	x := n.start(settings{}).ready()
	for path, want := range map[string]int{
		"/": http.StatusOK, "/metrics": http.StatusOK, "/-/healthy": http.StatusOK, "/-/ready": http.StatusOK,
		"/api/v1/status": http.StatusOK, "/-/reload": http.StatusMethodNotAllowed,
		"/nothing": http.StatusNotFound, "/debug/pprof/": http.StatusNotFound,
	} {
		a, err := x.client.do(http.MethodGet, path, nil)
		if err != nil || a.status != want {
			t.Errorf("%s answers %d, %v; want %d", path, a.status, err, want)
		}
	}
	s := x.status()
	if len(s.Sources) != 1 || s.Sources[0].Provider != "msgraph" || s.OTLP.State != "off" || s.Version == "" {
		t.Errorf("the status is %+v", s)
	}
	f := x.feed("contoso", pstn)
	if f.State != "ok" || f.LastError != "" || f.Watermark == nil || f.LastSuccess == nil {
		t.Errorf("the feed's status is %+v", f)
	}
	x.stop()
}
