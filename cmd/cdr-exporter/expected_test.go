package main_test

import (
	"fmt"
	"maps"
	"math"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// table is a metric's values in millionths, by label values joined with a bar.
type table map[string]int64

// tables are metrics by name. Of histograms there are NAME_count and NAME_sum.
type tables map[string]table

// compared are the metrics that totals tell, with the labels that are compared:
// the others are summed over.
var compared = map[string][]string{
	"cdr_calls_total":                   {"direction", "call_type", "outcome", "trunk"},
	"cdr_call_failures_total":           {"direction", "trunk", "outcome", "sip_code", "sub_code"},
	"cdr_call_duration_seconds":         {"direction", "call_type", "trunk"},
	"cdr_call_connected_seconds_total":  {"direction", "call_type", "trunk", "country"},
	"cdr_call_setup_seconds":            {"direction", "trunk"},
	"cdr_call_charges_total":            {"direction", "call_type", "currency", "component", "country"},
	"cdr_call_charge_corrections_total": {"direction", "call_type", "currency", "component", "country", "sign"},
	"cdr_call_outcome_changes_total":    {"from", "to"},
	"cdr_media_bypass_calls_total":      {"trunk", "media_bypass"},
	"cdr_calls_by_location_total":       {"media_location", "signaling_location"},
	"cdr_emergency_calls_total":         {"outcome", "test"},
	"cdr_call_legs_total":               {"leg_type", "outcome"},
	"cdr_trunk_connected_seconds_total": {"trunk", "direction"},
	"cdr_recordings_total":              {"type"},
	"cdr_sessions_total":                {"result", "media"},
	"cdr_session_failures_total":        {"stage", "reason"},
	"cdr_media_streams_total":           {"media", "media_direction", "network", "platform", "verdict"},
	"cdr_media_jitter_seconds":          {"media", "media_direction", "network"},
	"cdr_media_round_trip_seconds":      {"media", "media_direction", "network"},
	"cdr_media_packet_loss_ratio":       {"media", "media_direction", "network"},
	"cdr_media_concealed_ratio":         {"media", "media_direction", "network"},
	"cdr_ratings_total":                 {"rating"},
	"cdr_queue_calls_total":             {"queue", "result"},
	"cdr_queue_wait_seconds":            {"queue", "result"},
}

// expected are the tables of a feed's totals.
func expected(t *simulator.Totals) tables {
	all := make(tables)
	for metric, values := range t.Metrics {
		all[metric] = maps.Clone(values)
	}
	return all
}

func (all tables) add(metric string, value int64, labels ...any) {
	if all[metric] == nil {
		all[metric] = make(table)
	}
	texts := make([]string, len(labels))
	for i, l := range labels {
		texts[i] = fmt.Sprint(l)
	}
	all[metric][strings.Join(texts, "|")] += value
}

// millionths is a value as tables hold it: all that is compared are whole numbers
// of them, so rounding takes away the error of floats alone.
func millionths(v float64) int64 { return int64(math.Round(v * 1e6)) }

// diff lists the differences of two tables, in a limited number of lines; it is empty if they are
// equal.
func diff(got, want tables) string {
	var lines []string
	for metric := range union(got, want) {
		for labels := range union(got[metric], want[metric]) {
			g, hasGot := got[metric][labels]
			w, hasWant := want[metric][labels]
			if g == w && hasGot == hasWant {
				continue
			}
			lines = append(lines, fmt.Sprintf("%s{%s} is %s, want %s", metric, labels, shown(g, hasGot),
				shown(w, hasWant)))
		}
	}
	return summary(lines)
}

func shown(v int64, there bool) string {
	if !there {
		return "absent"
	}
	return fmt.Sprintf("%g", float64(v)/1e6)
}

// union holds the keys of both maps.
func union[V any](a, b map[string]V) map[string]bool {
	keys := make(map[string]bool, len(a))
	for k := range a {
		keys[k] = true
	}
	for k := range b {
		keys[k] = true
	}
	return keys
}

// view is what a reader sees who looks at everything at each of these instants.
func view(w *simulator.World, at ...time.Time) *simulator.Totals {
	t := w.Totals(simulator.View{At: at})
	return &t
}

// eachCall calls f with every valid call that is published at an instant, and the
// version that is visible then.
func eachCall(w *simulator.World, at time.Time, f func(*simulator.Call, *simulator.Version)) {
	w.Each(time.Time{}, at.Add(time.Millisecond), func(c *simulator.Call) bool {
		if v := c.At(at); v >= 0 && c.Flaw == simulator.NoFlaw {
			f(c, &c.Versions()[v])
		}
		return true
	})
}

// changes is how many revisions a reader meets who looks at these instants: versions
// that change an outcome or an amount, or bring an amount that isn't zero. Names and
// recordings that come late are none (counting.md 14, 16), nor is what wasn't final.
func changes(w *simulator.World, at ...time.Time) int {
	n := 0
	w.Each(time.Time{}, at[len(at)-1].Add(time.Millisecond), func(c *simulator.Call) bool {
		before := -1
		for _, t := range at {
			v := c.At(t)
			if v < 0 || c.Flaw != simulator.NoFlaw || c.Versions()[v].State != simulator.Final {
				continue
			}
			if before >= 0 && v != before && changed(&c.Versions()[before], &c.Versions()[v]) {
				n++
			}
			before = v
		}
		return true
	})
	return n
}

func changed(before, after *simulator.Version) bool {
	if before.Kind.Outcome != after.Kind.Outcome {
		return true
	}
	for _, p := range [][2]simulator.Price{{before.Usage, after.Usage}, {before.Connection, after.Connection}} {
		switch was, is := p[0], p[1]; {
		case !was.Known && is.Known && is.Amount != 0:
			return true
		case was.Known && (was.Amount != is.Amount || before.Currency != after.Currency):
			return true
		}
	}
	return false
}
