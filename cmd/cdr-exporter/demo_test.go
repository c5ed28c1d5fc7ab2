package main_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// demoFeeds are the demo's feeds with records, and demoActive its sources that tell the
// calls in progress.
var (
	demoFeeds = []struct{ source, feed string }{
		{"contoso", pstn},
		{"contoso", directRouting},
		{"contoso", callRecords},
		{"acme", callLog},
		{"wave", callLog},
		{"pbx", "cdr"},
	}
	demoActive = []string{"acme", "wave"}
)

// demoSite hides what is secret or personal in the demo.
func demoSite(t *testing.T) *site {
	s := newSite(t)
	for _, m := range []*simulator.Mix{
		sim.PSTNMix(), sim.DirectRoutingMix(), sim.CallRecordsMix(), rcsim.Mix(), wavixsim.PlacedMix(),
		wavixsim.ReceivedMix(),
	} {
		s.vault.hidePeople(m)
	}
	s.vault.hide("the demo's secret", "simulated-client-secret")
	s.vault.hide("the demo's key", "simulated-api-key")
	return s
}

// showsDemo says what of the demo isn't to see.
func (x *exporter) showsDemo() error {
	m := x.scrape()
	for _, f := range demoFeeds {
		if s := x.feed(f.source, f.feed); s.State != "ok" || s.Records == 0 || s.LastError != "" {
			return fmt.Errorf("%s/%s: %+v", f.source, f.feed, s)
		}
		for _, metric := range []string{"cdr_calls_total", "cdr_call_connected_seconds_total"} {
			if m.sum(metric, "source="+f.source, "feed="+f.feed) == 0 {
				return fmt.Errorf("%s/%s has no %s", f.source, f.feed, metric)
			}
		}
	}
	for _, source := range demoActive {
		if m.sum("cdr_active_calls", "source="+source) == 0 {
			return errors.New("no call of " + source + " is in progress")
		}
		if m.sum("cdr_call_charges_total", "source="+source, "currency=USD") == 0 {
			return errors.New("no call of " + source + " costs money")
		}
	}
	for _, metric := range []string{"cdr_recordings_total", "cdr_call_legs_total"} {
		if m.sum(metric, "source=acme") == 0 {
			return errors.New("acme has no " + metric)
		}
	}
	if err := m.showsQuality(); err != nil {
		return err
	}
	return m.is(0, "cdr_exporter_reconciliation_difference", "source=wave", "day=today")
}

// showsQuality says what of the quality of calls isn't to see.
func (f families) showsQuality() error {
	for _, metric := range []string{
		"cdr_sessions_total", "cdr_session_failures_total", "cdr_media_streams_total",
		"cdr_ratings_total",
	} {
		if f.sum(metric, "source=contoso") == 0 {
			return errors.New("there is no " + metric)
		}
	}
	for _, metric := range []string{
		"cdr_media_jitter_seconds", "cdr_media_round_trip_seconds", "cdr_media_packet_loss_ratio",
		"cdr_media_concealed_ratio",
	} {
		if len(f.series(metric, "source=contoso")) == 0 {
			return errors.New("there is no " + metric)
		}
	}
	if f.sum("cdr_subscription_expiry_timestamp_seconds", "source=contoso") == 0 {
		return errors.New("the subscription is missing")
	}
	return nil
}

// TestDemo: everything is to see soon, calls arrive while one watches, and Ctrl-C ends it. The address
// that it prints can be opened, here with TLS. With --storage.path a second run goes on where the first
// one ended.
func TestDemo(t *testing.T) {
	t.Parallel()
	s := demoSite(t)
	config, authority := secured(t, s, "ada", "open~sesame")
	demoOf := launch{
		args: []string{
			"demo", "--web.listen-address=127.0.0.1:0", "--web.config.file=" + config, "--storage.path=" + s.ledger(),
		},
		client: client{
			tls: &tls.Config{RootCAs: authority.Pool(), MinVersion: tls.VersionTLS12}, user: "ada",
			password: "open~sesame",
		},
	}
	x := start(t, s.vault, demoOf).serving()
	eventually(t, "show everything", func() error {
		x.running()
		if _, err := x.client.get("/-/ready"); err != nil {
			return err
		}
		return x.showsDemo()
	})
	page, err := x.client.do(http.MethodGet, "/", nil)
	if err != nil || page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("the status page: status %d, %v", page.status, err)
	}
	for _, f := range demoFeeds {
		if !strings.Contains(string(page.body), f.source) || !strings.Contains(string(page.body), f.feed) {
			t.Errorf("the status page lacks %s/%s", f.source, f.feed)
		}
	}
	for _, want := range []string{
		"Open " + x.client.base + "/ (status) or " + x.client.base + "/metrics",
		"The trunk " + demo.Trunk + " fails from ",
	} {
		if !strings.Contains(x.out.String(), want) {
			t.Errorf("the demo doesn't say %q:\n%s", want, x.out)
		}
	}
	start(t, x.vault, launch{args: []string{"healthcheck", "--web.listen-address=" + x.addresses()[0]}}).exited(0)
	if strange := linesWith(x.log.String(), "level=WARN"); len(strange) > 0 {
		t.Errorf("the demo begins with warnings:\n%s", strings.Join(strange, "\n"))
	}
	if !strings.Contains(string(page.body), "This is a demo") {
		t.Error("the page doesn't say that it is a demo's")
	}
	before := x.scrape()
	x.tries()
	eventually(t, "see a trunk fail", func() error {
		if s := x.status(); s.Verdict.Level == "ok" || !strings.Contains(fmt.Sprint(s.Verdict.Findings), demo.Trunk) {
			return fmt.Errorf("the verdict is %+v", s.Verdict)
		}
		return nil
	})
	eventually(t, "see calls arrive everywhere", func() error {
		now := x.scrape()
		for _, f := range demoFeeds {
			if f.feed == callRecords {
				continue // they are few, and told of below
			}
			of := []string{"source=" + f.source, "feed=" + f.feed}
			if n := now.sum("cdr_calls_total", of...); n <= before.sum("cdr_calls_total", of...) {
				return fmt.Errorf("%s/%s has %g calls, as before", f.source, f.feed, n)
			}
		}
		return nil
	})
	x.showsSome("cdr_notifications_total", "source=contoso", "result=accepted")
	for _, source := range []string{"contoso", "acme", "wave"} {
		if n := x.scrape().sum("cdr_exporter_api_requests_total", "source="+source, "code=429"); n != 0 {
			t.Errorf("%s was throttled %g times", source, n)
		}
	}
	before = x.scrape()
	x.signal(syscall.SIGINT)
	x.exited(0)
	x = start(t, s.vault, demoOf).ready()
	after := x.scrape()
	for _, f := range demoFeeds {
		for _, metric := range []string{"cdr_calls_total", "cdr_exporter_watermark_timestamp_seconds"} {
			was, is := before.sum(metric, "source="+f.source, "feed="+f.feed),
				after.sum(metric, "source="+f.source, "feed="+f.feed)
			if is < was {
				t.Errorf("%s of %s/%s is %g after a restart, %g before", metric, f.source, f.feed, is, was)
			}
		}
	}
	x.stop()
}

// secured writes a web configuration file with TLS and one user.
func secured(t *testing.T, s *site, user, password string) (string, *simulator.Authority) {
	t.Helper()
	authority := certificate(t, s, "web")
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	s.vault.hide("the password of the metrics port", password)
	s.vault.hide("the hash of that password", string(hash))
	file := s.write("web.yaml", fmt.Sprintf("tls_server_config: {cert_file: web.pem, key_file: web.key}\n"+
		"basic_auth_users: {%s: %q}\n", user, hash))
	return file, authority
}

// lastDayOnly replaces the month of the report by its last day, which takes a second or two to
// read.
func lastDayOnly(t testing.TB, words []string) []string {
	t.Helper()
	value := func(flag string) (at int, day time.Time) {
		at = slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(word, flag+"=") })
		day, err := time.Parse(flag+"="+time.DateOnly, words[max(at, 0)])
		if err != nil || day.Day() != 1 {
			t.Fatalf("%q isn't of a month: %v", words, err)
		}
		return at, day
	}
	at, _ := value("--from")
	_, to := value("--to")
	words[at] = "--from=" + to.AddDate(0, 0, -1).Format(time.DateOnly)
	return words
}

// tries runs the commands that the demo suggests.
func (x *exporter) tries() {
	x.t.Helper()
	commands := linesWith(x.out.String(), "--config.file=")
	if len(commands) != 4 {
		x.t.Errorf("the demo suggests %q", commands)
	}
	for i, want := range []string{demo.Trunk, "outcome", "session", `Sales +\d{4}-\d\d +[1-9]`} {
		words := strings.Fields(commands[i])
		if words[1] == "report" {
			words = lastDayOnly(x.t, words)
		}
		if words[0] != binary() {
			x.t.Errorf("%s is not %s", words[0], binary())
		}
		c := start(x.t, x.vault, launch{args: words[1:]})
		c.exited(0)
		if !regexp.MustCompile(want).MatchString(c.out.String()) {
			x.t.Errorf("%s prints:\n%s", commands[i], c.out)
		}
	}
}
