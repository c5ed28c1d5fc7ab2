package counting_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A leg counts in one call, also after its parent has come and leads to another one that was counted too: a later
// version of the leg adds nothing there.
func TestLaterVersionAfterItsParent(t *testing.T) {
	for name, late := range map[string]func(version int) func(*cdr.Record){
		"with a price": func(n int) func(*cdr.Record) { return charge(t, "usage", "EUR", strconv.Itoa(n)) },
		"longer": func(n int) func(*cdr.Record) {
			return func(r *cdr.Record) { r.End = r.End.Add(time.Duration(n) * 10 * time.Second) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCallRig(t, func(s *counting.Settings) { s.Parents = true })
			child := func(o ...func(*cdr.Record)) *cdr.Record {
				return leg("a", 0, 5, 60, append(o, inGroup(""), childOf("m"), trunk("one"))...)
			}
			r.records(child())
			r.records(leg("g", 0, -1, 60))
			r.wait(settle)
			r.records(leg("m", 0, -1, 60, inGroup(""), childOf("g")))
			r.restart()
			for n := range 3 {
				r.records(child(late(n + 1)))
			}
			want := 55
			if name == "longer" {
				want = 85
			}
			for _, metric := range []string{"cdr_call_connected_seconds_total", "cdr_trunk_connected_seconds_total"} {
				if got := r.total(metric); got != want*1e6 {
					t.Errorf("%s is %d, want %d s", metric, got, want)
				}
			}
			if n := r.total("cdr_call_outcome_changes_total"); n != 0 {
				t.Errorf("%d outcomes changed", n)
			}
		})
	}
}

// The call of a leg is found although two parents came: the first one before the call counted, the second one after.
func TestLaterVersionAfterTwoParents(t *testing.T) {
	r := newCallRig(t, func(s *counting.Settings) { s.Parents = true })
	child := func(end int) *cdr.Record { return leg("a", 0, 5, end, inGroup(""), childOf("b")) }
	r.records(child(60))
	r.records(leg("b", 0, -1, 60, inGroup(""), childOf("m")))
	r.records(leg("g", 0, -1, 60))
	r.wait(settle)
	r.records(leg("m", 0, -1, 60, inGroup(""), childOf("g")))
	r.restart()
	for n := range 3 {
		r.records(child(70 + 10*n))
	}
	if got := r.total("cdr_call_connected_seconds_total"); got != 85*1e6 {
		t.Errorf("connected for %d, want 85 s", got)
	}
	if n := r.total("cdr_call_outcome_changes_total"); n != 0 {
		t.Errorf("%d outcomes changed", n)
	}
}
