package counting_test

import (
	"maps"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// An unknown value counts once for a record and a field, when the record is counted, and for an ignored row.
func TestUnknownValuesCountOnce(t *testing.T) {
	const field = "outcome"
	page := func(field string, all ...*cdr.Record) *counting.Page {
		p := &counting.Page{Records: all, ObservedAt: epoch}
		for _, r := range all {
			p.Unmapped = append(p.Unmapped, counting.Unmapped{Field: field, Value: "new", Record: r})
		}
		return p
	}
	ignored := &counting.Page{
		Ignored: []counting.BadRow{{Content: []byte("row")}}, ObservedAt: epoch,
		Unmapped: []counting.Unmapped{{Field: "type", Value: "new", Row: "row"}},
	}
	twice := &counting.Page{
		Ignored:    append(ignored.Ignored, ignored.Ignored...),
		Unmapped:   append(ignored.Unmapped, ignored.Unmapped...),
		ObservedAt: epoch,
	}
	type pages = []*counting.Page
	type counts = map[string]int
	plain, legs, arrival := counting.Rules{}, counting.Rules{Legs: true}, counting.Rules{ByArrival: true}
	busy := call("a", outcome(cdr.Busy))
	for _, c := range []struct {
		name  string
		rules counting.Rules
		pages pages
		want  counts
	}{
		{"a record", plain, pages{page(field, call("a"))}, counts{field: 1}},
		{
			"a record that is read again", plain,
			pages{page(field, call("a"), call("a")), page(field, call("a"))},
			counts{field: 1},
		},
		{"one that is revised", plain, pages{page(field, call("a")), page(field, busy)}, counts{field: 1}},
		{
			"a value that a later version has", plain,
			pages{{Records: []*cdr.Record{call("a")}, ObservedAt: epoch}, page(field, busy)},
			counts{field: 1},
		},
		{
			"two fields and two records", plain,
			pages{page(field, call("a"), call("b")), page("trunk", call("a"))},
			counts{field: 2, "trunk": 1},
		},
		{
			"a leg", legs,
			pages{page(field, call("a", inGroup("k"))), page(field, call("a", inGroup("k")))},
			counts{field: 1},
		},
		{"by arrival", arrival, pages{page(field, call("a")), page(field, call("a"))}, counts{field: 1}},
		{"too old", plain, pages{page(field, call("a", start(epoch.Add(-100*time.Hour))))}, counts{}},
		{"an ignored row", plain, pages{ignored, ignored}, counts{"type": 1}},
		{"an ignored row twice on a page", plain, pages{twice}, counts{"type": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, got := newRig(t, c.rules), counts{}
			for _, p := range c.pages {
				for field, n := range r.commit(p).Unmapped {
					got[field] += n
				}
				r.restart()
			}
			if !maps.Equal(got, c.want) {
				t.Errorf("counted %v, want %v", got, c.want)
			}
		})
	}
}
