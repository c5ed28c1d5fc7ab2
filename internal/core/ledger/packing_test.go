package ledger

import "testing"

// A full journal is packed by itself.
func TestJournalIsPacked(t *testing.T) {
	r := newRig(t)
	r.journal = 1
	r.reopen()
	r.live()
	r.records(call("a"))
	r.records(call("b"))
	if n, blocks := r.count("journal"), r.count("blocks"); n != 1 || blocks != 1 {
		t.Errorf("%d rows of the journal, %d blocks", n, blocks)
	}
}
