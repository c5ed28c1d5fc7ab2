package ledger

import "testing"

// Guarantee 5: waiting records of a removed source are still sent, by one replica at a time. If a
// replica has the source again, they belong to the feed again.
func TestOutboxOfARemovedSource(t *testing.T) {
	if server == "" {
		return // TestOnPostgres runs it
	}
	a, b := twoReplicas(t)
	a.records(call("1"))
	sends := func(when string, want *rig) {
		t.Helper()
		for _, r := range []*rig{a, b, a, b} {
			if err := r.ledger.adoptOutbox(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range []*rig{a, b} {
			batch, err := r.ledger.Logs().Next(t.Context(), 0)
			if err != nil || (batch != nil) != (r == want) {
				t.Errorf("%s: %s sends %+v, %v", when, r.ledger.replica(), batch, err)
			}
		}
	}
	sends("it is read", a)
	a.release()
	if err := a.ledger.adoptOutbox(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _ := a.ledger.Logs().Waiting(); n != 0 {
		t.Error("what may be moving to another replica is sent")
	}
	sends("it was removed", a)
	if !b.acquire() {
		t.Fatal("what only waits to be sent can't be acquired")
	}
	b.openFeed()
	sends("another replica has it again", b)
	b.release()
	sends("it was removed there", a)
	b.silence("replica")
	sends("the replica that sent is gone", b)
	b.ack(b.next().ID)
	sends("all was sent", nil)
}
