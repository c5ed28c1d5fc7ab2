package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/tools/harness"
)

// pastOf are the compared metrics of a history by SOURCE/FEED, as they are in the end. Label values with
// commas or quotes don't occur. TestE2EBackfill gives a history to promtool.
func pastOf(t *testing.T, text []byte) map[string]tables {
	t.Helper()
	body, whole := bytes.CutSuffix(text, []byte("# EOF\n"))
	if !whole {
		t.Fatalf("there is no # EOF at the end: %s", text[max(0, len(text)-200):])
	}
	last := make(map[string]string) // by series
	for line := range strings.Lines(string(body)) {
		if series, sample, ok := strings.Cut(line, "} "); ok {
			last[series], _, _ = strings.Cut(sample, " ")
		}
	}
	all := make(map[string]tables)
	for series, text := range last {
		name, pairs, _ := strings.Cut(series, "{")
		names := harness.Compared[strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_sum")]
		if names == nil {
			continue
		}
		labels := make(map[string]string)
		for pair := range strings.SplitSeq(pairs, ",") {
			label, value, _ := strings.Cut(pair, "=")
			labels[label] = strings.Trim(value, `"`)
		}
		var values []any
		for _, name := range names {
			values = append(values, labels[name])
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatalf("%s: %v", series, err)
		}
		feed := labels["source"] + "/" + labels["feed"]
		if all[feed] == nil {
			all[feed] = make(tables)
		}
		all[feed].Add(name, harness.Millionths(value), values...)
	}
	return all
}

// backfill runs the command over a range and reads what it wrote.
func (s *site) backfill(t *testing.T, config string, from, to time.Time, args ...string) map[string]tables {
	t.Helper()
	file := s.path("past.om")
	x := s.over(config, from, to, append([]string{"backfill", "--output=" + file}, args...)...)
	if said := x.log.String(); strings.Contains(said, "\r") || strings.Contains(said, "%") {
		t.Errorf("there is a progress bar on a pipe: %s", said)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	s.vault.search("the history", text)
	return pastOf(t, text)
}

// over runs a command over a range.
func (s *site) over(config string, from, to time.Time, command ...string) *exporter {
	s.t.Helper()
	x := start(s.t, s.vault, launch{args: append(command, "--config.file="+config, "--from="+from.Format(time.RFC3339),
		"--to="+to.Format(time.RFC3339))})
	x.exited(0)
	return x
}

// report is how many calls the command counts over a range, by a key.
func (s *site) report(config string, from, to time.Time, key string, args ...string) map[string]int64 {
	s.t.Helper()
	x := s.over(config, from, to, append([]string{"report", "--output=json", "--by=" + key}, args...)...)
	var rows []map[string]any
	if err := json.Unmarshal(x.out.Bytes(), &rows); err != nil {
		s.t.Fatalf("%v: %s", err, x.out)
	}
	calls := make(map[string]int64)
	for _, row := range rows {
		of, _ := row[key].(string)
		n, _ := row["calls"].(float64)
		calls[of] = int64(n)
	}
	return calls
}

// lastDays is a range of days that ends in whole seconds in the past.
func lastDays(days int) (from, to time.Time) {
	to = time.Now().UTC().Truncate(time.Second)
	return to.AddDate(0, 0, -days), to
}

// TestCommandsOfEveryProvider: the history of every provider sums up to what there was, and nothing but
// the output is written; so does the report. While an exporter runs, what each provider lists is what was
// counted, its amounts too, and the records that explain lists add up to the values of /metrics. Some
// rows come twice, some can't be read.
func TestCommandsOfEveryProvider(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{
		seed: 21, calls: 100, era: pastEra,
		worlds: func(s *simulator.Settings) { s.Malformed, s.Duplicated = 0.02, 0.1 },
		graph:  sim.Settings{PageSize: 100},
	})
	e.hold()
	from, to := lastDays(3)
	config := e.configure(settings{})
	past, reported, calls := e.backfill(t, config, from, to), e.report(config, from, to, "source"), map[string]int64{}
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			want := p.tables(feed, e.at(p)...)
			if err := diff(past[p.source()+"/"+feed], want); err != nil {
				t.Errorf("%s/%s: %v", p.source(), feed, err)
			}
			calls[p.source()] += want.Sum("cdr_calls_total") / 1e6
		}
	}
	if !maps.Equal(reported, calls) {
		t.Errorf("the report has %v, want %v", reported, calls)
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
	past := b.backfill(t, config, from, to)
	if err := diff(past["contoso/"+callRecords], b.totals().Metrics); err != nil {
		t.Error(err)
	}
	if fetched, there := answers(b.Requests(), sim.EndpointCallRecord), b.totals().Records; fetched != there {
		t.Errorf("%d records were fetched, there are %d", fetched, there)
	}
	routed, recorded := b.tables(directRouting, b.seen...), b.totals().Metrics
	for arg, want := range map[string]map[string]int64{
		"--source=contoso":    {directRouting: routed.Sum("cdr_calls_total") / 1e6},
		"--feed=call_records": {callRecords: recorded.Sum("cdr_calls_total") / 1e6},
	} {
		if got := b.report(config, from, to, "feed", arg); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", arg, got, want)
		}
	}
}

// TestBackfillUpToLive: without --to the history ends where live counting began, so
// each call is in exactly one of both. The command reads the ledger while the daemon runs and
// doesn't change it.
func TestBackfillUpToLive(t *testing.T) {
	t.Parallel()
	n := newTenant(t, sim.Settings{PSTN: simulator.NewWorld(past(131, sim.PSTNMix(), 500))})
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
	require.NoError(t, err)
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
	for _, part := range []tables{live, pastOf(t, text)["contoso/"+pstn]} {
		for metric, values := range part {
			for labels, v := range values {
				both.Add(metric, v, labels)
			}
		}
	}
	if len(live["cdr_calls_total"]) == 0 || fmt.Sprint(both["cdr_calls_total"]) == fmt.Sprint(live["cdr_calls_total"]) {
		t.Fatal("live or past is empty")
	}
	if err := diff(both, n.tables(pstn, now)); err != nil {
		t.Errorf("live and past together: %v", err)
	}
	overlaps := n.command(0, "backfill", "--config.file="+file, "--from=72h", "--to=50h", "--output="+n.path("past.om"))
	if lineWith(overlaps.log.String(), "contoso/pstn", "live counting began") == "" {
		t.Errorf("the overlap isn't reported: %s", overlaps.log)
	}
}
