//go:build e2e

package dashboards

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// promFile is a test as promtool reads it.
type promFile struct {
	Interval string     `yaml:"evaluation_interval"`
	Tests    []promTest `yaml:"tests"`
}

type promTest struct {
	Name     string       `yaml:"name"`
	Interval string       `yaml:"interval"`
	Input    []promSeries `yaml:"input_series"`
	Exprs    []promExpr   `yaml:"promql_expr_test"`
}

type promSeries struct {
	Series string `yaml:"series"`
	Values string `yaml:"values"`
}

type promExpr struct {
	Expr    string       `yaml:"expr"`
	Time    string       `yaml:"eval_time"`
	Samples []promSample `yaml:"exp_samples"`
}

type promSample struct {
	Labels string  `yaml:"labels"`
	Value  float64 `yaml:"value"`
}

// ingestions are the ways in which a Prometheus keeps our histograms.
var ingestions = map[string]struct{ native, classic bool }{
	"native only":  {native: true},
	"classic only": {classic: true},
	"both":         {native: true, classic: true},
}

// TestE2EQueries: promtool takes every query of every dashboard, and each finds data
// where all metrics of the catalogue are, whichever way histograms are ingested.
func TestE2EQueries(t *testing.T) {
	exprs := promExprs(t)
	for name, kind := range ingestions {
		t.Run(name, func(t *testing.T) {
			file := promFile{Tests: []promTest{{
				Name: name, Interval: "15s", Input: everySeries(kind.native, kind.classic), Exprs: exprs,
			}}}
			if output, err := promtool(t, file); err != nil {
				t.Errorf("%v\n%s", err, output)
			}
		})
	}
}

type labels = map[string]string

// of are the labels of a feed's series, with more of them.
func of(more labels) labels {
	all := labels{"job": "cdr", "instance": "a:9887", "source": "s", "provider": "p", "feed": "call_log"}
	maps.Copy(all, more)
	return all
}

// series is a counter that grows by a step.
func series(d *metrics.Def, step string, more labels) promSeries {
	return promSeries{seriesName(d.Name, of(more)), "0+" + step + "x80"}
}

// TestE2EValues: what is put together of several parts is right where a part is missing.
func TestE2EValues(t *testing.T) {
	b := cost(rules.Default())
	// Twenty steps lie in five minutes.
	input := []promSeries{
		series(metrics.CallCharges, "10", labels{"currency": "EUR"}),
		series(metrics.ChargeCorrections, "2", labels{"currency": "EUR", "sign": "debit"}),
		series(metrics.ChargeCorrections, "1", labels{"currency": "EUR", "sign": "credit"}),
		series(metrics.CallCharges, "4", labels{"currency": "GBP"}),
		series(metrics.ChargeCorrections, "3", labels{"currency": "USD", "sign": "credit"}),
		series(metrics.Calls, "4", labels{"trunk": "a", "outcome": "answered"}),
		series(metrics.Calls, "4", labels{"trunk": "a", "outcome": "machine"}),
		series(metrics.Calls, "1", labels{"trunk": "a", "outcome": "failed"}),
		series(metrics.Calls, "1", labels{"trunk": "a", "outcome": "invalid_number"}),
		series(metrics.Calls, "5", labels{"trunk": "a", "outcome": "unknown"}),
		series(metrics.Calls, "1", labels{"trunk": "b", "outcome": "answered"}),
		series(metrics.Calls, "1", labels{"trunk": "c", "outcome": "failed"}),
		series(metrics.ConnectedSeconds, "800", labels{"trunk": "a"}),
		// A feed without reasons.
		series(metrics.Calls, "3", labels{"trunk": "operator", "feed": "pstn", "outcome": "answered"}),
		series(metrics.Calls, "1", labels{"trunk": "operator", "feed": "pstn", "outcome": "not_connected"}),
		// One call, 75 seconds before it is looked.
		{seriesName(metrics.EmergencyCalls.Name, of(nil)), "7x35 8x44"},
		{seriesName(metrics.ReloadSuccessful.Name, labels{"job": "cdr", "instance": "a:9887"}), "1x80"},
	}
	trunk := func(name string, value float64) promSample { return promSample{fmt.Sprintf("{trunk=%q}", name), value} }
	kept := by("trunk")
	for _, tc := range []struct {
		name string
		ask  query
		want []promSample
	}{
		{"net", b.net(b.total, by("currency")), []promSample{
			{`{currency="EUR"}`, 220},
			{`{currency="GBP"}`, 80},
			{`{currency="USD"}`, -60},
		}},
		{"ASR", asr(b.total, kept), []promSample{
			trunk("a", 8.0/15), trunk("b", 1), trunk("c", 0), trunk("operator", 0.75),
		}},
		{"reached a person", reachedPerson(b.total, kept), []promSample{
			trunk("a", 0.4), trunk("b", 1), trunk("c", 0), trunk("operator", 0.75),
		}},
		{"NER", ner(b.total, kept), []promSample{trunk("a", 0.8), trunk("b", 1), trunk("c", 0)}},
		{"faults", faults(b.total, kept), []promSample{trunk("a", 0.1), trunk("b", 0), trunk("c", 1)}},
		{"error budget left", rounded(b.budgetLeft(kept)), []promSample{
			trunk("a", -9), trunk("b", 1), trunk("c", -99),
		}},
		{"ACD", acd(b.total, kept), []promSample{trunk("a", 100)}},
		{"a course of NER", ner(b.flow, kept), []promSample{trunk("a", 0.8), trunk("b", 1), trunk("c", 0)}},
		{"a rare event", rounded(b.flow(metrics.EmergencyCalls, nil)), []promSample{{"{}", 1}}},
		{"nothing yet", b.orNone(b.total(metrics.OutcomeChanges, nil)), []promSample{{"{}", 0}}},
		{"something", b.orNone(b.total(metrics.CallCharges, nil, is("currency", "GBP"))), []promSample{{"{}", 80}}},
	} {
		evaluate(t, tc.name, tc.ask, input, "10m", tc.want)
	}
}

// TestE2EPerMinute: of four feeds, one charges, one lists calls with 0 until they are rated, one charges in two
// currencies, and one doesn't charge.
func TestE2EPerMinute(t *testing.T) {
	b := cost(rules.Default())
	input := []promSeries{
		series(metrics.CallCharges, "0.89", labels{"feed": "pstn", "country": "DE", "currency": "USD"}),
		series(metrics.ConnectedSeconds, "600", labels{"feed": "pstn", "country": "DE"}),
		series(metrics.CallCharges, "1", labels{"country": "DE", "currency": "USD"}),
		series(metrics.CallCharges, "1", labels{"country": "DE", "currency": "EUR"}),
		series(metrics.ConnectedSeconds, "600", labels{"country": "DE"}),
		series(metrics.ConnectedSeconds, "900", labels{"feed": "direct_routing", "country": "DE"}),
		series(metrics.ChargeCorrections, "5", labels{
			"feed": "calls", "country": "DE", "currency": "USD", "sign": "debit",
		}),
		series(metrics.ChargeCorrections, "1", labels{
			"feed": "calls", "country": "DE", "currency": "USD", "sign": "credit",
		}),
		series(metrics.ConnectedSeconds, "600", labels{"feed": "calls", "country": "DE"}),
	}
	want := []promSample{
		{`{source="s", feed="pstn", currency="USD", country="DE"}`, 0.089},
		{`{source="s", feed="calls", currency="USD", country="DE"}`, 0.4},
	}
	evaluate(t, "per minute", rounded(b.perMinute(b.net(b.total, by("source", "feed", "currency", "country")))), input,
		"10m", want)
}

// rounded takes off what floating point adds.
func rounded(q query) query {
	q.expr = fmt.Sprintf("round(%s, 0.000001)", q.expr)
	return q
}

// TestE2EVerdict: each state of a trunk, by its last attempts.
func TestE2EVerdict(t *testing.T) {
	const unknown = -1
	var input []promSeries
	var want []promSample
	for _, tc := range []struct {
		trunk, feed                 string
		attempts, faults, connected int // no faults: the feed has no reasons
		newest                      string
		state                       float64
	}{
		{"works", "call_log", 64, 3, 30, "172000", 0},
		{"has no faults", "call_log", 3, 0, 0, "172000", 0},
		{"fails more often than the budget allows", "call_log", 64, 4, 30, "172000", 1},
		{"fails at times", "call_log", 20, 3, 10, "172000", 1},
		{"failed twice", "call_log", 9, 2, 5, "172000", 0},
		{"fails mostly", "call_log", 10, 5, 5, "172000", 2},
		{"is down", "call_log", 64, 64, 0, "172000", 3},
		{"refuses all", "call_log", 20, 0, 0, "172000", 3},
		{"was down before it was given up", "call_log", 64, 64, 0, "1", 3},
		{"is silent", "call_log", 64, 3, 30, "86000", unknown},
		{"operator", "pstn", 64, unknown, 55, "172000", 0},
		{"operator that connects few", "pstn", 64, unknown, 10, "172000", unknown},
		{"operator that connects none", "pstn", 64, unknown, 0, "172000", 3},
	} {
		labels := of(labels{"feed": tc.feed, "trunk": tc.trunk, "direction": "outbound"})
		for d, value := range map[*metrics.Def]string{
			metrics.RecentAttempts: fmt.Sprint(tc.attempts), metrics.RecentFaults: fmt.Sprint(tc.faults),
			metrics.RecentConnected: fmt.Sprint(tc.connected), metrics.RecentNewest: tc.newest,
		} {
			if value != fmt.Sprint(unknown) {
				input = append(input, promSeries{seriesName(d.Name, labels), value + "x2880"})
			}
		}
		want = append(want, promSample{fmt.Sprintf("{source=\"s\", feed=%q, trunk=%q, direction=\"outbound\"}",
			tc.feed, tc.trunk), tc.state})
	}
	evaluate(t, "verdict", overview(rules.Default()).verdict(), input, "48h", want)
}

// evaluate asks promtool what a query finds in series that have a value each minute, or each quarter of one if that
// is soon.
func evaluate(t *testing.T, name string, q query, input []promSeries, at string, want []promSample) {
	t.Helper()
	expr, err := (&panelQuery{
		Expr:  rules.Default().Resolve(q.expr),
		Every: time.Duration(q.every) * time.Minute,
	}).filled(5 * time.Minute)
	require.NoError(t, err)
	interval := "15s"
	if strings.HasSuffix(at, "h") {
		interval = "1m"
	}
	file := promFile{Tests: []promTest{{Interval: interval, Input: input, Exprs: []promExpr{{expr, at, want}}}}}
	if output, err := promtool(t, file); err != nil {
		t.Errorf("%s: %v\n%s", name, err, output)
	}
}

// promExprs ask each query of the dashboards whether it finds numbers.
func promExprs(t *testing.T) []promExpr {
	t.Helper()
	var exprs []promExpr
	for _, target := range targets(t) {
		if target.Log {
			continue
		}
		expr, err := target.filled(5 * time.Minute)
		require.NoError(t, err)
		// The series are there for minutes.
		exprs = append(exprs, finds(strings.NewReplacer(" offset 1w", "", " offset -1h", "").Replace(expr)))
	}
	return exprs
}

// finds expects that an expression has a value that is a number.
func finds(expr string) promExpr {
	return promExpr{
		Expr: fmt.Sprintf("count((%s) == (%s)) > bool 0", expr, expr), Time: "10m",
		Samples: []promSample{{Labels: "{}", Value: 1}},
	}
}

// promtool runs a test.
func promtool(t *testing.T, file promFile) (string, error) {
	t.Helper()
	file.Interval = "15s"
	text, err := yaml.Marshal(file)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "test.yml")
	require.NoError(t, os.WriteFile(path, text, 0o600))
	tool := filepath.Join(os.Getenv("CDR_TOOLS_BIN"), "promtool")
	if _, err := os.Stat(tool); err != nil {
		t.Fatalf("CDR_TOOLS_BIN must hold promtool: %v", err)
	}
	output, err := exec.CommandContext(t.Context(), tool, "test", "rules", path).CombinedOutput()
	return string(output), err
}

// everySeries are series of every metric: one with the first value of each label, and
// for each further value of a label one that differs in that label alone.
func everySeries(native, classic bool) []promSeries {
	all := []promSeries{
		{`ALERTS{alertname="CDRTrunkDown",alertstate="firing",severity="critical",source="503"}`, "1x80"},
		{`ALERTS_FOR_STATE{alertname="CDRTrunkDown",severity="critical",source="503"}`, "1x80"},
	}
	for _, d := range append(slices.Concat(metrics.Catalogue(), metrics.SelfCatalogue()), processStart) {
		for _, labels := range labelSets(d) {
			all = append(all, seriesOf(d, labels, native, classic)...)
		}
	}
	return all
}

func seriesOf(d *metrics.Def, labels map[string]string, native, classic bool) []promSeries {
	if d.Kind != metrics.Histogram {
		values := "1x80"
		if d.Kind != metrics.Gauge {
			values = "0+1x80"
		}
		return []promSeries{{seriesName(d.Name, labels), values}}
	}
	var all []promSeries
	if native {
		const step = "{{schema:0 sum:3 count:2 buckets:[1 1]}}"
		all = append(all, promSeries{seriesName(d.Name, labels), step + "+" + step + "x80"})
	}
	if classic {
		for _, part := range []string{"_sum", "_count"} {
			all = append(all, promSeries{seriesName(d.Name+part, labels), "0+2x80"})
		}
		for _, le := range []string{"0.5", "2", "+Inf"} {
			bucket := maps.Clone(labels)
			bucket["le"] = le
			all = append(all, promSeries{seriesName(d.Name+"_bucket", bucket), "0+2x80"})
		}
	}
	return all
}

// labelValues are values of labels; others have one of no meaning.
func labelValues(label string) []string {
	switch label {
	case "outcome":
		names := []string{cdr.Answered.String()}
		for _, o := range cdr.Outcomes() {
			if o != cdr.Answered {
				names = append(names, o.String())
			}
		}
		return names
	case "direction":
		return []string{"outbound"}
	case "feed":
		return []string{"direct_routing", "call_records", "call_log"}
	case "result":
		return []string{"ok", "error", "setup_failed", "dropped", "invalid", "new", "answered", "abandoned"}
	case "sign":
		return []string{"debit", "credit"}
	case "verdict":
		return []string{"good", "poor", "unclassified"}
	case "late":
		return []string{"false", "true"}
	case "connected":
		return []string{"true", "false"}
	case "media":
		return []string{"audio", "video"}
	}
	return []string{"503"}
}

func labelSets(d *metrics.Def) []map[string]string {
	first := map[string]string{"job": "cdr", "instance": "a:9887"}
	for _, label := range d.LabelNames() {
		first[label] = labelValues(label)[0]
	}
	all := []map[string]string{first}
	for _, label := range d.LabelNames() {
		for _, value := range labelValues(label)[1:] {
			other := maps.Clone(first)
			other[label] = value
			all = append(all, other)
		}
	}
	return all
}

func seriesName(name string, labels map[string]string) string {
	var parts []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		parts = append(parts, fmt.Sprintf("%s=%q", label, labels[label]))
	}
	return name + "{" + strings.Join(parts, ",") + "}"
}
