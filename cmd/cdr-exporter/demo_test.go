package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/app/demo"
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

// demoVault hides what is secret or personal in the demo.
func demoVault(t *testing.T) *vault {
	v := newVault(t)
	for _, m := range []*simulator.Mix{
		sim.PSTNMix(), sim.DirectRoutingMix(), sim.CallRecordsMix(), rcsim.Mix(), wavixsim.PlacedMix(),
		wavixsim.ReceivedMix(),
	} {
		v.hidePeople(m)
	}
	v.hide("the demo's secret", "simulated-client-secret")
	v.hide("the demo's key", "simulated-api-key")
	return v
}

// startDemo starts the demo and waits until everything is to see, which on a machine that
// does nothing else is within 10 s (contract 1).
func startDemo(t *testing.T, v *vault, args ...string) *exporter {
	t.Helper()
	x := start(t, v, launch{shipped: true, args: append([]string{"demo", "--web.listen-address=127.0.0.1:0"},
		args...)}).serving()
	eventually(t, "show everything", func() error {
		x.running()
		if _, err := x.client.get("/-/ready"); err != nil {
			return err
		}
		return x.showsDemo()
	})
	return x
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

// TestDemo (contract 1): everything is to see soon, calls arrive while one watches, and
// Ctrl-C ends it. It runs alone, since it is about time.
func TestDemo(t *testing.T) {
	x := startDemo(t, demoVault(t))
	page, err := x.client.do(http.MethodGet, "/", nil)
	if err != nil || page.status != http.StatusOK || !strings.HasPrefix(page.header.Get("Content-Type"), "text/html") {
		t.Errorf("the status page: status %d, %v", page.status, err)
	}
	for _, f := range demoFeeds {
		if !strings.Contains(string(page.body), f.source) || !strings.Contains(string(page.body), f.feed) {
			t.Errorf("the status page lacks %s/%s", f.source, f.feed)
		}
	}
	if !strings.Contains(x.out.String(), "http://"+x.addresses()[0]+"/") {
		t.Errorf("the demo doesn't say where to look:\n%s", x.out)
	}
	health(t, x.vault, 0, "", x.addresses()[0])
	if strange := linesWith(x.log.String(), "level=WARN"); len(strange) > 0 {
		t.Errorf("the demo begins with warnings:\n%s", strings.Join(strange, "\n"))
	}
	if !strings.Contains(string(page.body), "This is a demo") {
		t.Error("the page doesn't say that it is a demo's")
	}
	x.tries()
	eventually(t, "see a trunk fail", func() error {
		if s := x.status(); s.Verdict.Level == "ok" || !strings.Contains(fmt.Sprint(s.Verdict.Findings), demo.Trunk) {
			return fmt.Errorf("the verdict is %+v", s.Verdict)
		}
		return nil
	})
	before := x.scrape()
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
	eventually(t, "be told of calls", func() error {
		if x.scrape().sum("cdr_notifications_total", "source=contoso", "result=accepted") == 0 {
			return errors.New("no notification has come")
		}
		return nil
	})
	for _, source := range []string{"contoso", "acme", "wave"} {
		if n := x.scrape().sum("cdr_exporter_api_requests_total", "source="+source, "code=429"); n != 0 {
			t.Errorf("%s was throttled %g times", source, n)
		}
	}
	x.signal(syscall.SIGINT)
	x.exited(0)
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
		if words[0] != shipped {
			x.t.Errorf("%s is not %s", words[0], shipped)
		}
		c := start(x.t, x.vault, launch{shipped: true, args: words[1:]})
		c.exited(0)
		if !regexp.MustCompile(want).MatchString(c.out.String()) {
			x.t.Errorf("%s prints:\n%s", commands[i], c.out)
		}
	}
}

// TestDemoKeepsItsLedger (contract 1): with --storage.path a second run goes on where the
// first one ended.
func TestDemoKeepsItsLedger(t *testing.T) {
	v := demoVault(t)
	folder := filepath.Join(t.TempDir(), "demo")
	x := startDemo(t, v, "--storage.path="+folder)
	before := x.scrape()
	if said := x.out.String(); !strings.Contains(said, "The trunk "+demo.Trunk+" fails from ") {
		t.Errorf("no trunk of a new ledger fails: %s", said)
	}
	x.stop()
	x = start(t, v, launch{args: []string{"demo", "--web.listen-address=127.0.0.1:0", "--storage.path=" + folder}}).
		ready()
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
	v.searchFolder(folder)
	v.searchOutbox(folder)
}

// TestDemoCounts: what the demo counts is what its providers have had since its origin.
func TestDemoCounts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	hook := free(t)
	p, err := demo.Start(demo.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	config, err := p.Configure(folder, folder+"/ledger", hook)
	if err != nil {
		t.Fatal(err)
	}
	graph, office, carrier := p.Tenant.Pause(), p.Office.Pause(), p.Carrier.Pause()
	v := demoVault(t)
	x := start(t, v, launch{config: config, shipped: true, args: []string{"--webhook.listen-address=" + hook}}).ready()
	totals := map[[2]string]func(from time.Time) tables{
		{"contoso", pstn}:          func(from time.Time) tables { return since(p.PSTN, from, graph) },
		{"contoso", directRouting}: func(from time.Time) tables { return since(p.DirectRouting, from, graph) },
		{"acme", callLog}:          func(from time.Time) tables { return since(p.Log, from, office) },
		{"wave", callLog}: func(from time.Time) tables {
			t := p.Carrier.Totals(simulator.View{From: from, At: []time.Time{carrier}})
			return expected(&t)
		},
	}
	for _, f := range demoFeeds {
		from := x.origin(f.source, f.feed)
		if f.source == "pbx" {
			x.countsRows(filepath.Join(folder, "Master.csv"), from)
			continue
		}
		total, whole := totals[[2]string{f.source, f.feed}]
		if !whole { // quality counts while one looks; sessions are there
			x.countsSessions(f.source, f.feed, p.Records.Totals(simulator.View{From: from, At: []time.Time{graph}}))
			continue
		}
		want := total(from)
		eventually(t, "count "+f.source+"/"+f.feed+" since "+from.String(), func() error {
			return asError(diff(x.scrape().tables(f.source, f.feed), want))
		})
	}
	// Wavix only has days: what is listed from before the origin isn't even handed on.
	if n := x.scrape().sum("cdr_exporter_rows_total", "source=wave", "feed="+callLog, "result=too_old"); n != 0 {
		t.Errorf("%v rows of wave are too old", n)
	}
	x.stop()
	v.searchFolder(folder + "/ledger")
}

// countsRows waits until the rows of the demo's PBX that start from a time on are counted; it writes on meanwhile.
func (x *exporter) countsRows(file string, from time.Time) {
	x.t.Helper()
	eventually(x.t, "count the rows of "+file, func() error {
		got := x.scrape().sum("cdr_calls_total", "source=pbx")
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		want := 0
		for row := range strings.Lines(string(text)) {
			if start := strings.Split(row, `","`)[9]; start[:19] >= from.UTC().Format(time.DateTime) {
				want++
			}
		}
		if want == 0 || got != float64(want) {
			return fmt.Errorf("%g are counted, want %d", got, want)
		}
		return nil
	})
}

// countsSessions waits until the sessions of a feed match the totals.
func (x *exporter) countsSessions(source, feed string, totals sim.CallTotals) {
	x.t.Helper()
	sessions := []string{"cdr_sessions_total", "cdr_session_failures_total"}
	only := func(all tables) tables {
		return maps.Collect(func(yield func(string, table) bool) {
			for _, metric := range sessions {
				if t := all[metric]; t != nil && !yield(metric, t) {
					return
				}
			}
		})
	}
	want := only(expected(&totals.Totals))
	eventually(x.t, "count the sessions of "+source+"/"+feed, func() error {
		return asError(diff(only(x.scrape().tables(source, feed)), want))
	})
}

// since are the tables of a world's calls that started at a time or later.
func since(w *simulator.World, from, at time.Time) tables {
	t := w.Totals(simulator.View{From: from, At: []time.Time{at}})
	return expected(&t)
}

// origin is the time since which a feed's calls are counted: the creation time of its counters.
func (x *exporter) origin(source, feed string) time.Time {
	x.t.Helper()
	a, err := x.client.do(http.MethodGet, "/metrics", http.Header{"Accept": {
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
	}})
	if err != nil {
		x.t.Fatal(err)
	}
	found := readProtobuf(x.t.(*testing.T), a.body).series("cdr_calls_total", "source="+source, "feed="+feed)
	if len(found) == 0 || found[0].GetCounter().GetCreatedTimestamp() == nil {
		x.t.Fatalf("%s/%s doesn't say since when it counts", source, feed)
	}
	return found[0].GetCounter().GetCreatedTimestamp().AsTime()
}

// readProtobuf reads what Prometheus scrapes.
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
