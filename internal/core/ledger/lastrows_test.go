package ledger

import (
	"errors"
	"fmt"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// commitRow commits a row of call a as a reader does.
func (r *rig) commitRow(row string, options ...func(*cdr.Record)) error {
	_, hash, unchanged := r.feed.Lookup("a", []byte(row))
	if unchanged {
		r.t.Errorf("row %s would change nothing", row)
	}
	_, err := r.tryPage(&counting.Page{
		Records: []*cdr.Record{call("a", options...)}, RowHashes: []uint64{hash}, ObservedAt: r.clock.at,
	})
	return err
}

func (r *rig) isUnchanged(row string) bool {
	_, _, unchanged := r.feed.Lookup("a", []byte(row))
	return unchanged
}

// wantUnchanged checks which of the rows A and B of call a would change nothing.
func (r *rig) wantUnchanged(when string, a, b bool) {
	r.t.Helper()
	if gotA, gotB := r.isUnchanged("A"), r.isUnchanged("B"); gotA != a || gotB != b {
		r.t.Errorf("%s: A is unchanged: %t, B: %t; want %t, %t", when, gotA, gotB, a, b)
	}
}

// TestRule37Lookup: counting.md 37: a row is unchanged if it is the last durable row of its
// record. How that row was committed doesn't matter.
func TestRule37Lookup(t *testing.T) {
	r := newRig(t)
	commit := func(row string, options ...func(*cdr.Record)) {
		t.Helper()
		require.NoError(t, r.commitRow(row, options...))
	}
	commit("A")
	r.wantUnchanged("within the first history", false, false)
	r.live()
	commit("A")
	r.wantUnchanged("A", true, false)
	if _, _, unchanged := r.feed.Lookup("b", []byte("A")); unchanged {
		t.Error("a row of another record is recognised")
	}
	commit("B", outcome(cdr.Failed))
	r.wantUnchanged("A, B", false, true)
	commit("A")
	r.wantUnchanged("A, B, A", true, false)
	r.records(call("a", outcome(cdr.Busy)))
	r.wantUnchanged("A, B, A, another one that nobody remembers", false, false)
	commit("A")
	r.records(call("x", alts("a"), outcome(cdr.Busy)))
	r.wantUnchanged("A, then a row that names it by another id", false, false)
	commit("A")
	spec := r.spec
	spec.Feed = "pstn"
	own(t, r.ledger, spec)
	other, err := r.ledger.Feed(t.Context(), spec)
	require.NoError(t, err)
	if _, _, unchanged := other.Lookup("a", []byte("A")); unchanged {
		t.Error("another feed recognises the row")
	}
	commit("B", provisional)
	r.wantUnchanged("A, then a row that isn't final", false, false)

	commit("A")
	// another writer, perhaps of B
	r.exec(`UPDATE feeds SET seq = seq + 1 WHERE id = ?`, r.feed.id)
	if err := r.commitRow("B", outcome(cdr.Failed)); !errors.Is(err, ErrFenced) {
		t.Fatalf("the commit ended with %v", err)
	}
	r.wantUnchanged("after another writer", false, false)
	commit("A")
	r.reopen()
	r.wantUnchanged("another process", false, false)
}

// A commit that fails, at whatever write, remembers nothing of what it didn't count.
func TestRule37FailedCommit(t *testing.T) {
	r := newLiveRig(t)
	failure, writes := errors.New("disk"), 0
	for fails := 1; ; fails++ {
		require.NoError(t, r.commitRow(fmt.Sprint("A", fails), outcome(cdr.Answered)))
		writes = 0
		r.probe = func(point string) error {
			if writes++; writes == fails && point != "committed" {
				return failure
			}
			return nil
		}
		err := r.commitRow("B", outcome(cdr.Failed))
		r.probe = nil
		if err == nil {
			break // there are no more writes
		}
		if r.isUnchanged("B") {
			t.Errorf("write %d failed, and the row is recognised that wasn't counted", fails)
		}
	}
	if r.wantUnchanged("B", false, true); writes < 5 {
		t.Errorf("a commit has only %d writes", writes)
	}
}

// New rows take the place of the oldest ones, known rows take none.
func TestRule37RoomForRows(t *testing.T) {
	var rows lastRows
	const many = rowSets * 16 * 2
	key := func(i int) counting.Hash { return counting.Hash(uint64(i+1) * 0x9e3779b97f4a7c15) }
	put := func(i int, changed bool) {
		rows.put(key(i), counting.LastRow{RowHash: uint64(i + 1), Changed: changed})
	}
	count := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if rows.has(key(i), uint64(i+1)) {
				n++
			}
		}
		return n
	}
	for i := range many {
		put(i, true)
	}
	if newest, all := count(many-many/8, many), count(0, many); newest < many/8*99/100 || all > many/2 {
		t.Errorf("of %d rows %d of the newest eighth are there, and %d of all", many, newest, all)
	}
	before := count(0, many)
	for i := many; i < many*5/4; i++ {
		put(i, false)
	}
	if after, known := count(0, many), count(many, many*5/4); after < before || known > 0 {
		t.Errorf("%d rows are there, %d before, and %d of those that were known", after, before, known)
	}
}
