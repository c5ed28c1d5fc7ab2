package ledger

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// counting.md 5, 14: a group is known for as long as its views may come, and is
// forgotten after that.
func TestRule14GroupIsPruned(t *testing.T) {
	r := newRig(t)
	r.live()
	// At the end of a span: the last view lies in the next one.
	first := bucketEdge.Add(-time.Second)
	r.records(call("a", inGroup("s-1"), start(first)))
	keep := r.spec.Lookback*5/4 + 48*time.Hour
	prune := func(at time.Time) {
		t.Helper()
		r.clock.at = at
		r.commit(&counting.Page{Position: &counting.Position{Watermark: at}})
		if err := r.ledger.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.reopen()
	}
	// The floor has passed the first view; its id is forgotten.
	last := first.Add(bucketReach)
	prune(last.Add(keep))
	if ids := r.entries(byHour); ids != 0 {
		t.Fatalf("%d ids left", ids)
	}
	if got := r.records(call("b", inGroup("s-1"), start(last))); got.New != 0 || got.Duplicate != 1 || got.TooOld != 0 {
		t.Errorf("the last that may come: %+v", got)
	}
	prune(last.Add(keep + bucketReach + 2*counting.BucketSeconds*time.Second))
	if left := r.entries(anyBucket); left != 0 {
		t.Errorf("%d rows left", left)
	}
}
