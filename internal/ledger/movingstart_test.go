package ledger

import (
	"fmt"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// counting.md 15: a record of a feed without hours is found whatever its start is now,
// and keeps being found by the start that it had first.
func TestRule15MovingStart(t *testing.T) {
	for offset := range 9 {
		from := bucketEdge.Add(-2*counting.BucketSeconds*time.Second + bucketReach*time.Duration(offset)/4)
		for _, by := range []time.Duration{time.Second, -time.Second, 5 * time.Hour, -5 * time.Hour, bucketReach, -bucketReach} {
			t.Run(fmt.Sprintf("%s before an edge, by %s", bucketEdge.Sub(from), by), func(t *testing.T) {
				r := newMovingStartRig(t)
				r.records(call("a", start(from), alts("a2"), version(1)))
				r.reopen()
				for _, at := range []time.Time{from.Add(by), from, from.Add(by)} {
					for _, id := range []string{"a", "a2"} {
						if got := r.records(call(id, start(at), version(1))); got.New != 0 || got.Duplicate != 1 {
							t.Fatalf("%s at %s: %+v", id, at, got)
						}
					}
				}
				if got := r.total("cdr_calls_total"); got != 1 || r.entries(byHour) != 0 {
					t.Errorf("%d calls, %d rows by hour", got, r.entries(byHour))
				}
			})
		}
	}
}

// counting.md 15: what comes under another id later is found by that one too, beside the
// record, and not by the start of the version that brought it.
func TestRule15MovingStartLaterID(t *testing.T) {
	r := newMovingStartRig(t)
	from := epoch.Add(-200 * time.Hour)
	r.records(call("a", start(from)))
	r.records(call("b", alts("a"), start(from.Add(190*time.Hour))))
	r.reopen()
	if got := r.records(call("b", start(from.Add(100*time.Hour)))); got.New != 0 {
		t.Errorf("%+v", got)
	}
	if got, want := r.entries(func(b int64) bool { return b == factBucket(from) }), r.entries(byFact); got != want {
		t.Errorf("%d of %d rows where the record is", got, want)
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
			if floor := r.feed.State().Floor; from.Add(bucketReach).Before(floor) || from.Add(bucketReach).Sub(floor) > time.Hour {
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
	r.commit(&counting.Page{Position: &counting.Position{Watermark: watermark}})
	if err := r.ledger.Prune(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
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
	r.moveJournal()
	r.clock.add(200 * 24 * time.Hour)
	r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at}})
	more, err := r.feed.pruneOnce(t.Context())
	if left := r.entries(byFact); err != nil || !more || left != 4 {
		t.Fatalf("pruned: %v, %v, %d entries left, want the record's 4", more, err, left)
	}
	if got := r.records(known()); got.TooOld != 1 || r.total("cdr_sessions_total") != 3 {
		t.Errorf("%+v, %d sessions", got, r.total("cdr_sessions_total"))
	}
}

// counting.md 5: what is known is known below the floor too; what isn't is too old.
func TestRule05MovingStartFloor(t *testing.T) {
	r := newMovingStartRig(t)
	below := start(r.feed.State().Origin.Add(-time.Hour))
	r.records(call("a", version(1)))
	if got := r.records(call("a", below, version(2)), call("b", below)); got.Revised != 1 || got.TooOld != 1 {
		t.Errorf("%+v", got)
	}
}

// Guarantee 3 without hours: a parent is found wherever it is.
func TestMovingStartParents(t *testing.T) {
	r := newMovingStartRig(t)
	r.spec.Parents = true
	r.reopen()
	r.records(call("p", outcome(cdr.Failed), start(epoch.Add(-150*time.Hour))))
	r.records(call("c", outcome(cdr.Failed), childOf("p")))
	if got := r.total("cdr_call_failures_total"); got != 1 {
		t.Errorf("%d failures, want the parent's", got)
	}
}
