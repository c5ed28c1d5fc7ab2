package metrics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// midday is the clock of these tests at their begin.
var midday = time.Date(2026, time.March, 29, 12, 0, 0, 0, time.UTC)

// shownBy is what a snapshot has of some metrics, as `metric{values} value`, sorted.
func shownBy(s Snapshot, defs ...*Def) []string {
	var all []string
	for _, f := range s.Families {
		if !slices.Contains(defs, f.Def) {
			continue
		}
		for _, p := range f.Points {
			all = append(all, fmt.Sprintf("%s{%s} %v", f.Def.Name, strings.Join(p.Labels.Values, " "), p.Value))
		}
	}
	slices.Sort(all)
	return all
}

// TestReplace: a gauge has the given rows and no others, and rows that are alike add up.
func TestReplace(t *testing.T) {
	own := NewSelfMetrics(func() time.Time { return midday }, false)
	row := func(direction string, n float64) Sample {
		return Sample{Labels: []string{"a", "ringcentral", "active_calls", direction}, Value: n}
	}
	if got := shownBy(own.Snapshot(), ActiveCalls); got != nil {
		t.Errorf("before the first snapshot of a feed: %q", got)
	}
	for _, test := range []struct {
		name string
		rows []Sample
		want []string
	}{
		{
			"the first",
			[]Sample{row("inbound", 2), row("outbound", 0)},
			[]string{
				"cdr_active_calls{a ringcentral active_calls inbound} 2",
				"cdr_active_calls{a ringcentral active_calls outbound} 0",
			},
		},
		{"another", []Sample{row("outbound", 3)}, []string{"cdr_active_calls{a ringcentral active_calls outbound} 3"}},
		{
			"the same again",
			[]Sample{row("outbound", 3)},
			[]string{"cdr_active_calls{a ringcentral active_calls outbound} 3"},
		},
		{
			"one in two rows",
			[]Sample{row("inbound", 1), row("inbound", 4)},
			[]string{"cdr_active_calls{a ringcentral active_calls inbound} 5"},
		},
		{"none", nil, nil},
	} {
		own.Replace(ActiveCalls, test.rows)
		if got := shownBy(own.Snapshot(), ActiveCalls); !slices.Equal(got, test.want) {
			t.Errorf("%s: shown are %q, want %q", test.name, got, test.want)
		}
	}
}
