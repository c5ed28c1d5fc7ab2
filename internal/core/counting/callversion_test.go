package counting_test

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// A leg counts in one call, also after its parent has come and leads to another one that was counted too: a later
// version of the leg adds nothing there.
func TestLaterVersionAfterItsParent(t *testing.T) {
	for name, late := range map[string]func(*cdr.Record){
		"with a price": charge(t, "usage", "EUR", "1"),
		"longer":       func(r *cdr.Record) { r.End = r.End.Add(10 * time.Second) },
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
			for range 2 {
				r.records(child(late))
			}
			want := 55
			if name == "longer" {
				want = 65
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
