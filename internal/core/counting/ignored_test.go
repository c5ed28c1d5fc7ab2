package counting_test

import (
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// An open leg whose row is ignored now, because it changed or by another `ignore`, leaves its call.
func TestOpenLegThatIsIgnored(t *testing.T) {
	open := leg("a", 0, -1, -1, provisional)
	for name, c := range map[string]struct {
		first, also, then page // also: on the page of the ignored row
		calls             int
	}{
		"alone":                {page{open}, nil, nil, 0},
		"it never waited":      {nil, nil, nil, 0},
		"with another leg":     {page{open, leg("b", 0, 5, 60)}, nil, nil, 1},
		"with a new leg":       {page{open}, page{leg("b", 0, 5, 60)}, nil, 1},
		"counted later":        {page{open}, nil, page{leg("a", 0, 5, 60)}, 1},
		"a leg that was final": {page{leg("a", 0, 5, 60)}, nil, nil, 1},
	} {
		for _, arrival := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, by arrival %t", name, arrival), func(t *testing.T) {
				r := newCallRig(t, func(s *counting.Settings) { s.ByArrival = arrival })
				r.records(c.first...)
				row := counting.BadRow{Content: []byte("a"), Leg: &cdr.Record{ID: "a", Start: open.Start}}
				for range 2 {
					r.commit(&counting.Page{ObservedAt: r.at, Records: c.also, Ignored: []counting.BadRow{row}})
				}
				r.records(c.then...)
				got, counted := r.wait(settle), r.total("cdr_calls_total")
				if got.Waiting != 0 || got.Incomplete != 0 || counted != c.calls {
					t.Errorf("%d calls, %+v", counted, got)
				}
			})
		}
	}
}

// A row that is ignored beside one with its id, which is open, doesn't take the leg from its call.
func TestIgnoredRowBesideAnOpenLeg(t *testing.T) {
	r := newCallRig(t, nil)
	open := leg("a", 0, -1, -1, provisional)
	row := counting.BadRow{Content: []byte("a"), Leg: &cdr.Record{ID: "a", Start: open.Start}}
	for range 3 {
		r.commit(&counting.Page{ObservedAt: r.at, Records: page{open}, Ignored: []counting.BadRow{row}})
		if got := r.wait(settle); got.Waiting != 1 {
			t.Fatalf("%+v", got)
		}
	}
	r.records(leg("a", 0, 5, 60))
	if r.wait(settle); r.total("cdr_calls_total") != 1 {
		t.Error(r.total("cdr_calls_total"))
	}
}
