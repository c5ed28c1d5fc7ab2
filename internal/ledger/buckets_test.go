package ledger

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// bucketEdge is where one span ends and the next begins.
// bucketReach is how far from it a fact is found at least.
const bucketReach = counting.BucketSeconds / 2 * time.Second

var bucketEdge = time.Unix((epoch.Unix()/counting.BucketSeconds+1)*counting.BucketSeconds, 0)

// counting.md 14: a group, a recording and what a child has told are found from
// bucketReach away at least, wherever that lies.
func TestFactsAcrossSpans(t *testing.T) {
	recorded := func(c *cdr.Record) { c.Recordings = []cdr.Recording{{ID: "R1", Type: "automatic"}} }
	for offset := range 9 {
		for _, apart := range []time.Duration{bucketReach, -bucketReach} {
			from := bucketEdge.Add(bucketReach * time.Duration(offset) / 4)
			t.Run(fmt.Sprintf("%s after an edge, then %s", from.Sub(bucketEdge), apart), func(t *testing.T) {
				r := newRig(t)
				r.spec.Parents = true
				r.reopen()
				r.live()
				r.records(
					call("a", inGroup("s-1"), recorded, start(from)),
					call("c", childOf("p"), outcome(cdr.Failed), start(from)))
				if got := r.records(call("b", inGroup("s-1"), recorded, start(from.Add(apart)))); got.New != 0 || got.Duplicate != 1 {
					t.Errorf("group: %+v", got)
				}
				r.records(call("p", outcome(cdr.Failed), start(from.Add(apart))))
				if got := r.total("cdr_call_failures_total"); got != 1 {
					t.Errorf("%d failures", got)
				}
				if got := r.total("cdr_recordings_total"); got != 1 {
					t.Errorf("%d recordings", got)
				}
			})
		}
	}
}

// rigToPrune has one run more to delete than two transactions do.
func rigToPrune(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.live()
	for i := range int64(2*pruneBlocks + 1) {
		r.remember(factBucket(epoch)+i, 1, []byte{rowFact})
	}
	r.moveJournal()
	r.clock.add(60 * 24 * time.Hour)
	r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at}})
	return r
}

// Pruning spans works in small transactions too.
func TestSpansArePrunedInPieces(t *testing.T) {
	r := rigToPrune(t)
	var left []int
	r.probe = func(point string) error {
		if point == "committed" {
			left = append(left, r.entries(byFact))
		}
		return nil
	}
	if err := r.ledger.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []int{pruneBlocks + 1, 1, 0}; !slices.Equal(left, want) {
		t.Errorf("left after each transaction %v, want %v", left, want)
	}
}

// Prune that can't commit, with more to delete than one transaction does, gives up until it is called again.
func TestPruneEndsWithAnError(t *testing.T) {
	r := rigToPrune(t)
	full := errors.New("the disk is full")
	tries := 0
	r.probe = func(point string) error {
		if !strings.HasPrefix(point, "DELETE FROM blocks") {
			return nil
		}
		if tries++; tries > 5 {
			t.Fatal("it goes on trying")
		}
		return full
	}
	if err := r.ledger.Prune(t.Context()); !errors.Is(err, full) {
		t.Fatalf("the error is %v", err)
	}
	if left := r.entries(byFact); left != 2*pruneBlocks+1 {
		t.Errorf("%d entries are left", left)
	}
}
