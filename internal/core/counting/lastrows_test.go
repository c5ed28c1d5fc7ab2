package counting_test

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestRule37LastRows: counting.md 37: a row is known by its bytes only if nothing else has a part in what it means.
func TestRule37LastRows(t *testing.T) {
	legs, parents := counting.Rules{Legs: true}, counting.Rules{Legs: true, Parents: true}
	later, byBytes, decoded := counting.Rules{ChargesLater: true}, []uint64{7}, []uint64{0}
	synthetic := func(r *cdr.Record) { r.Synthetic = "s" }
	for name, test := range map[string]struct {
		rules  counting.Rules
		traces bool
		record *cdr.Record
		want   []uint64
	}{
		"a call":                         {counting.Rules{}, false, call("a"), byBytes},
		"not final yet":                  {counting.Rules{}, false, call("a", provisional), nil},
		"a leg":                          {legs, false, call("a", inGroup("g")), decoded},
		"may have children":              {parents, false, call("a"), decoded},
		"parts come with later versions": {counting.Rules{Grows: true}, false, call("a"), decoded},
		"it has another id too":          {counting.Rules{}, false, call("a", alts("b")), decoded},
		"another id of a known record":   {counting.Rules{}, false, call("other"), decoded},
		"without an id":                  {counting.Rules{}, false, call("", synthetic), decoded},
		"its spans are made":             {counting.Rules{}, true, call("a"), byBytes},
		"its spans wait for a charge":    {later, true, call("a"), decoded},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, test.rules)
			r.settings.Traces, r.settings.TracesHistory = test.traces, test.traces
			r.records(call("known", alts("other")))
			for _, round := range []string{"new", "again"} {
				r.commit(&counting.Page{Records: []*cdr.Record{test.record}, RowHashes: []uint64{7}, ObservedAt: r.at})
				var got []uint64
				for last := range r.decision.LastRows() {
					got = append(got, last.RowHash)
				}
				if !slices.Equal(got, test.want) {
					t.Errorf("%s: the last rows have the hashes %v, want %v", round, got, test.want)
				}
			}
		})
	}
}

// Of two rows of one record the last that was decided is the last: a version that is older doesn't
// come after one that is newer.
func TestRule37OrderOfLastRows(t *testing.T) {
	r := newRig(t, counting.Rules{})
	r.commit(&counting.Page{
		Records: []*cdr.Record{call("a", version(2)), call("a", version(1)), call("b")}, RowHashes: []uint64{2, 1, 3},
		Unchanged: 4, ObservedAt: r.at,
	})
	last := map[counting.Hash]counting.LastRow{}
	for one := range r.decision.LastRows() {
		last[one.Record] = one
	}
	if a := last[r.hasher.RecordHash("a")]; a.RowHash != 2 || !a.Changed {
		t.Errorf("the last row of a is %+v, want that of version 2, which changed the record", a)
	}
	got := r.commit(&counting.Page{
		Records: []*cdr.Record{call("b")}, RowHashes: []uint64{3}, Unchanged: 4,
		ObservedAt: r.at,
	})
	for one := range r.decision.LastRows() {
		if one.RowHash != 3 || one.Changed {
			t.Errorf("the last row of b is %+v, want 3, which changed nothing", one)
		}
	}
	if got.Duplicate != 5 {
		t.Errorf("%d repeats, want the row and the four that were left out", got.Duplicate)
	}
}
