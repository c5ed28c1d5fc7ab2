package ledger

import (
	"slices"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// A transaction that the database ends for the sake of another one is done again with the same page, at whatever statement that was: as
// much is counted, and logged as redacted, as without it.
func TestConflict(t *testing.T) {
	page := func() *Page {
		return &Page{
			ObservedAt: epoch,
			Records: []*cdr.Record{
				call("a", alts("a2"), sessions("s1", "s2")), call("b", inGroup("g")), call("c", inGroup("g"), version(2)),
				call("d", outcome(cdr.Failed)), call("a", outcome(cdr.Failed), version(3), sessions("s1")),
			},
			Invalid:  []BadRow{{Content: []byte("x"), Problem: "no id"}},
			Enqueue:  []Task{{Kind: "fetch", Key: "k", Version: 1, Due: epoch}},
			Position: &Position{HistoryDone: true, Watermark: epoch},
		}
	}
	// try commits the page with a conflict at a write, none if there aren't as many, and says how many writes there were.
	try := func(t *testing.T, conflict int) (r *rig, writes int) {
		r = newRig(t)
		r.tuning.HashKey = []byte("the same in each ledger")
		r.reopen()
		r.probe = func(point string) error {
			if point == "committed" {
				return nil
			}
			if writes++; writes == conflict {
				return errConflict
			}
			return nil
		}
		if got := r.commit(page()); got.New != 3 || got.Queued != 1 || got.Invalid != 1 {
			t.Fatalf("conflict at write %d: %+v", conflict, got)
		}
		r.probe = nil
		return r, writes
	}
	want, writes := try(t, 0)
	for conflict := 1; conflict <= writes; conflict++ {
		got, _ := try(t, conflict)
		wantValues(t, got.values(), want.values())
		if len(got.values()) != len(want.values()) || !slices.Equal(got.logs(), want.logs()) || len(got.remembered()) != len(want.remembered()) {
			t.Fatalf("conflict at write %d:\n%q\nwithout:\n%q", conflict, got.logs(), want.logs())
		}
	}
}
