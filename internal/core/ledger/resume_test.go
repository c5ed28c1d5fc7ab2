package ledger

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestResumeByParts: a position of any length is kept as it was committed, and a commit writes the
// parts that changed.
func TestResumeByParts(t *testing.T) {
	r := newRig(t)
	rng := rand.New(rand.NewPCG(1, 2))
	resume := []byte{}
	for range 40 {
		switch rng.IntN(4) {
		case 0:
			resume = resume[:rng.IntN(len(resume)+1)]
		case 1:
			resume = append(resume, make([]byte, rng.IntN(3*counting.ResumePart))...)
		case 2:
			if len(resume) > 0 {
				resume[rng.IntN(len(resume))]++
			}
		case 3:
			r.reopen()
		}
		r.commit(&counting.Page{Position: &counting.Position{Resume: resume}})
		if got := r.feed.State().Resume; !bytes.Equal(got, resume) {
			t.Fatalf("%d bytes are shown, want %d", len(got), len(resume))
		}
		r.reopen()
		if got := r.feed.State().Resume; !bytes.Equal(got, resume) {
			t.Fatalf("%d bytes are read, want %d", len(got), len(resume))
		}
	}
	resume = bytes.Repeat([]byte{1}, 10*counting.ResumePart)
	r.commit(&counting.Page{Position: &counting.Position{Resume: resume}})
	r.exec(`DELETE FROM resume WHERE part <> 3`)
	resume[3*counting.ResumePart]++
	r.commit(&counting.Page{Position: &counting.Position{Resume: resume}})
	if err := r.ledger.reload(); err != nil ||
		!bytes.Equal(r.feed.State().Resume, resume[3*counting.ResumePart:4*counting.ResumePart]) {
		t.Errorf("more was written than the part that changed: %d bytes, %v", len(r.feed.State().Resume), err)
	}
}
