package ledger

import (
	"testing"
	"time"
)

// counting.md 4: pending work.
func TestRule04PendingWork(t *testing.T) {
	r := newRig(t)
	r.commit(&Page{Enqueue: []Work{
		{Kind: "record", Key: "a", Version: 2, Due: epoch},
		{Kind: "record", Key: "b", Version: 1, Due: epoch.Add(time.Hour)},
		{Kind: "record", Key: "c", Version: 1, Due: epoch, Parked: true},
	}})
	r.reopen()
	due, err := r.feed.Due(t.Context(), epoch, 10)
	if err != nil || len(due) != 1 || due[0].Key != "a" || due[0].Version != 2 {
		t.Fatalf("due: %+v, %v", due, err)
	}
	r.commit(&Page{Done: []Work{{Kind: "record", Key: "a", Version: 1}}})
	if due, _ = r.feed.Due(t.Context(), epoch, 10); len(due) != 1 {
		t.Fatalf("done with an older version removed the newer: %+v", due)
	}
	r.commit(&Page{Enqueue: []Work{{Kind: "record", Key: "a", Version: 1, Due: epoch.Add(-time.Hour)}}})
	if due, _ = r.feed.Due(t.Context(), epoch, 10); len(due) != 1 || due[0].Version != 2 {
		t.Fatalf("an older demand replaced the newer: %+v", due)
	}
	r.commit(&Page{Done: []Work{{Kind: "record", Key: "a", Version: 2}}})
	if due, _ = r.feed.Due(t.Context(), epoch, 10); len(due) != 0 {
		t.Fatalf("left over: %+v", due)
	}
}
