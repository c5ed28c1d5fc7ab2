package ledger

import (
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/ledger/engine"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// conflictAt makes one write conflict with another transaction's, none if there aren't as many, and counts the writes.
func conflictAt(conflict int, writes *int) func(string) error {
	return func(point string) error {
		if point == "committed" {
			return nil
		}
		if *writes++; *writes == conflict {
			return engine.ErrConflict
		}
		return nil
	}
}

// A transaction that the database ends for the sake of another one is done again with the same
// page, at whatever statement that was: as much is counted, and logged as redacted, as without it.
// A revision still names the provider's own fields that changed, although redaction has dropped some by then.
func TestConflict(t *testing.T) {
	revised := func(address, codec string) *cdr.Record {
		return call("revised", func(r *cdr.Record) {
			r.Extra = []cdr.Attr{cdr.Text("address", address, cdr.Address), cdr.Text("codec", codec, cdr.Plain)}
		})
	}
	page := func() *counting.Page {
		return &counting.Page{
			ObservedAt: epoch,
			Records: []*cdr.Record{
				call("a", alts("a2"), sessions("s1", "s2")), call("b", inGroup("g")),
				call("c", inGroup("g"), version(2)), call("e", inGroup("waits"), provisional),
				call("d", outcome(cdr.Failed)), call("a", outcome(cdr.Failed), version(3), sessions("s1")),
				revised("192.0.2.2", "SILK"),
			},
			Invalid:  []counting.BadRow{{Content: []byte("x"), Problem: "no id"}},
			Enqueue:  []work.Item{{Kind: "fetch", Key: "k", Version: 1, Due: epoch}},
			Done:     []work.Item{{Kind: "fetch", Key: "done", Version: 1}},
			Position: &counting.Position{HistoryDone: true, Watermark: epoch, Read: &counting.Read{Began: epoch}},
		}
	}
	// try commits the page with a conflict at a write, none if there aren't as many, and says how
	// many writes there were.
	try := func(t *testing.T, conflict int) (r *rig, writes int) {
		r = newRig(t)
		r.tuning.HashKey = []byte("the same in each ledger")
		ofLegs(&r.spec)
		r.reopen()
		r.enqueue(work.Item{Kind: "fetch", Key: "done", Version: 1, Due: epoch})
		r.records(revised("192.0.2.1", "PCMU"))
		r.probe = conflictAt(conflict, &writes)
		if got := r.commit(page()); got.New != 4 || got.Revised != 2 || got.Queued != 1 || got.Invalid != 1 ||
			got.Waiting != 1 || got.Counted != 1 {
			t.Fatalf("conflict at write %d: %+v", conflict, got)
		}
		r.probe = nil
		return r, writes
	}
	want, writes := try(t, 0)
	if logs := strings.Join(want.logs(), "\n"); !strings.Contains(logs, "cdr.msgraph.address,cdr.msgraph.codec") {
		t.Errorf("logged %s", logs)
	}
	for conflict := 1; conflict <= writes; conflict++ {
		got, _ := try(t, conflict)
		wantValues(t, got.values(), want.values())
		if len(got.values()) != len(want.values()) || !slices.Equal(got.logs(), want.logs()) ||
			len(got.remembered()) != len(want.remembered()) {
			t.Fatalf("conflict at write %d:\n%q\nwithout:\n%q", conflict, got.logs(), want.logs())
		}
	}
}
