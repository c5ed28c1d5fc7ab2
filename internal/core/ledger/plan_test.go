package ledger

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestPlanByParts: a position of any length is kept as it was committed, and a commit writes the
// parts that changed.
func TestPlanByParts(t *testing.T) {
	r := newRig(t)
	rng := rand.New(rand.NewPCG(1, 2))
	plan := []byte{}
	for range 40 {
		switch rng.IntN(4) {
		case 0:
			plan = plan[:rng.IntN(len(plan)+1)]
		case 1:
			plan = append(plan, make([]byte, rng.IntN(3*counting.PlanPart))...)
		case 2:
			if len(plan) > 0 {
				plan[rng.IntN(len(plan))]++
			}
		case 3:
			r.reopen()
		}
		r.commit(&counting.Page{Position: &counting.Position{Plan: plan}})
		if got := r.feed.State().Plan; !bytes.Equal(got, plan) {
			t.Fatalf("%d bytes are shown, want %d", len(got), len(plan))
		}
		r.reopen()
		if got := r.feed.State().Plan; !bytes.Equal(got, plan) {
			t.Fatalf("%d bytes are read, want %d", len(got), len(plan))
		}
	}
	plan = bytes.Repeat([]byte{1}, 10*counting.PlanPart)
	r.commit(&counting.Page{Position: &counting.Position{Plan: plan}})
	if _, err := r.ledger.engine.Exec(`DELETE FROM plans WHERE part <> 3`); err != nil {
		t.Fatal(err)
	}
	plan[3*counting.PlanPart]++
	r.commit(&counting.Page{Position: &counting.Position{Plan: plan}})
	if err := r.ledger.reload(); err != nil ||
		!bytes.Equal(r.feed.State().Plan, plan[3*counting.PlanPart:4*counting.PlanPart]) {
		t.Errorf("more was written than the part that changed: %d bytes, %v", len(r.feed.State().Plan), err)
	}
}
