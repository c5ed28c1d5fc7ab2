package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/daily"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// bucketReach is how far from it a fact is found at least.
const bucketReach = counting.BucketSeconds / 2 * time.Second

// bucketEdge is where one span ends and the next begins.
var bucketEdge = time.Unix((epoch.Unix()/counting.BucketSeconds+1)*counting.BucketSeconds, 0)

// rigToPrune has one run more to delete than two transactions do.
func rigToPrune(t *testing.T) *rig {
	t.Helper()
	r := newLiveRig(t)
	for i := range int64(2*pruneBlocks + 1) {
		r.remember(factBucket(epoch)+i, 1, []byte{rowFact})
	}
	r.packIDs()
	r.clock.add(60 * 24 * time.Hour)
	r.readTo(r.clock.at)
	return r
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

// Rows that were set aside, totals of days and results of audits are deleted when their time is over.
func TestOldRowsArePruned(t *testing.T) {
	r := newLiveRig(t)
	r.commit(&counting.Page{
		Records: []*cdr.Record{call("a")}, Invalid: []counting.BadRow{{Content: []byte("x"), Problem: "no start"}},
	})
	audits := []daily.Audit{{Day: daily.DateOf(epoch), Began: epoch}}
	require.NoError(t, r.ledger.StoreAudit(t.Context(), *r.ledger.identity.Load(), r.spec, audits))
	for _, step := range []struct{ days, badRows, totals, audits int }{
		{4, 1, 1, 1}, {8, 0, 1, 1}, {11, 0, 0, 1}, {365, 0, 0, 1}, {368, 0, 0, 0},
	} {
		r.raiseFloor(epoch.AddDate(0, 0, step.days))
		got := step
		got.badRows, got.totals, got.audits = r.count("bad_rows"), r.count("daily_totals"), r.count("audits")
		if got != step {
			t.Errorf("left are %+v, want %+v", got, step)
		}
	}
}

// A full journal is packed by itself.
func TestJournalIsPacked(t *testing.T) {
	r := newLiveRig(t, func(r *rig) { r.journal = 1 })
	r.records(call("a"))
	r.records(call("b"))
	if n, blocks := r.count("journal"), r.count("blocks"); n != 1 || blocks != 1 {
		t.Errorf("%d rows of the journal, %d blocks", n, blocks)
	}
}

// counting.md 5, 15: a record that has moved by up to bucketReach isn't forgotten before
// the floor is past it, wherever the spans lie; in the end all of it is.
func TestRule15MovingStartExpiry(t *testing.T) {
	for offset := range 9 {
		from := bucketEdge.Add(-2*counting.BucketSeconds*time.Second + bucketReach*time.Duration(offset)/4)
		t.Run(fmt.Sprintf("%s before an edge", bucketEdge.Sub(from)), func(t *testing.T) {
			r := newMovingStartRig(t)
			later := func(r *cdr.Record) { r.Start = from.Add(bucketReach); sessions("s1")(r) }
			r.records(call("a", start(from), sessions("s1")))
			r.records(call("a", later))
			keep := r.spec.Lookback*5/4 + 48*time.Hour
			r.raiseFloor(from.Add(bucketReach).Add(keep))
			if floor := r.feed.State().Floor; from.Add(bucketReach).Before(floor) || from.Add(bucketReach).
				Sub(floor) > time.Hour {
				t.Fatalf("floor %v, want just below %v", floor, from.Add(bucketReach))
			}
			if got := r.records(call("a", later)); got.Duplicate != 1 || r.total("cdr_sessions_total") != 1 {
				t.Errorf("at the floor: %+v, %d sessions", got, r.total("cdr_sessions_total"))
			}
			r.raiseFloor(from.Add(keep + 3*counting.BucketSeconds*time.Second))
			if got := r.records(call("a", later)); got.TooOld != 1 || r.entries(byFact) != 0 {
				t.Errorf("past the floor: %+v, %d rows left", got, r.entries(byFact))
			}
			if calls, all := r.total("cdr_calls_total"), r.total("cdr_sessions_total"); calls != 1 || all != 1 {
				t.Errorf("%d calls, %d sessions", calls, all)
			}
		})
	}
}

// raiseFloor moves time, the watermark and the floor on.
func (r *rig) raiseFloor(watermark time.Time) {
	r.t.Helper()
	r.clock.at = watermark
	r.readTo(watermark)
	r.prune()
}

// counting.md 5: pruning takes several transactions. A record is forgotten with the first,
// which raises the floor, and its sessions with it, whichever rows are left.
func TestRule05MovingStartHalfPruned(t *testing.T) {
	r := newMovingStartRig(t)
	from := epoch.Add(-200 * time.Hour)
	known := func() *cdr.Record { return call("a", start(from), sessions("s1", "s2", "s3")) }
	r.records(known())
	for i := range int64(pruneBlocks) {
		r.remember(factBucket(from)-1-i, 1, []byte{rowFact}) // these go first
	}
	r.packIDs()
	r.clock.add(200 * 24 * time.Hour)
	r.readTo(r.clock.at)
	more, err := r.feed.pruneOnce(t.Context())
	if left := r.entries(byFact); err != nil || !more || left != 4 {
		t.Fatalf("pruned: %v, %v, %d entries left, want the record's 4", more, err, left)
	}
	if got := r.records(known()); got.TooOld != 1 || r.total("cdr_sessions_total") != 3 {
		t.Errorf("%+v, %d sessions", got, r.total("cdr_sessions_total"))
	}
}
