package counting_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// Guarantee 3: a record with a parent is counted and charged, but its failure isn't
// counted when its parent's is.
func TestParentFailureCountsOnce(t *testing.T) {
	type page = []*cdr.Record
	failed := func(id string, options ...func(*cdr.Record)) *cdr.Record {
		return call(id, append(options, outcome(cdr.Failed))...)
	}
	ago := func(d time.Duration) func(*cdr.Record) { return start(epoch.Add(-d)) }
	for _, c := range []struct {
		name            string
		pages           []page
		calls, failures int
	}{
		{"parent, then child", []page{{failed("p")}, {failed("c", childOf("p"))}}, 2, 1},
		{"parent, then child, on one page", []page{{failed("p"), failed("c", childOf("p"))}}, 2, 1},
		{"child before its parent on one page", []page{{failed("c", childOf("p")), failed("p")}}, 2, 1},
		{"children before their parent on one page", []page{{failed("c", childOf("p")), failed("d", childOf("p")), failed("p")}}, 3, 1},
		{"child, then parent", []page{{failed("c", childOf("p"))}, {failed("p")}}, 2, 1},
		{"child, then parent, then another child", []page{{failed("c", childOf("p"))}, {failed("p")}, {failed("d", childOf("p"))}}, 3, 1},
		{"children of an answered parent", []page{{call("p")}, {failed("c", childOf("p")), failed("d", childOf("p"))}}, 3, 2},
		{"children, then their answered parent", []page{{failed("c", childOf("p"))}, {failed("d", childOf("p"))}, {call("p")}}, 3, 2},
		{"an answered child", []page{{failed("p")}, {call("c", childOf("p"))}}, 2, 1},
		{"an answered child, then its parent", []page{{call("c", childOf("p"))}, {failed("p")}}, 2, 1},
		{"a parent that never comes", []page{{failed("c", childOf("p"))}}, 1, 1},
		{"its own parent", []page{{failed("c", childOf("c"))}, {failed("d", childOf("c"))}}, 2, 1},
		{"its own parent by another id", []page{{failed("c", alts("o"), childOf("o"))}}, 1, 1},
		{"any outcome that isn't connected", []page{{call("p", outcome(cdr.Busy))}, {call("c", childOf("p"), outcome(cdr.NoAnswer))}}, 2, 1},
		{"hours apart", []page{{failed("p", ago(23*time.Hour))}, {failed("c", childOf("p"), ago(time.Minute))}}, 2, 1},
		{"hours apart, child first", []page{{failed("c", childOf("p"), ago(time.Minute))}, {failed("p", ago(23*time.Hour))}}, 2, 1},
		{"a child that starts before its parent", []page{{failed("p", ago(time.Minute))}, {failed("c", childOf("p"), ago(3*time.Hour))}}, 2, 1},
		{"the parent by its older id", []page{{failed("p", alts("o"))}, {failed("c", childOf("o"))}}, 2, 1},
		{"the parent by its older id on one page", []page{{failed("c", childOf("o")), failed("p", alts("o"))}}, 2, 1},
		{"child by the parent's older id, then the parent", []page{{failed("c", childOf("o"))}, {failed("p", alts("o"))}}, 2, 1},
		{"the parent under an id that it got later", []page{{failed("o")}, {failed("n", alts("o"))}, {failed("c", childOf("n"))}}, 2, 1},
		{"a chain, top first", []page{{failed("p")}, {failed("c", childOf("p"))}, {failed("g", childOf("c"))}}, 3, 1},
		{"a chain, bottom first", []page{{failed("g", childOf("c"))}, {failed("c", childOf("p"))}, {failed("p")}}, 3, 1},
		{"a chain, bottom first on one page", []page{{failed("g", childOf("c")), failed("c", childOf("p")), failed("p")}}, 3, 1},
		{"a chain whose middle comes last", []page{{failed("p")}, {failed("g", childOf("c"))}, {failed("c", childOf("p"))}}, 3, 2},
		{"a ring", []page{{failed("a", childOf("b")), failed("b", childOf("a"))}}, 2, 1},
		{"a ring over pages", []page{{failed("a", childOf("b"))}, {failed("b", childOf("a"))}}, 2, 1},
		{"a parent that isn't final", []page{{failed("p", provisional), failed("c", childOf("p"))}, {failed("p")}}, 2, 1},
		{"a child that isn't final", []page{{failed("c", childOf("p"), provisional)}, {failed("p")}, {failed("c", childOf("p"))}}, 2, 1},
		{"a parent that failed by a revision", []page{{call("p")}, {failed("p")}, {failed("c", childOf("p"))}}, 2, 1},
		{"a parent that no longer failed by a revision", []page{{failed("p")}, {call("p")}, {failed("c", childOf("p"))}}, 2, 1},
		{"a child that is read again", []page{{failed("p"), failed("c", childOf("p"))}, {failed("c", childOf("p")), failed("p")}}, 2, 1},
		{"a child of a further row of an answered call", []page{{call("a", inGroup("g"))}, {failed("p", inGroup("g"))}, {failed("c", childOf("p"))}}, 2, 1},
		{"a further row of an answered call, then its parent", []page{{call("a", inGroup("g"))}, {failed("c", inGroup("g"), childOf("p"))}, {failed("p")}}, 2, 1},
		{"a child of a further row of a failed call", []page{{failed("a", inGroup("g"))}, {failed("p", inGroup("g"))}, {failed("c", childOf("p"))}}, 2, 1},
		{"a further row of a failed call, then its parent", []page{{failed("a", inGroup("g"))}, {failed("c", inGroup("g"), childOf("p"))}, {failed("p")}}, 2, 1},
		{
			"a child of a further row of a call that failed by a revision",
			[]page{{call("a", inGroup("g"))}, {failed("a", inGroup("g"))}, {failed("p", inGroup("g"))}, {failed("c", childOf("p"))}},
			2, 1,
		},
		{
			"a further row of a call that failed by a revision, then its parent",
			[]page{{call("a", inGroup("g"))}, {failed("a", inGroup("g"))}, {failed("c", inGroup("g"), childOf("p"))}, {failed("p")}},
			2, 1,
		},
		{"an answered child of its call's first row, on one page", []page{{failed("p", inGroup("g")), call("c", inGroup("g"), childOf("p"))}}, 1, 0},
		{"another's child", []page{{failed("p"), failed("q"), failed("c", childOf("q"))}}, 3, 2},
	} {
		for _, reopening := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reopening %t", c.name, reopening), func(t *testing.T) {
				r := newRig(t, counting.Rules{Parents: true})
				for _, p := range c.pages {
					// A fresh copy: logging redacts the records.
					all := make(page, len(p))
					for i := range p {
						one := *p[i]
						all[i] = &one
					}
					r.records(all...)
					if reopening {
						r.restart()
					}
				}
				if calls, failures := r.total("cdr_calls_total"), r.total("cdr_call_failures_total"); calls != c.calls || failures != c.failures {
					t.Errorf("%d calls, %d failures; want %d and %d", calls, failures, c.calls, c.failures)
				}
				if got := r.state.Records; got != uint64(c.calls) {
					t.Errorf("%d records, want %d", got, c.calls)
				}
			})
		}
	}
}
