package metrics

import (
	"fmt"
	"maps"
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

// totals are the lines of both metrics of reconciliation.
func totals(all map[string][2]int) []string {
	var lines []string
	for labels, n := range all {
		lines = append(lines, fmt.Sprintf("cdr_exporter_provider_records{%s} %d", labels, n[1]),
			fmt.Sprintf("cdr_exporter_reconciliation_difference{%s} %d", labels, n[0]-n[1]))
	}
	slices.Sort(lines)
	return lines
}

// TestReconciled: the days are shown by their names, whichever these are at the time of
// the scrape, and what is neither today nor yesterday isn't shown.
func TestReconciled(t *testing.T) {
	const day = 24 * time.Hour
	type read struct {
		source, feed string
		day          time.Time
		ours, theirs int
	}
	for _, test := range []struct {
		name  string
		reads []read
		later time.Duration // until it is shown
		want  map[string][2]int
	}{
		{"nothing was read", nil, 0, nil},
		{"today", []read{{"a", "call_log", midday, 5, 7}}, 0, map[string][2]int{"a call_log today": {5, 7}}},
		{"yesterday", []read{{"a", "call_log", midday.Add(-day), 9, 9}}, 0, map[string][2]int{"a call_log yesterday": {9, 9}}},
		{"more than the provider's", []read{{"a", "call_log", midday, 8, 7}}, 0, map[string][2]int{"a call_log today": {8, 7}}},
		{"an empty day", []read{{"a", "call_log", midday, 0, 0}}, 0, map[string][2]int{"a call_log today": {0, 0}}},
		{
			"the latest read counts",
			[]read{{"a", "call_log", midday, 5, 7}, {"a", "call_log", midday.Add(time.Hour), 7, 7}},
			0,
			map[string][2]int{"a call_log today": {7, 7}},
		},
		{
			"both days of two feeds",
			[]read{
				{"a", "call_log", midday, 1, 2},
				{"a", "call_log", midday.Add(-day), 3, 4},
				{"b", "call_log", midday, 5, 6},
				{"a", "other", midday, 7, 8},
			},
			0,
			map[string][2]int{"a call_log today": {1, 2}, "a call_log yesterday": {3, 4}, "b call_log today": {5, 6}, "a other today": {7, 8}},
		},
		{"the day before", []read{{"a", "call_log", midday.Add(-2 * day), 5, 7}}, 0, nil},
		{"a day that hasn't begun here", []read{{"a", "call_log", midday.Add(day), 5, 7}}, 0, nil},
		{
			"it begins",
			[]read{{"a", "call_log", midday.Add(day), 5, 7}},
			12 * time.Hour,
			map[string][2]int{"a call_log today": {5, 7}},
		},
		{
			"midnight",
			[]read{{"a", "call_log", midday, 5, 7}, {"a", "call_log", midday.Add(-day), 9, 9}},
			12 * time.Hour,
			map[string][2]int{"a call_log yesterday": {5, 7}},
		},
		{"a second midnight", []read{{"a", "call_log", midday, 5, 7}}, 36 * time.Hour, nil},
		{
			"a day by another zone",
			[]read{{"a", "call_log", midday.In(time.FixedZone("", 13*3600)), 5, 7}},
			0,
			map[string][2]int{"a call_log today": {5, 7}},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			now := midday
			own := NewSelfMetrics(func() time.Time { return now }, false)
			for _, r := range test.reads {
				own.Feed(r.source, r.feed).Reconciled(r.day, r.ours, r.theirs)
			}
			// A scrape in between changes nothing.
			own.Snapshot()
			now = now.Add(test.later)
			want := totals(test.want)
			if got := shownBy(own.Snapshot(), ProviderRecords, ReconciliationDifference); !slices.Equal(got, want) {
				t.Errorf("shown are %q, want %q", got, want)
			}
		})
	}
}

// A day that is over is forgotten, and so is the memory of it.
func TestReconciledDaysAreForgotten(t *testing.T) {
	now := midday
	own := NewSelfMetrics(func() time.Time { return now }, false)
	feed := own.Feed("a", "call_log")
	for range 10 {
		feed.Reconciled(now, 1, 1)
		now = now.Add(24 * time.Hour)
		own.Snapshot()
	}
	if days := own.series[ProviderRecords]; len(days) != 1 {
		t.Errorf("%d days are kept, want yesterday: %v", len(days), slices.Collect(maps.Keys(days)))
	}
}

// What is no longer configured isn't shown again by the next scrape.
func TestForgetForgetsTotals(t *testing.T) {
	for _, test := range []struct {
		name   string
		forget []string
		want   map[string][2]int
	}{
		{"a feed", []string{"a", "call_log"}, map[string][2]int{"a other today": {1, 2}, "b call_log today": {1, 2}}},
		{"a source", []string{"a"}, map[string][2]int{"b call_log today": {1, 2}}},
		{"another", []string{"c"}, map[string][2]int{"a call_log today": {1, 2}, "a other today": {1, 2}, "b call_log today": {1, 2}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			own := NewSelfMetrics(func() time.Time { return midday }, false)
			for _, feed := range [][2]string{{"a", "call_log"}, {"a", "other"}, {"b", "call_log"}} {
				own.Feed(feed[0], feed[1]).Reconciled(midday, 1, 2)
			}
			own.Snapshot()
			own.Forget(test.forget...)
			if got, want := shownBy(own.Snapshot(), ProviderRecords, ReconciliationDifference), totals(test.want); !slices.Equal(got, want) {
				t.Errorf("shown are %q, want %q", got, want)
			}
		})
	}
}

// TestReplace: a gauge has the given rows and no others, and rows that are alike add up.
func TestReplace(t *testing.T) {
	own := NewSelfMetrics(func() time.Time { return midday }, false)
	row := func(direction string, n float64) Row {
		return Row{Labels: []string{"a", "ringcentral", "active_calls", direction}, Value: n}
	}
	if got := shownBy(own.Snapshot(), ActiveCalls); got != nil {
		t.Errorf("before the first snapshot of a feed: %q", got)
	}
	for _, test := range []struct {
		name string
		rows []Row
		want []string
	}{
		{
			"the first",
			[]Row{row("inbound", 2), row("outbound", 0)},
			[]string{
				"cdr_active_calls{a ringcentral active_calls inbound} 2", "cdr_active_calls{a ringcentral active_calls outbound} 0",
			},
		},
		{"another", []Row{row("outbound", 3)}, []string{"cdr_active_calls{a ringcentral active_calls outbound} 3"}},
		{"the same again", []Row{row("outbound", 3)}, []string{"cdr_active_calls{a ringcentral active_calls outbound} 3"}},
		{"one in two rows", []Row{row("inbound", 1), row("inbound", 4)}, []string{"cdr_active_calls{a ringcentral active_calls inbound} 5"}},
		{"none", nil, nil},
	} {
		own.Replace(ActiveCalls, test.rows)
		if got := shownBy(own.Snapshot(), ActiveCalls); !slices.Equal(got, test.want) {
			t.Errorf("%s: shown are %q, want %q", test.name, got, test.want)
		}
	}
}
