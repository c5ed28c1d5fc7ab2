package explain_test

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"no matcher", `cdr_calls_total`, ""},
		{"empty braces", `cdr_calls_total{}`, ""},
		{"all operators", `cdr_calls_total{direction="a",outcome!="b",trunk=~"c.*",call_type!~'a|b'}`, ""},
		{"the name as a label", `{__name__="cdr_calls_total",late="true"}`, ""},
		{"a label of the operator's", `cdr_calls_total{department="Sales"}`, ""},
		{"parts of a histogram", `cdr_call_duration_seconds_bucket{le="5"}`, ""},
		{"a histogram", `cdr_call_duration_seconds`, "is a histogram: give cdr_call_duration_seconds_count"},
		{"a part of a counter", `cdr_calls_total_sum`, "no metric"},
		{"a gauge", `cdr_recent_attempts`, "is a gauge: it shows a state, and isn't a sum over records"},
		{"the exporter's own", metrics.SelfCatalogue()[0].Name, "isn't a sum over records"},
		{"an unknown metric", `cdr_call_total`, `no metric "cdr_call_total" comes from records`},
		{
			"an unknown label", `cdr_calls_total{reason="x"}`,
			`has no label "reason"; it has source, provider, feed, direction`,
		},
		{"a bound of a counter", `cdr_calls_total{le="5"}`, `has no label "le"`},
		{"a function", `sum(cdr_calls_total)`, "give a metric with matchers of labels"},
		{"a range", `cdr_calls_total{}[5m]`, "give a metric with matchers of labels"},
		{"an expression that isn't one", `cdr_calls_total{trunk=~"("}`, "missing closing )"},
		{"no metric", `{late="true"}`, `no metric ""`},
		{"metrics by an expression", `{__name__=~"cdr_calls.*"}`, `no metric ""`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := explain.Parse(c.text, []string{"department"})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestHas(t *testing.T) {
	s, err := explain.Parse(`cdr_calls_total{source=~"a|b",feed!="pstn"}`, nil)
	require.NoError(t, err)
	for _, c := range []struct {
		values string
		want   bool
	}{{"a", true}, {"aa", false}, {"b msgraph", true}, {"b msgraph pstn", false}, {"b msgraph direct_routing", true}} {
		if got := s.Has(strings.Fields(c.values)...); got != c.want {
			t.Errorf("%s: %t", c.values, got)
		}
	}
}

// A feed needs to be read only if the ledger has a series of it that is selected, with the labels with which its
// records were counted, or doesn't know the feed.
func TestMayAdd(t *testing.T) {
	b := newBench(t, counting.Rules{})
	on := func(trunk string) func(*cdr.Record) { return func(r *cdr.Record) { r.Trunk = trunk } }
	b.count(cdrtest.Call("a", on("first")))
	b.count(cdrtest.Call("a", on("second"))) // its call stays on the first trunk
	i, err := b.where.Inspect(t.Context())
	require.NoError(t, err)
	defer i.Close() //nolint:errcheck // read
	other := b.spec
	other.Feed = "other"
	for _, c := range []struct {
		selector   string
		has, other bool
	}{
		{"cdr_calls_total", true, true},
		{`cdr_calls_total{source="s",trunk="first",outcome=~"ans.*"}`, true, true},
		{`cdr_calls_total{trunk="second"}`, false, true},
		{`cdr_calls_total{trunk!="first"}`, false, true},
		{`cdr_call_duration_seconds_bucket{trunk="first",le="60"}`, true, true},
		{"cdr_call_failures_total", false, true},
	} {
		s, err := explain.Parse(c.selector, nil)
		require.NoError(t, err)
		if has := (&explain.Feed{Selector: s, Spec: b.spec}).MayAdd(i); has != c.has {
			t.Errorf("%s: %t, want %t", c.selector, has, c.has)
		}
		if has := (&explain.Feed{Selector: s, Spec: other}).MayAdd(i); has != c.other {
			t.Errorf("%s of a feed that the ledger doesn't know: %t", c.selector, has)
		}
	}
}
