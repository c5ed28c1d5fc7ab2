//go:build e2e

package main_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/tools/stack/parts"
)

// boardShown is the time that the dashboards show.
const boardShown = 5 * time.Minute

// question is a query of a panel, with its variables filled in.
type question struct {
	Dashboard, Panel, Unit string
	Expr, panel            string
}

// shippedBoard is what a dashboard's file says of its queries.
type shippedBoard struct {
	Title  string
	Panels []struct {
		Title, Interval string
		FieldConfig     struct{ Defaults struct{ Unit string } }
		Targets         []struct {
			Expr       string
			Datasource struct{ Type string }
		}
	}
	Templating struct {
		List []struct{ Name, AllValue string }
	}
}

// questions are the PromQL queries of all dashboards as they are shipped.
func questions(t *testing.T) (all []question) {
	t.Helper()
	files, err := filepath.Glob(shippedFile(t, "grafana", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var b shippedBoard
		if err := json.Unmarshal(content, &b); err != nil {
			t.Fatal(err)
		}
		for _, p := range b.Panels {
			for _, target := range p.Targets {
				if target.Datasource.Type == "prometheus" {
					expr := os.Expand(target.Expr, b.variable(t, p.Interval))
					// Tables leave out what didn't happen, and courses ratios of fewer than five.
					// The demo has few sessions and streams, so that one would wait minutes for
					// these: one of each is enough here. TestE2EQueries asks for all as it is. Nor
					// has it a week before: the same query without the offset is asked.
					expr = strings.NewReplacer(" >= 5)", " > 0)", " offset 1w", "").
						Replace(strings.TrimSuffix(expr, " > 0"))
					all = append(all, question{
						b.Title, p.Title, p.FieldConfig.Defaults.Unit, expr,
						b.Title + ", " + p.Title,
					})
				}
			}
		}
	}
	return all
}

// variable is what Grafana fills in for a variable when all is chosen, for a data source that scrapes every 15 seconds.
func (b *shippedBoard) variable(t *testing.T, least string) func(name string) string {
	const scrape = 15 * time.Second
	interval, _ := time.ParseDuration(least) // most panels have none
	interval = max(interval, scrape)
	values := map[string]string{
		"__interval_ms":   fmt.Sprint(interval.Milliseconds()),
		"__rate_interval": fmt.Sprintf("%gs", max(interval+scrape, 4*scrape).Seconds()),
		"__range":         fmt.Sprintf("%gs", boardShown.Seconds()),
		"__range_s":       fmt.Sprint(boardShown.Seconds()),
	}
	for _, v := range b.Templating.List {
		values[v.Name] = v.AllValue
	}
	return func(name string) string {
		value := values[name]
		if value == "" {
			t.Errorf("%s: the variable %s has no value", b.Title, name)
		}
		return value
	}
}

// TestE2EBoards: every PromQL query of every dashboard finds data on the
// demo, both in a real Prometheus with native histograms and start times, and in one without. Both
// accept the shipped rules. Then no two panels contradict each other. It scrapes only every few
// seconds, because scrapes are its main cost.
func TestE2EBoards(t *testing.T) {
	t.Parallel()
	x := start(t, demoVault(t), launch{args: []string{"demo", "--web.listen-address=127.0.0.1:0"}}).
		ready()
	rules := []string{}
	for _, name := range []string{"recording.yaml", "alerts.yaml"} {
		rules = append(rules, shippedFile(t, "prometheus", name))
	}
	// The panel of alerts wouldn't wait for the demo's, which need seven minutes of a live feed.
	firing := filepath.Join(t.TempDir(), "firing.yaml")
	if err := os.WriteFile(firing, []byte("groups: [{name: test, rules: [{alert: CDRTest, expr: vector(1), "+
		"labels: {severity: info}}]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	rules = append(rules, firing)
	target := map[string]string{"cdr-exporter": x.addresses()[0]}
	native := newWatching(t, parts.Prometheus{Targets: target, Every: 3 * time.Second, Rules: rules})
	classic := newWatching(t, parts.Prometheus{Targets: target, Every: 3 * time.Second, Classic: true, Rules: rules})
	asked := map[string]*watching{"native": native, "classic": classic}
	left := make(map[string][]question)
	for name := range asked {
		left[name] = questions(t)
	}
	if len(left["native"]) < 50 {
		t.Fatalf("the dashboards have %d queries", len(left["native"]))
	}
	begin := time.Now()
	// A query that has answered isn't asked again: some panels are about what comes and goes.
	within(t, 2*waitTimeout, "have data in every panel", func() error {
		x.running()
		var missing []string
		for name, p := range asked {
			left[name] = slices.DeleteFunc(left[name], func(q question) bool {
				if !p.answers(q.Expr) {
					return false
				}
				if waited := time.Since(begin); waited > time.Minute {
					t.Logf("%s (%s) has data after %s", q.panel, name, waited.Round(time.Second))
				}
				return true
			})
			for _, q := range left[name] {
				missing = append(missing, fmt.Sprintf("%s (%s): %s", q.panel, name, q.Expr))
			}
		}
		return asError(summary(missing))
	})
	if native.answers("cdr_that_is_not_there") || native.answers("cdr_calls_total > cdr_calls_total") {
		t.Error("nothing is taken for data")
	}
	if n := native.query("count(histogram_count(cdr_call_duration_seconds))"); len(n) != 1 {
		t.Error("no native histogram arrived")
	}
	if n := classic.query("count(histogram_count(cdr_call_duration_seconds))"); len(n) != 0 {
		t.Errorf("the Prometheus without native histograms has %v", n)
	}
	classic.healthy()
	for name, p := range asked {
		p.contradictions(name)
	}
	x.stop()
}

// contradictions expects that what panels show can be true together.
func (w *watching) contradictions(name string) {
	w.t.Helper()
	operators := make(map[string]bool)
	// On a busy machine a scrape of three seconds may just have failed.
	for _, s := range w.query(`count by (trunk) (last_over_time(cdr_calls_total{feed="pstn"}[1m]))`) {
		operators[s.labels["trunk"]] = true
	}
	found, most := make(map[string]int), 0.0
	for _, q := range questions(w.t) {
		title := strings.ToLower(q.Panel)
		// A budget may be overspent, so it may be negative.
		share := q.Unit == "percentunit" && !strings.HasSuffix(q.Dashboard, "Exporter") &&
			!strings.Contains(title, "budget")
		atOnce := strings.Contains(title, "concurrency") || strings.Contains(title, "at once")
		needsReasons := strings.Contains(title, "(ner)") || strings.Contains(title, "fault ratio")
		state := strings.HasPrefix(title, "state")
		if !share && !atOnce && !state {
			continue
		}
		for _, s := range w.query(q.Expr) {
			switch {
			case share && (s.value < 0 || s.value > 1):
				w.t.Errorf("%s (%s): a share of %g: %v", q.panel, name, s.value, s.labels)
			case atOnce:
				most = max(most, s.value)
			case needsReasons && operators[s.labels["trunk"]]:
				w.t.Errorf("%s (%s): says %g of an operator that gives no reasons: %v", q.panel, name, s.value,
					s.labels)
			case state && (s.value < -1 || s.value > 3):
				w.t.Errorf("%s (%s): unknown state %g: %v", q.panel, name, s.value, s.labels)
			}
			found[fmt.Sprint(share, atOnce, needsReasons, state)]++
		}
	}
	if len(found) < 4 || len(operators) == 0 {
		w.t.Errorf("%s: too little was compared: %v, operators %v", name, found, operators)
	}
	// Peaks go on moving: what was shown is at most the highest of what had been shown by then.
	for _, peak := range w.query("max(max_over_time(cdr_call_peak_concurrency[10m]))") {
		if most == 0 || most > peak.value {
			w.t.Errorf("%s: %g calls at once, and a peak of %g", name, most, peak.value)
		}
	}
	faults, attempts := w.query(`last_over_time(cdr_recent_faults{feed=~"pstn|call_records"}[1m])`),
		w.query(`last_over_time(cdr_recent_attempts{feed="pstn"}[1m])`)
	if len(faults) != 0 || len(attempts) == 0 {
		w.t.Errorf("%s: %d trunks of feeds that can't tell have faults; of %d operators' trunks", name, len(faults),
			len(attempts))
	}
}

// answers says whether an expression has a value that is a number.
func (w *watching) answers(expr string) bool {
	w.t.Helper()
	return slices.ContainsFunc(w.query(expr), func(s sample) bool { return !math.IsNaN(s.value) })
}
