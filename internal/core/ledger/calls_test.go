package ledger

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
)

// settle is how long a call of these tests waits for further legs.
const settle = 10 * time.Minute

// newCallRig is a rig of a live feed whose calls have several records.
func newCallRig(t *testing.T) *rig {
	t.Helper()
	r := newRig(t)
	r.spec.Legs, r.spec.Settle, r.spec.WholeAfter = true, settle, 4*time.Hour
	r.reopen()
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
	if err := r.ledger.engine.ScanRow(`SELECT count(*) FROM tasks WHERE kind = ?`, []any{work.Call},
		&stored); err != nil {
		r.t.Fatal(err)
	}
	if got := r.total("cdr_calls_total"); got != counted || r.feed.waitingCalls != waiting || stored != waiting {
		r.t.Errorf("%s: %d calls, %d wait, %d are stored; want %d, %d", when, got, r.feed.waitingCalls, stored, counted,
			waiting)
	}
}

// leg is a record of the call g.
func leg(id string, options ...func(*cdr.Record)) *cdr.Record {
	return call(id, append([]func(*cdr.Record){inGroup("g"), func(r *cdr.Record) { r.CallID = "c" }}, options...)...)
}

// counting.md 36: legs that wait are durable. After a failure or a kill at any write of any of its
// commits a call is counted once and logged once.
func TestWaitingLegsAreDurable(t *testing.T) {
	faults := map[string]func(r *rig, commit func()){
		"a write that fails": func(_ *rig, commit func()) { commit() },
		"a kill":             func(_ *rig, commit func()) { commit() },
	}
	for fault := range faults {
		t.Run(fault, func(t *testing.T) {
			r := newCallRig(t)
			everyWrite := func(page func() *counting.Page) {
				t.Helper()
				for at := 1; ; at++ {
					write, image := 0, Storage{}
					r.probe = func(point string) error {
						if write++; write != at || point == "committed" {
							return nil
						}
						if fault == "a kill" {
							image = r.image()
							return nil
						}
						return errInjected
					}
					_, err := r.feed.Commit(t.Context(), page())
					r.probe = nil
					switch {
					case image != (Storage{}):
						r.crash(image)
					case err == nil:
						if at < 5 {
							t.Fatalf("only %d writes: this shows nothing", write)
						}
						return
					case !errors.Is(err, errInjected):
						t.Fatal(err)
					}
				}
			}
			records := func(all ...*cdr.Record) func() *counting.Page {
				return func() *counting.Page { return &counting.Page{ObservedAt: r.clock.at, Records: all} }
			}
			everyWrite(records(leg("a", outcome(cdr.NoAnswer)), leg("open", provisional)))
			r.wantCalls("the first leg", 0, 1)
			everyWrite(records(leg("b", lasts(7*time.Second)), leg("open", outcome(cdr.Busy))))
			r.wantCalls("all legs", 0, 1)
			r.clock.add(settle)
			everyWrite(r.read)
			r.wantCalls("it has settled", 1, 0)
			everyWrite(records(leg("late", start(epoch.Add(-5*time.Minute)), lasts(3*time.Second))))
			r.wantCalls("a late leg", 1, 0)
			wantValues(t, r.values(), map[string]string{
				answered: "1", "cdr_call_failures_total": "",
				"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":         "1/7",
				"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}": "10",
				"cdr_trunk_connected_seconds_total{sbc1.example.com,inbound}":         "10",
				"cdr_call_legs_total{inbound,sbc1.example.com,byot_in,answered}":      "2",
				"cdr_call_legs_total{inbound,sbc1.example.com,byot_in,no_answer}":     "1",
			})
			var names []string
			for _, line := range r.logs() {
				names = append(names, strings.Join(strings.Fields(line)[:2], " "))
			}
			slices.Sort(names)
			if want := []string{
				"cdr.call a", "cdr.call.leg a", "cdr.call.leg b", "cdr.call.leg late",
				"cdr.call.leg open",
			}; !slices.Equal(names, want) {
				t.Errorf("logged %q, want %q", names, want)
			}
			if got := r.feed.State().Records; got != 1 {
				t.Errorf("%d records count as calls, want 1", got)
			}
		})
	}
}

// Another replica goes on with the calls that wait.
func TestWaitingLegsMoveToAnotherReplica(t *testing.T) {
	if server == "" {
		return // TestOnPostgres runs it
	}
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
	r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at}})
	if err := r.ledger.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.reopen()
	r.wantCalls("pruned", 1, 2)
	r.inspect(func(i *Inspector) {
		feeds, err := i.Feeds()
		if err != nil || len(feeds) != 1 || feeds[0].Waiting != 1 || feeds[0].Calls != 2 || feeds[0].SetAside != 0 {
			t.Errorf("%+v, %v", feeds, err)
		}
		if problems := i.Verify(func(string, int) {}); len(problems) > 0 {
			t.Errorf("verify says %v", problems)
		}
	})
	r.commit(r.read())
	r.wantCalls("read", 3, 0)
	r.wantWaiting(1, 0)
}

// A ledger that has counted a call, remembers one from before its origin and has one that waits is in order.
func TestVerifyCalls(t *testing.T) {
	r := newRig(t)
	r.spec.Legs, r.spec.Settle, r.spec.WholeAfter, r.spec.Lead = true, settle, 4*time.Hour, 4*time.Hour
	r.storage = newStorage(t)
	r.reopen()
	if s := r.feed.State(); !s.Floor.Equal(s.Origin.Add(-r.spec.Lead)) || !s.Watermark.Equal(s.Floor) {
		t.Errorf("it is read from %v on, its watermark is %v, its origin %v", s.Floor, s.Watermark, s.Origin)
	}
	before := start(epoch.Add(-25 * time.Hour))
	r.records(leg("a", before, inGroup("before")), leg("b", inGroup("before"), start(epoch.Add(-23*time.Hour))),
		leg("c"), leg("d"), call("alone"))
	r.settled()
	r.records(leg("e", inGroup("waits")))
	r.reopen()
	r.wantCalls("reopened", 2, 1)
	r.inspect(func(i *Inspector) {
		if problems := i.Verify(func(string, int) {}); len(problems) > 0 {
			t.Errorf("verify says %v", problems)
		}
	})
}

// counting.md 20: whether a first history's calls have waited `settle` once is durable.
func TestFirstHistoryOfCallsOverARestart(t *testing.T) {
	r := newRig(t)
	r.spec.Legs, r.spec.Settle, r.spec.WholeAfter = true, settle, 4*time.Hour
	r.reopen()
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

// Beyond 10,000 calls that wait the oldest count as they are, and what is due counts with one page, however much it is.
func TestMostCallsWait(t *testing.T) {
	if server != "" {
		return // it tests nothing of the database
	}
	r := newCallRig(t)
	r.tuning.Encoder = nil
	r.reopen()
	const surplus = 1200
	all := make([]*cdr.Record, counting.MostWaiting+surplus)
	for i := range all {
		at := epoch.Add(-10*time.Minute + time.Duration(i)*10*time.Millisecond)
		all[i] = call(fmt.Sprint("r", i), inGroup(fmt.Sprint("g", i)), start(at), outcome(cdr.Busy))
		if i >= surplus {
			all[i].Outcome = cdr.Answered
		}
	}
	for page := range slices.Chunk(all, 2000) {
		r.records(page...)
	}
	r.wantCalls("read", 0, counting.MostWaiting+surplus)
	result := r.commit(r.read())
	r.wantCalls("too many", surplus, counting.MostWaiting)
	if result.Incomplete != surplus || result.Waiting != counting.MostWaiting ||
		r.total("cdr_call_failures_total") != surplus {
		t.Errorf("%d incomplete, %d wait, %d failures: the oldest count", result.Incomplete, result.Waiting,
			r.total("cdr_call_failures_total"))
	}
	result = r.settled()
	r.wantCalls("settled", counting.MostWaiting+surplus, 0)
	if result.Incomplete != 0 || result.Counted != counting.MostWaiting || len(result.Delays) != counting.MostWaiting {
		t.Errorf("%d incomplete, %d counted, %d delays", result.Incomplete, result.Counted, len(result.Delays))
	}
}

// However many older calls wait for a deeper read, a read counts those that it looked at.
func TestOlderCallsAreInNoReadsWay(t *testing.T) {
	r := newCallRig(t)
	r.tuning.Encoder = nil
	r.reopen()
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
	r := newCallRig(t)
	r.spec.History = 100 * 24 * time.Hour
	r.storage = newStorage(t)
	r.reopen()
	r.commit(r.read())
	// At the end of a span: the last leg lies in the next one.
	first := bucketEdge.Add(-time.Second)
	r.records(leg("a", start(first), outcome(cdr.NoAnswer)))
	r.settled()
	r.wantCalls("counted", 1, 0)
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

// A call and its legs are logged without what privacy removes, and nothing of it waits in the ledger.
func TestPrivacyOfLegs(t *testing.T) {
	r := newCallRig(t)
	r.spec.Parents = true
	r.reopen()
	secret := func(r *cdr.Record) {
		r.CallerNumber, r.UserPrincipal, r.UserID = "+15550100001", "jane@contoso.example", "u-4711"
		r.ReasonPhrase, r.CallID = "no route to +15550100001", "c-15550100001@203.0.113.77"
		r.Extra = []cdr.Attr{
			cdr.Text("client_public_ip", "203.0.113.77", cdr.Address),
			cdr.Text("line", "+15550100001", cdr.Number),
		}
		r.Channel, r.Synthetic = "SIP/+15550100001-7", "in|1|+15550100001|"+r.ID
		r.Parent, r.AltIDs = "p-+15550100001", []string{"+15550100001-" + r.ID}
	}
	personal := []string{"5550100001", "5550100002", "Jane", "jane", "203.0.113.77", "u-4711"}
	wantNothing := func(where, text string) {
		t.Helper()
		for _, word := range personal {
			if strings.Contains(text, word) {
				t.Errorf("%s: %s is in %s", where, word, text)
			}
		}
	}
	r.records(leg("a", secret, outcome(cdr.NoAnswer)), leg("b", secret), leg("c", secret, provisional))
	r.wantCalls("read", 0, 1)
	if err := r.ledger.engine.ScanAll(`SELECT kind, key, data FROM tasks`, nil, func(rows *sql.Rows) error {
		var kind, key, data string
		err := rows.Scan(&kind, &key, &data)
		if data == "" {
			t.Error("nothing is in the task")
		}
		wantNothing("a task", kind+" "+key+" "+data)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	r.records(leg("c", secret))
	r.settled()
	r.records(leg("late", secret))
	logs := r.logs()
	wantNothing("the outbox", strings.Join(logs, "\n"))
	names := make(map[string]int)
	for _, line := range logs {
		name, _, _ := strings.Cut(line, " ")
		if names[name]++; !strings.Contains(line, "from=+1555010****") {
			t.Errorf("%s lacks the masked number", line)
		}
	}
	if want := map[string]int{"cdr.call": 1, "cdr.call.leg": 4}; !maps.Equal(names, want) {
		t.Errorf("log records %v, want %v", names, want)
	}
	for at, data := range r.remembered() {
		wantNothing(fmt.Sprint("bucket ", at.bucket), string(data))
	}
}
