package ledger

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// bucketReach is how far from it a fact is found at least.
const bucketReach = counting.BucketSeconds / 2 * time.Second

// bucketEdge is where one span ends and the next begins.
var bucketEdge = time.Unix((epoch.Unix()/counting.BucketSeconds+1)*counting.BucketSeconds, 0)

// rigToPrune has one run more to delete than two transactions do.
func rigToPrune(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.live()
	for i := range int64(2*pruneBlocks + 1) {
		r.remember(factBucket(epoch)+i, 1, []byte{rowFact})
	}
	r.packIDs()
	r.clock.add(60 * 24 * time.Hour)
	r.readTo(r.clock.at)
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
	r.prune()
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
