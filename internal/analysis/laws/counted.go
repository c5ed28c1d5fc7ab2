package laws

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// played is what a script came to.
type played struct {
	result  map[string]float64 // what was counted, by the text of a series without `late`
	active  map[string]int     // calls in progress, by direction
	commits int
	trouble string   // what the feed says of itself; empty: all is well
	wrong   []string // requests that no provider would understand, and posts that the exporter refused
}

// counted shows everything that a ledger has, and reads it.
func counted(l *ledger.Ledger) (map[string]float64, error) {
	if err := l.Show(context.Background()); err != nil {
		return nil, err
	}
	out := make(map[string]float64)
	for _, family := range l.Store().Snapshot().Families {
		if family.Def.Kind == metrics.Gauge {
			continue
		}
		for i := range family.Points {
			point := &family.Points[i]
			var labels []string
			for j, name := range family.Def.LabelNames() {
				if name != "late" && name != "source" && name != "provider" && name != "feed" {
					labels = append(labels, name+"="+point.Labels.Values[j])
				}
			}
			key := family.Def.Name + "{" + strings.Join(labels, ",") + "}"
			if h := point.Hist; h != nil {
				out[key+" count"] += float64(h.Count)
				out[key+" sum"] += family.Def.InUnit(h.Sum)
			} else {
				out[key] += point.Value
			}
		}
	}
	return out, nil
}

// calls are the calls and visits that were counted.
func (out *played) calls() (calls, visits float64) {
	return out.sum("cdr_calls_total"), out.sum("cdr_queue_calls_total")
}

// sum adds up the series of a metric.
func (out *played) sum(metric string) (sum float64) {
	for key, value := range out.result {
		if strings.HasPrefix(key, metric+"{") {
			sum += value
		}
	}
	return sum
}

// different says how a script came to something else than another one; empty: it didn't.
func (out *played) different(want map[string]float64) string {
	all := slices.Clone(out.wrong[:min(1, len(out.wrong))])
	keys := maps.Clone(want)
	maps.Copy(keys, out.result)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if got, wanted := out.result[key], want[key]; math.Abs(got-wanted) > 1e-6 {
			all = append(all, fmt.Sprintf("%s is %v, want %v", key, got, wanted))
		}
	}
	if len(all) > 0 && out.trouble != "" {
		all = append(all[:1:1], "the feed says: "+out.trouble)
	}
	return strings.Join(all[:min(2, len(all))], "; ")
}

// miscounts says how other calls and visits were counted than there are; empty: they weren't.
func (out *played) miscounts(calls, visits float64) string {
	if len(out.wrong) > 0 {
		return out.wrong[0]
	}
	got, queued := out.calls()
	if got == calls && queued == visits {
		return ""
	}
	text := fmt.Sprintf("%v calls and %v visits were counted, want %v and %v", got, queued, calls, visits)
	if out.trouble != "" {
		text += "; " + out.trouble
	}
	return text
}

// sameCalls wants as many calls and visits as the plain script.
func (b *bench) sameCalls(out *played) string { return out.miscounts(b.plain.calls()) }

// callOf names the call of a record among others: by its group, or by the topmost record that it leads to by `parent`.
// If one record of a group has a parent, so have the others. The name is empty if the record names no other.
func callOf(r *cdr.Record, among []*cdr.Record) (name string) {
	const longest = 32 // records may name each other in a circle
	for depth := 0; r != nil && depth < longest; depth++ {
		parent := r.Parent
		if r.CallKey != "" {
			name = "group " + r.CallKey
			for _, other := range among {
				if parent == "" && other.CallKey == r.CallKey {
					parent = other.Parent
				}
			}
		}
		if parent == "" {
			return name
		}
		name, r = "row "+parent, nil
		for _, other := range among {
			if other.ID == parent {
				r = other
			}
		}
	}
	return name
}

// callsOf counts the calls and visits of records, which may name others.
func callsOf(records, among []*cdr.Record) (calls, visits float64) {
	known := make(map[string]bool)
	for i, r := range records {
		call := cmp.Or(callOf(r, among), "row "+cmp.Or(r.ID, fmt.Sprint("number ", i)))
		if visits += float64(len(r.Visits)); !r.NoCall && !known[call] {
			known[call] = true
			calls++
		}
	}
	return calls, visits
}

// nameOf tells a record of a database from the others.
func nameOf(r *cdr.Record) string {
	return cmp.Or(r.ID, fmt.Sprint(r.Start, r.CallerNumber, r.CalleeNumber))
}

// calls names the calls of a row. A record that names no other is a call by itself.
func (b *bench) calls(r *row) (names []string) {
	for _, record := range r.records {
		names = append(names, cmp.Or(callOf(record, b.records), "row "+cmp.Or(r.key, nameOf(record))))
	}
	return names
}

// together says whether two rows are of the same call.
func (b *bench) together(r, other *row) bool {
	calls := b.calls(r)
	return slices.ContainsFunc(b.calls(other), func(call string) bool { return slices.Contains(calls, call) })
}

// standsAlone says whether no other row is of the same call.
func (b *bench) standsAlone(r *row) bool {
	return !slices.ContainsFunc(b.base, func(other *row) bool { return other != r && b.together(r, other) })
}
