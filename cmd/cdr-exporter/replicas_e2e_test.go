//go:build e2e

package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/pgtest"
)

// TestE2EReplicas (guarantee 2): to a real Prometheus that scrapes three replicas as
// docs/prometheus.md says, a feed's move to another replica is nothing: no series is reset or
// doubled, and what `increase` says over the move is what there was. After a clean stop there is
// hardly a gap, after kill -9 one of a lease.
func TestE2EReplicas(t *testing.T) {
	t.Parallel()
	e := newEstate(t, estateSettings{seed: 231, calls: 600, era: unfoldingEra})
	e.hold()
	f := newFleet(e.site, pgtest.Start(t, "fsync = off"), nil)
	f.config = e.configure(settings{Storage: fleetStorage, ZeroFor: (fromDeath + 3*time.Second).String()})
	f.feeds = 8
	first := f.start(1)[0]
	f.audit()
	e.counted(f.running, f.scrape)
	others := f.start(2)

	var targets []string
	for _, r := range f.live {
		targets = append(targets, r.addresses()[0])
	}
	p := startPrometheusWith(t, free(t), fmt.Sprintf(`
    always_scrape_classic_histograms: true
    static_configs: [{targets: %s}]
%s`, asJSON(t, targets), advisedRelabelling(t)), "--enable-feature=promql-extended-range-selectors")
	for _, place := range e.places() {
		for _, feed := range place.feeds() {
			eventually(t, "scrape "+place.source()+"/"+feed, func() error {
				if len(p.query(fmt.Sprintf(`cdr_calls_total{source=%q,feed=%q}`, place.source(), feed))) == 0 {
					return fmt.Errorf("nothing is there")
				}
				return nil
			})
		}
	}

	from := time.Now()
	e.pass(12 * time.Hour)
	f.moved("clean stop", func() { f.stop(first) }, others...)
	e.counted(f.running, f.scrape)
	if gap := p.gap(from); gap > atOnce+scrapes {
		t.Errorf("a clean stop leaves a gap of %s", gap)
	}
	from = time.Now()
	e.pass(12 * time.Hour)
	f.moved("kill -9", func() { f.kill(others[0]) }, others[1])
	e.counted(f.running, f.scrape)
	if gap := p.gap(from); gap > fromDeath+scrapes {
		t.Errorf("kill -9 leaves a gap of %s", gap)
	}

	for _, place := range e.places() {
		for _, feed := range place.feeds() {
			want := place.tables(feed, e.at(place)...)
			want.subtract(place.tables(feed, e.at(place)[0]))
			eventually(t, "have the increase of "+place.source()+"/"+feed, func() error {
				f.running()
				return asError(diff(p.increase(place.source(), feed), want))
			})
		}
	}
	for expression, want := range map[string]float64{
		`max(count without (instance) (cdr_calls_total))`:                          1,
		`count(count by (instance) ({__name__=~"cdr_.+", provider!=""}))`:          1,
		`count(count by (instance) (last_over_time(cdr_exporter_feed_owned[1h])))`: 3,
	} {
		if found := p.query(expression); len(found) != 1 || found[0].value != want {
			t.Errorf("%s is %v, want %g", expression, found, want)
		}
	}
	p.acceptsAll()
	f.watch.stop()
	f.unfenced()
	f.stop(others[1])
}

// advisedRelabelling is what docs/prometheus.md says for replicas.
func advisedRelabelling(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "prometheus.md"))
	if err != nil {
		t.Fatal(err)
	}
	const key = "    metric_relabel_configs:\n"
	_, block, found := strings.Cut(string(text), key)
	if block, _, _ = strings.Cut(block, "```"); !found {
		t.Fatal("docs/prometheus.md has no metric_relabel_configs")
	}
	return key + block
}

// scrapes is how much longer a gap seems by when it is looked at.
const scrapes = 2 * time.Second

func asJSON(t testing.TB, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// subtract takes away what was there before.
func (all tables) subtract(before tables) {
	for metric, values := range before {
		for labels, v := range values {
			if all[metric][labels] -= v; all[metric][labels] == 0 {
				delete(all[metric], labels)
			}
		}
	}
}

// increase is by how much the compared metrics of a feed have risen in the last hour, without those
// that haven't. None may have been reset.
func (p *prometheus) increase(source, feed string) tables {
	p.t.Helper()
	labelled := fmt.Sprintf(`source=%q,feed=%q`, source, feed)
	if found := p.compared(`(resets(%s[1h]) > 0)`, labelled); len(found) > 0 {
		p.t.Errorf("counters were reset: %v", found)
	}
	return p.compared(`(increase(%s[1h] anchored) > 0)`, labelled)
}

// gap is the longest time between two samples of a series that counts calls, the later of which is after from.
func (p *prometheus) gap(from time.Time) (longest time.Duration) {
	p.t.Helper()
	body, err := p.get("/api/v1/query?query=" + url.QueryEscape("cdr_calls_total[10m]"))
	if err != nil {
		p.t.Fatal(err)
	}
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]any }
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		p.t.Fatal(err)
	}
	for _, series := range answer.Data.Result {
		before := 0.0
		for _, v := range series.Values {
			at, _ := v[0].(float64)
			if before > 0 && at > float64(from.UnixMilli())/1e3 {
				longest = max(longest, time.Duration((at-before)*float64(time.Second)))
			}
			before = at
		}
	}
	p.t.Logf("the longest gap in a series is %s", longest)
	return longest
}

// acceptsAll expects that no sample was turned down.
func (p *prometheus) acceptsAll() {
	p.t.Helper()
	body, err := p.get("/metrics")
	if err != nil {
		p.t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	own, err := parser.TextToMetricFamilies(bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, why := range []string{"duplicate_timestamp", "out_of_order", "out_of_bounds"} {
		name := "prometheus_target_scrapes_sample_" + why + "_total"
		if err := families(own).is(0, name); err != nil {
			p.t.Error(err)
		}
	}
}
