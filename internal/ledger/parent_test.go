package ledger

import (
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// newFamilyRig is a rig of a feed whose records have parents.
func newFamilyRig(t *testing.T) *rig {
	r := newRig(t)
	r.spec.Parents = true
	r.reopen()
	r.live()
	return r
}

// A feed whose records have no parents doesn't pay for those that have.
func TestParentsCostNothingElsewhere(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("p", outcome(cdr.Failed)), call("c", outcome(cdr.Failed), childOf("p")), call("d", outcome(cdr.Failed), childOf("x")))
	if got := r.total("cdr_call_failures_total"); got != 3 {
		t.Errorf("%d failures, want 3", got)
	}
	all := r.remembered()
	if len(all) != 3 {
		t.Errorf("%d entries, want 3", len(all))
	}
	for _, data := range all {
		if data[0] != rowRecord || data[2] != 0 {
			t.Errorf("%x has flags", data)
		}
	}
}

// counting.md 5: what is told to a parent is forgotten with time, and not before it may
// still come.
func TestParentFactsArePruned(t *testing.T) {
	r := newFamilyRig(t)
	r.records(call("c", outcome(cdr.Failed), childOf("p")))
	prune := func(age time.Duration) {
		t.Helper()
		r.clock.at = epoch.Add(age)
		r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at}})
		if err := r.ledger.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	keep := r.spec.Lookback*5/4 + 48*time.Hour
	prune(keep - time.Hour)
	r.records(call("p", outcome(cdr.Failed)))
	if got := r.total("cdr_call_failures_total"); got != 1 {
		t.Errorf("%d failures, want 1", got)
	}
	prune(keep + bucketReach + 2*counting.BucketSeconds*time.Second)
	if left := r.entries(anyBucket); left != 0 {
		t.Errorf("%d rows left", left)
	}
}
