package ledger

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// TestResumeByParts: a position of any length is kept as it was committed, and a commit writes the
// parts that changed.
func TestResumeByParts(t *testing.T) {
	r := newRig(t)
	rng := rand.New(rand.NewPCG(1, 2))
	resume := []byte{}
	for range seeds(20) {
		switch rng.IntN(3) {
		case 0:
			resume = resume[:rng.IntN(len(resume)+1)]
		case 1:
			resume = append(resume, make([]byte, rng.IntN(3*counting.ResumePart))...)
		case 2:
			if len(resume) > 0 {
				resume[rng.IntN(len(resume))]++
			}
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

// A call that starts later than a day from now is counted and moves nothing that follows the newest call.
func TestStartsInTheFuture(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct{ start, newest time.Time }{
		"in an hour":       {epoch.Add(time.Hour), epoch.Add(time.Hour)},
		"in a day":         {epoch.Add(day), epoch.Add(day)},
		"later":            {epoch.Add(day + time.Second), epoch.Add(-time.Hour)},
		"in the year 9999": {time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC), epoch.Add(-time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			r := newLiveRig(t)
			r.records(call("a", start(epoch.Add(-time.Hour))))
			if got := r.records(call("b", start(c.start), outcome(cdr.Failed))); got.New != 1 {
				t.Fatalf("%+v", got)
			}
			if got := r.feed.State().NewestCall; !got.Equal(c.newest) {
				t.Errorf("the newest call starts at %s, want %s", got, c.newest)
			}
			var newest time.Time
			for _, attempts := range r.ledger.Store().LastAttempts() {
				if at := attempts.Newest(); at.After(newest) {
					newest = at
				}
			}
			if !newest.Equal(c.newest) {
				t.Errorf("the newest attempt starts at %s, want %s", newest, c.newest)
			}
		})
	}
}
