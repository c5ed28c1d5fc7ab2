package ledger

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// settle is how long a call of these tests waits for further legs.
const settle = 10 * time.Minute

// newCallRig is a rig of a live feed whose calls have several records.
func newCallRig(t *testing.T, change ...func(*rig)) *rig {
	t.Helper()
	r := newRig(t, append(change, func(r *rig) {
		r.spec.Legs, r.spec.Settle, r.spec.WholeAfter = true, settle, 4*time.Hour
	})...)
	r.commit(r.read())
	return r
}

// read is the page that ends a complete read.
func (r *rig) read() *counting.Page {
	return &counting.Page{ObservedAt: r.clock.at, Position: &counting.Position{
		Watermark: r.clock.at, HistoryDone: true, Read: &counting.Read{Began: r.clock.at},
	}}
}

// settled reads everything once what was read before has settled.
func (r *rig) settled() counting.Result {
	r.t.Helper()
	r.clock.add(settle)
	return r.commit(r.read())
}

// wantCalls expects how many calls are counted and how many wait.
func (r *rig) wantCalls(when string, counted, waiting int) {
	r.t.Helper()
	var stored int
	err := r.ledger.engine.ScanRow(`SELECT count(*) FROM tasks WHERE kind = ?`, []any{work.Call}, &stored)
	require.NoError(r.t, err)
	if got := r.total("cdr_calls_total"); got != counted || r.feed.waitingCalls != waiting || stored != waiting {
		r.t.Errorf("%s: %d calls, %d wait, %d are stored; want %d, %d", when, got, r.feed.waitingCalls, stored, counted,
			waiting)
	}
}

// leg is a record of the call g.
func leg(id string, options ...func(*cdr.Record)) *cdr.Record {
	return call(id, append([]func(*cdr.Record){inGroup("g"), func(r *cdr.Record) { r.CallID = "c" }}, options...)...)
}

// Another replica goes on with the calls that wait.
func TestWaitingLegsMoveToAnotherReplica(t *testing.T) {
	a := newCallRig(t)
	a.records(leg("a", outcome(cdr.NoAnswer)))
	b := replicaOf(a, "b")
	b.takeOver(a)
	a.ledger.Drop(a.spec.Source, a.spec.Feed)
	b.wantCalls("taken over", 0, 1)
	b.records(leg("b"), leg("a", outcome(cdr.NoAnswer)))
	b.settled()
	b.wantCalls("settled", 1, 0)
	c := replicaOf(a, "c") // a replica that has left doesn't come back
	c.takeOver(b)
	c.records(leg("a", outcome(cdr.NoAnswer)), leg("b"))
	c.settled()
	c.wantCalls("taken over again", 1, 0)
	wantValues(t, c.values(), map[string]string{answered: "1", "cdr_call_failures_total": ""})
}

// A leg that was read while the clock was ahead for days doesn't have its call wait for these days.
func TestCallReadByAClockThatWasAhead(t *testing.T) {
	r := newCallRig(t)
	r.clock.add(72 * time.Hour)
	r.commit(r.read())
	r.records(leg("a"))
	r.clock.add(-72 * time.Hour)
	r.settled()
	r.wantCalls("the clock was set", 1, 0)
}

// A call that waits for legs isn't a task of the feed: nothing fetches, shows or prunes it. An
// Inspector counts it separately.
func TestWaitingCallsAreNoWork(t *testing.T) {
	r := newCallRig(t)
	r.records(leg("a"), call("alone"), leg("other", inGroup("other")))
	r.enqueue(work.Item{Kind: "fetch", Key: "k", Version: 1, Due: r.clock.at})
	r.wantWaiting(1, 0)
	r.clock.add(50 * 24 * time.Hour)
	if got := r.due(); !slices.Equal(got, []string{"fetch k 1"}) {
		t.Errorf("due are %q", got)
	}
	r.readTo(r.clock.at)
	r.prune()
	r.reopen()
	r.wantCalls("pruned", 1, 2)
	r.inspect(func(i *Inspector) {
		feeds, err := i.Feeds()
		if err != nil || len(feeds) != 1 || feeds[0].Waiting != 1 || feeds[0].Calls != 2 || feeds[0].SetAside != 0 {
			t.Errorf("%+v, %v", feeds, err)
		}
		wantSound(t, i)
	})
	r.commit(r.read())
	r.wantCalls("read", 3, 0)
	r.wantWaiting(1, 0)
}

// A report lists the calls that wait, those that are held for longest first.
func TestWaitingCallsAreListed(t *testing.T) {
	r := newCallRig(t)
	first := leg("a").Start
	r.records(leg("a"), leg("b", inGroup("held")),
		leg("open", inGroup("held"), start(first.Add(-time.Minute)), provisional))
	r.inspect(func(i *Inspector) {
		feeds, err := i.Feeds()
		require.NoError(t, err)
		want := []counting.WaitingCall{
			{
				Start: first.Add(-time.Minute), RecordID: "open", Legs: 2, Open: 1,
				Due: first.Add(time.Minute + r.spec.WholeAfter), // b took a minute
			},
			{Start: first, RecordID: "a", Legs: 1, Due: r.clock.at.Add(settle)},
		}
		if got := feeds[0].WaitingCalls; !slices.Equal(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

// A ledger that has counted a call, remembers one from before its origin and has one that waits is in order.
func TestVerifyCalls(t *testing.T) {
	r := newRig(t, func(r *rig) {
		r.spec.Legs, r.spec.Settle, r.spec.WholeAfter, r.spec.Lead = true, settle, 4*time.Hour, 4*time.Hour
	})
	if s := r.feed.State(); !s.Floor.Equal(s.Origin.Add(-r.spec.Lead)) || !s.Watermark.Equal(s.Floor) {
		t.Errorf("it is read from %v on, its watermark is %v, its origin %v", s.Floor, s.Watermark, s.Origin)
	}
	r.records(leg("a", before(25*time.Hour), inGroup("before")), leg("b", before(23*time.Hour), inGroup("before")),
		leg("c"), leg("d"), call("alone"))
	r.settled()
	r.records(leg("e", inGroup("waits")))
	r.reopen()
	r.wantCalls("reopened", 2, 1)
	r.inspect(func(i *Inspector) { wantSound(t, i) })
}

// counting.md 20: whether a first history's calls have waited `settle` once is durable.
func TestFirstHistoryOfCallsOverARestart(t *testing.T) {
	r := newRig(t, func(r *rig) { r.spec.Legs, r.spec.Settle, r.spec.WholeAfter = true, settle, 4*time.Hour })
	r.records(leg("old", inGroup("old"), start(epoch.Add(-5*time.Hour))), leg("a", provisional))
	wantShown := func(when string, shown bool, calls int) {
		t.Helper()
		r.reopen()
		if got := r.feed.State().HistoryDone; got != shown {
			t.Errorf("%s: shown %t", when, got)
		}
		r.wantCalls(when, calls, 1)
	}
	r.commit(r.read())
	wantShown("read", false, 0)
	r.clock.add(settle - time.Second)
	r.commit(r.read())
	wantShown("read before it settled", false, 0)
	r.clock.add(time.Second)
	r.commit(r.read())
	wantShown("settled", true, 1)
}

// Beyond 10,000 calls that wait the oldest count as they are. Those that are whole aren't among them.
func TestMostCallsWait(t *testing.T) {
	r := newCallRig(t, func(r *rig) { r.tuning.Encoder = nil })
	const surplus = 1200
	all := make([]*cdr.Record, counting.MostWaiting+surplus)
	for i := range all {
		at := epoch.Add(-10*time.Minute + time.Duration(i)*10*time.Millisecond)
		all[i] = call(fmt.Sprint("r", i), inGroup(fmt.Sprint("g", i)), start(at), outcome(cdr.Busy))
		if i >= surplus {
			all[i].Outcome = cdr.Answered
		}
	}
	if _, err := r.try(all...); err != nil {
		t.Fatal(err)
	}
	r.wantCalls("read", 0, counting.MostWaiting+surplus)
	result := r.commit(r.read())
	r.wantCalls("too many", surplus, counting.MostWaiting)
	if result.Incomplete != surplus || result.Waiting != counting.MostWaiting ||
		r.total("cdr_call_failures_total") != surplus {
		t.Errorf("%d incomplete, %d wait, %d failures: the oldest count", result.Incomplete, result.Waiting,
			r.total("cdr_call_failures_total"))
	}
	again := make([]*cdr.Record, surplus)
	for i := range again {
		again[i] = call(fmt.Sprint("more", i), inGroup(fmt.Sprint("more", i)), start(epoch))
	}
	if _, err := r.try(again...); err != nil {
		t.Fatal(err)
	}
	if result = r.settled(); result.Incomplete != 0 || result.Waiting != 0 {
		t.Errorf("settled: %d incomplete, %d wait, of calls that are all whole", result.Incomplete, result.Waiting)
	}
}

// However many older calls wait for a deeper read, a read counts those that it looked at, all with
// one page.
func TestOlderCallsAreInNoReadsWay(t *testing.T) {
	r := newCallRig(t, func(r *rig) { r.tuning.Encoder = nil })
	const older = counting.DueAtOnce + 5
	all := make([]*cdr.Record, older+1)
	for i := range all {
		all[i] = call(fmt.Sprint("r", i), inGroup(fmt.Sprint("g", i)), start(epoch.Add(-3*time.Hour)))
	}
	all[older].Start = epoch.Add(-time.Minute)
	r.records(all...)
	r.clock.add(settle)
	page := r.read()
	page.Position.Read.From = epoch.Add(-time.Hour)
	r.commit(page)
	r.wantCalls("a shallow read", 1, older)
	r.commit(r.read())
	r.wantCalls("a deep one", older+1, 0)
}

// counting.md 5: a call that was counted is known for as long as its legs may come. After that it is
// forgotten.
func TestCountedCallsArePruned(t *testing.T) {
	r := newCallRig(t, func(r *rig) { r.spec.History = 100 * 24 * time.Hour })
	// At the end of a span: the last leg lies in the next one.
	first := bucketEdge.Add(-time.Second)
	r.records(leg("a", start(first), outcome(cdr.NoAnswer)))
	r.settled()
	r.wantCalls("counted", 1, 0)
	keep := r.spec.Lookback*5/4 + 48*time.Hour
	prune := func(at time.Time) {
		t.Helper()
		r.clock.at = at
		r.readTo(at)
		r.prune()
		r.reopen()
	}
	last := first.Add(48 * time.Hour)
	prune(last.Add(keep)) // the floor has passed the first leg: its id is forgotten
	if ids := r.entries(byHour); ids != 0 {
		t.Fatalf("%d ids left", ids)
	}
	r.records(leg("b", start(last)))
	r.settled()
	r.wantCalls("the last that may come", 1, 0)
	wantValues(t, r.values(), map[string]string{"cdr_call_outcome_changes_total{no_answer,answered}": "1"})
	prune(last.Add(keep + bucketReach + 2*counting.BucketSeconds*time.Second))
	if left := r.entries(anyBucket); left != 0 {
		t.Errorf("%d rows left", left)
	}
}
