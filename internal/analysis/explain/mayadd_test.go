package explain_test

import (
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/explain"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

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
