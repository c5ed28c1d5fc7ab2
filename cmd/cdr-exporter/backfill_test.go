package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// pastSeries is one series of a backfill.
type pastSeries struct {
	name   string
	labels map[string]string
	point  string // what a histogram's series have in common
	times  []float64
	values []float64
}

// at is the value that a series has at a time; 0 before its first sample.
func (s *pastSeries) at(time float64) float64 {
	i, found := slices.BinarySearch(s.times, time)
	if !found {
		i--
	}
	if i < 0 {
		return 0
	}
	return s.values[i]
}

// pastOf reads a backfill and checks what promtool and its readers rely on. Families and series are
// in one piece each. Samples are ordered by time and never fall, from a zero at the beginning to
// the end of the range. The text has its end mark.
func pastOf(t *testing.T, text []byte, from, to time.Time) []*pastSeries {
	t.Helper()
	body, whole := bytes.CutSuffix(text, []byte("# EOF\n"))
	if !whole {
		t.Fatalf("there is no # EOF at the end: %s", text[max(0, len(text)-200):])
	}
	families, lines := make(map[string]bool), make(map[string]*pastSeries)
	var all []*pastSeries
	family, point := "", ""
	for line := range strings.Lines(string(body)) {
		fields := strings.Fields(line)
		if fields[0] == "#" {
			if family != fields[2] && families[fields[2]] {
				t.Fatalf("family %s comes twice", fields[2])
			}
			family = fields[2]
			families[family] = true
			continue
		}
		head, rest, _ := strings.Cut(line, "} ")
		known := lines[head]
		if known == nil {
			known = seriesOf(t, head)
			if !strings.HasPrefix(known.name, family) {
				t.Fatalf("%s isn't of family %s", known.name, family)
			}
			lines[head] = known
			all = append(all, known)
		}
		if len(known.times) > 0 && known.point != point {
			t.Fatalf("samples of %s aren't in one piece", head)
		}
		point = known.point
		known.sample(t, rest)
	}
	for _, s := range all {
		last := len(s.times) - 1
		if s.times[0] != seconds(from) || s.values[0] != 0 || s.times[last] != seconds(to) {
			t.Errorf("%s%v begins with %g at %f and ends at %f", s.name, s.labels, s.values[0], s.times[0],
				s.times[last])
		}
		if !slices.IsSorted(s.values) || !slices.IsSorted(s.times) ||
			len(slices.Compact(slices.Clone(s.times))) != len(s.times) {
			t.Errorf("%s%v falls, or isn't in the order of time", s.name, s.labels)
		}
	}
	return all
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// seriesOf reads a series' name and labels. Label values with commas or quotes don't occur.
func seriesOf(t *testing.T, head string) *pastSeries {
	t.Helper()
	name, pairs, ok := strings.Cut(head, "{")
	if !ok {
		t.Fatalf("no series: %s", head)
	}
	point, _, _ := strings.Cut(head, ",le=")
	s := &pastSeries{
		name: name, labels: make(map[string]string),
		point: strings.NewReplacer("_bucket{", "{", "_count{", "{", "_sum{", "{", "}", "").Replace(point),
	}
	for pair := range strings.SplitSeq(pairs, ",") {
		label, value, _ := strings.Cut(pair, "=")
		s.labels[label] = strings.Trim(value, `"`)
	}
	return s
}

// sample reads what follows the labels: a value and a time.
func (s *pastSeries) sample(t *testing.T, rest string) {
	t.Helper()
	value, at, ok := strings.Cut(strings.TrimSuffix(rest, "\n"), " ")
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || !ok {
		t.Fatalf("no sample: %s: %v", rest, err)
	}
	time, err := strconv.ParseFloat(at, 64)
	if err != nil {
		t.Fatalf("no time: %s: %v", rest, err)
	}
	s.values, s.times = append(s.values, v), append(s.times, time)
}

// pastTables are the compared metrics of a feed, as they are in the end.
func pastTables(all []*pastSeries, source, feed string) tables {
	sums := make(tables)
	for _, s := range all {
		metric := strings.TrimSuffix(strings.TrimSuffix(s.name, "_count"), "_sum")
		names := harness.Compared[metric]
		if names == nil || s.labels["source"] != source || s.labels["feed"] != feed {
			continue
		}
		values := make([]any, len(names))
		for i, name := range names {
			values[i] = s.labels[name]
		}
		sums.Add(s.name, harness.Millionths(s.values[len(s.values)-1]), values...)
	}
	return sums
}

// backfill runs the command over some days that end now, and reads what it wrote.
func (s *site) backfill(t *testing.T, config string, from, to time.Time, args ...string) []*pastSeries {
	t.Helper()
	file := s.path("past.om")
	x := start(t, s.vault, launch{args: append([]string{
		"backfill", "--config.file=" + config, "--from=" + from.Format(time.RFC3339), "--to=" + to.Format(time.RFC3339),
		"--output=" + file,
	}, args...)})
	x.exited(0)
	if said := x.log.String(); strings.Contains(said, "\r") || strings.Contains(said, "%") {
		t.Errorf("there is a progress bar on a pipe: %s", said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.vault.search("the history", text)
	return pastOf(t, text, from, to)
}

// lastDays is a range of days that ends in whole seconds in the past.
func lastDays(days int) (from, to time.Time) {
	to = time.Now().UTC().Truncate(time.Second)
	return to.AddDate(0, 0, -days), to
}

// TestCommandsOfEveryProvider: the history of every provider sums up to what there was, each call at
// its start, and nothing but the output is written; so do the reports. While an exporter runs, what
// each provider lists is what was counted, its amounts too, and the records that explain lists add up
// to the values of /metrics. Some rows come twice, some can't be read.
func TestCommandsOfEveryProvider(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 21, calls: 100, era: pastEra,
		worlds: func(s *simulator.Settings) { s.Malformed, s.Duplicated = 0.02, 0.1 },
		graph:  sim.Settings{PageSize: 100}, ringcentral: rcsim.Settings{Gzip: true},
	})
	e.hold()
	from, to := lastDays(3)
	config := e.configure(settings{})
	all := e.backfill(t, config, from, to, "--label=job=cdr-history", "--label=instance=acme")
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			if wrong := diff(pastTables(all, p.source(), feed), p.tables(feed, e.at(p)...)); wrong != "" {
				t.Errorf("%s/%s: %s", p.source(), feed, wrong)
			}
		}
	}
	e.incidents(t, config, from, to)
	e.reports(t, config, from, to, all)
	for _, s := range all {
		if s.labels["job"] != "cdr-history" || s.labels["instance"] != "acme" || s.labels["late"] == "true" {
			t.Fatalf("the labels of %s are %v", s.name, s.labels)
		}
	}
	for feed, w := range e.tenant.worlds {
		e.tenant.datesOf(t, feed, w, all, to)
	}
	if _, err := os.Stat(e.ledger()); err == nil {
		t.Error("a backfill made a ledger")
	}
	if left, err := filepath.Glob(e.path(".past*")); err != nil || len(left) != 0 {
		t.Errorf("%v is left: %v", left, err)
	}

	x := e.start(settings{}).ready()
	sum, days, said := e.audited(0, "--from=76h")
	if sum.Counted == 0 || sum.Counted != sum.Listed || sum.Vanished != 0 || len(sum.differences) != 0 {
		t.Errorf("%+v\n%s", sum, said)
	}
	audited := map[string]int{}
	for _, d := range days {
		audited[d.Source+"/"+d.Feed] += d.Counted
	}
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			if audited[p.source()+"/"+feed] == 0 {
				t.Errorf("nothing of %s/%s was audited", p.source(), feed)
			}
		}
	}
	e.explains(x.scrape())
	x.stop()
	if sum, _, said := e.audited(0, "--from=76h"); sum.Missing != 0 || sum.Counted == 0 {
		t.Errorf("after the end of the exporter: %+v\n%s", sum, said)
	}
}

// datesOf expects each call to be seen at the end of the minute in which it began.
func (n *tenant) datesOf(t *testing.T, feed string, w *simulator.World, all []*pastSeries, to time.Time) {
	t.Helper()
	var starts []time.Time
	eachCall(w, n.Visible(), func(c *simulator.Call, _ *simulator.Version) { starts = append(starts, c.Start) })
	for at := to.Add(-71 * time.Hour).Truncate(time.Minute); at.Before(to); at = at.Add(97 * time.Minute) {
		want, got := 0.0, 0.0
		for _, start := range starts {
			if start.Before(at) {
				want++
			}
		}
		for _, s := range all {
			if s.name == "cdr_calls_total" && s.labels["feed"] == feed && s.labels["source"] == n.source() {
				got += s.at(seconds(at))
			}
		}
		if got != want {
			t.Fatalf("%g calls of %s began before %s, want %g", got, feed, at, want)
		}
	}
}

// TestCommandsOfCallRecords: what a list only names is fetched once, and its sessions, streams and
// ratings are in the history. A report leaves call_records out if the logs have its calls (property
// Overlaps of feeds), unless --feed names it.
func TestCommandsOfCallRecords(t *testing.T) {
	t.Parallel()
	b := newSwitchboard(t, switchboardSettings{
		seed: 133, calls: 50, routed: 50, from: 60 * time.Hour, to: 10 * time.Hour, settle: 90 * time.Minute,
	})
	from, to := lastDays(3)
	config := b.configureSources(settings{}, b.itemOf(source{PSTN: "-", CallRecords: b.polled(time.Minute)}))
	all := b.backfill(t, config, from, to)
	if wrong := diff(pastTables(all, "contoso", callRecords), b.totals().Metrics); wrong != "" {
		t.Error(wrong)
	}
	if fetched, there := answers(b.Requests(), sim.EndpointCallRecord), b.totals().Records; fetched != there {
		t.Errorf("%d records were fetched, there are %d", fetched, there)
	}
	routed, recorded := b.tables(directRouting, b.seen...), b.totals().Metrics
	for arg, want := range map[string]string{
		"--source=contoso":    fmt.Sprintf("direct_routing %d", routed.Sum("cdr_calls_total")/1e6),
		"--feed=call_records": fmt.Sprintf("call_records %d", recorded.Sum("cdr_calls_total")/1e6),
	} {
		var got []string
		for _, r := range jsonSums(t, b.report(t, config, from, to, "json", "--by=feed", arg).out.Bytes(), "feed") {
			got = append(got, fmt.Sprintf("%s %d", r.keys["feed"], r.calls))
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %s, want %s", arg, got, want)
		}
	}
}

// TestBackfillUpToLive: without --to the history ends where live counting began, so
// each call is in exactly one of both. The command reads the ledger while the daemon runs and
// doesn't change it.
func TestBackfillUpToLive(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{PSTN: world(t, past(131, sim.PSTNMix(), 500))})
	now := n.Pause()
	set := settings{Sources: []source{{History: "58h"}}}
	file := n.configure(set)
	refused := n.command(1, "backfill", "--config.file="+file, "--from=72h", "--output="+n.path("past.om"))
	if line := lineWith(refused.log.String(), "--to", "contoso/pstn"); line == "" {
		t.Errorf("without a ledger: %s", refused.log)
	}
	x := n.start(set).ready()
	live := x.scrape().tables("contoso", pstn)
	n.command(0, "backfill", "--config.file="+file, "--from=72h", "--output="+n.path("past.om"))
	text, err := os.ReadFile(n.path("past.om"))
	if err != nil {
		t.Fatal(err)
	}
	x.stop()
	after := n.command(0, "backfill", "--config.file="+file, "--source=contoso", "--from=72h", "--output=-")
	stopped := digests(t, n.ledger())
	n.command(0, "backfill", "--config.file="+file, "--from=72h", "--output=-")
	if again := digests(t, n.ledger()); !maps.Equal(stopped, again) {
		t.Errorf("a backfill changed the ledger's files: %v, before %v", again, stopped)
	}
	if !bytes.Contains(after.out.Bytes(), []byte("# EOF\n")) || !strings.Contains(after.log.String(), "calls from") {
		t.Error("the standard output has no history, or stderr no summary")
	}
	both := make(tables)
	for _, part := range []tables{live, pastTables(ended(t, text), "contoso", pstn)} {
		for metric, values := range part {
			for labels, v := range values {
				both.Add(metric, v, labels)
			}
		}
	}
	if len(live["cdr_calls_total"]) == 0 || fmt.Sprint(both["cdr_calls_total"]) == fmt.Sprint(live["cdr_calls_total"]) {
		t.Fatal("live or past is empty")
	}
	if wrong := diff(both, n.tables(pstn, now)); wrong != "" {
		t.Errorf("live and past together: %s", wrong)
	}
	overlaps := n.command(0, "backfill", "--config.file="+file, "--from=72h", "--to=50h", "--output="+n.path("past.om"))
	if lineWith(overlaps.log.String(), "contoso/pstn", "live counting began") == "" {
		t.Errorf("the overlap isn't reported: %s", overlaps.log)
	}
}

// ended is pastOf without knowing the range.
func ended(t *testing.T, text []byte) []*pastSeries {
	t.Helper()
	first, last := "", ""
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		if first == "" {
			first = line
		}
		last = line
	}
	timeOf := func(line string) float64 {
		head, rest, _ := strings.Cut(line, "} ")
		s := seriesOf(t, head)
		s.sample(t, rest)
		return s.times[0]
	}
	at := func(s float64) time.Time { return time.UnixMilli(int64(s*1000 + 0.5)) }
	return pastOf(t, text, at(timeOf(first)), at(timeOf(last)))
}

// TestBackfillInterrupted: an interrupted backfill leaves what was there before, and
// nothing else.
func TestBackfillInterrupted(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(simulator.FaultSettings{MaxRun: 1_000_000})
	faults.Rate(sim.EndpointPSTN, 1, simulator.Unavailable)
	n := newTenant(t, sim.Settings{PSTN: world(t, past(132, sim.PSTNMix(), 100)), Faults: faults})
	file := n.configure(settings{})
	n.write("past.om", "what was there before\n")
	x := start(t, n.vault, launch{args: []string{
		"backfill", "--config.file=" + file, "--from=72h", "--to=1h",
		"--output=" + n.path("past.om"),
	}})
	eventually(t, "begin to read", func() error {
		if len(faults.Counts(sim.EndpointPSTN)) == 0 {
			return asError("nothing was asked")
		}
		return nil
	})
	x.signal(syscall.SIGINT)
	x.exited(1)
	if !strings.Contains(x.log.String(), "interrupted: no history was written") {
		t.Errorf("it said %s", x.log)
	}
	text, err := os.ReadFile(n.path("past.om"))
	if err != nil || string(text) != "what was there before\n" {
		t.Errorf("the output is %q, %v", text, err)
	}
	if left, err := filepath.Glob(n.path(".past*")); err != nil || len(left) != 0 {
		t.Errorf("%v is left: %v", left, err)
	}
}
