package laws

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

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
