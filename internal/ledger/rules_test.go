package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/counting"
)

// Guarantee 1, and counting.md 16: the same row is counted once wherever it comes again.
func TestOnceAcrossPagesPollsAndRestarts(t *testing.T) {
	r := newRig(t)
	r.live()
	got := r.records(call("a"), call("b"), call("a"))
	if got.New != 2 || got.Duplicate != 1 {
		t.Fatalf("first page: %+v, want 2 new, 1 duplicate", got)
	}
	if got := r.records(call("b"), call("c")); got.New != 1 || got.Duplicate != 1 {
		t.Fatalf("second page: %+v, want 1 new, 1 duplicate", got)
	}
	r.reopen()
	if got := r.records(call("a"), call("b"), call("c")); got.New != 0 || got.Duplicate != 3 {
		t.Fatalf("after restart: %+v, want 3 duplicates", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}":            "3",
		"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":                 "3/180",
		"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}":         "180",
		"cdr_call_failures_total{inbound,sbc1.example.com,answered,,,,unknown,false}": "",
		"cdr_call_charges_total{inbound,byot_in,XXX,usage,}":                          "",
		"cdr_call_charge_corrections_total{inbound,byot_in,XXX,usage,,debit}":         "",
		"cdr_call_outcome_changes_total{answered,failed}":                             "",
		"cdr_media_bypass_ratio{sbc1.example.com}":                                    "",
		"cdr_emergency_calls_total{answered,false}":                                   "",
		"cdr_calls_by_location_total{,}":                                              "",
		"cdr_call_setup_seconds{inbound,sbc1.example.com}":                            "",
		"cdr_media_bypass_calls_total{sbc1.example.com,true}":                         "",
	})
	if logs := r.logs(); len(logs) != 3 {
		t.Fatalf("logs: %q, want 3", logs)
	}
}

// Money: the first known amount is a charge, what changes later a correction, a
// changed currency credits the old and debits the new.
func TestMoneyRevisions(t *testing.T) {
	r := newRig(t)
	r.live()
	for _, step := range []struct {
		name    string
		record  *cdr.Record
		revised int
	}{
		{"no amount yet", call("a"), 0},
		{"the first amount, brought by a revision", call("a", charge(t, "usage", "USD", "0.10")), 1},
		{"the same by value", call("a", charge(t, "usage", "USD", "0.1")), 0},
		{"dearer", call("a", charge(t, "usage", "USD", "0.35")), 1},
		{"cheaper", call("a", charge(t, "usage", "USD", "0.30")), 1},
		{"no amount any more: nothing is said", call("a"), 0},
		{"another currency", call("a", charge(t, "usage", "EUR", "0.25")), 1},
	} {
		if got := r.records(step.record); got.Revised != step.revised {
			t.Fatalf("%s: %+v, want %d revised", step.name, got, step.revised)
		}
	}
	r.records(call("b", charge(t, "usage", "USD", "-2")))
	r.records(call("z", charge(t, "usage", "USD", "0")))
	if got := r.records(call("z", charge(t, "usage", "USD", "0.5"))); got.Revised != 1 {
		t.Fatalf("a zero is a known amount: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_call_charges_total{inbound,byot_in,USD,usage,}":                   "0.1",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,debit}":  "0.75",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,credit}": "2.35",
		"cdr_call_charge_corrections_total{inbound,byot_in,EUR,usage,,debit}":  "0.25",
		"cdr_call_charges_total{inbound,byot_in,EUR,usage,}":                   "",
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}":     "3",
	})
}

// counting.md 16: what a revision is, and how many are logged.
func TestRule16Revision(t *testing.T) {
	t.Run("a field that both carry changed", func(t *testing.T) {
		r := newRig(t)
		r.live()
		r.records(call("a"))
		got := r.records(call("a", outcome(cdr.Failed), func(r *cdr.Record) { r.Trunk = "sbc2.example.com" }))
		if got.Revised != 1 {
			t.Fatalf("%+v, want 1 revised", got)
		}
		last := r.logs()[1]
		if !strings.HasPrefix(last, "cdr.call.revised a v2 failed") || !strings.HasSuffix(last, " cdr.outcome,cdr.trunk") {
			t.Fatalf("log: %q", last)
		}
		wantValues(t, r.values(), map[string]string{
			"cdr_call_outcome_changes_total{answered,failed}":                  "1",
			"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1",
		})
	})
	t.Run("a field that only one carries is none", func(t *testing.T) {
		r := newRig(t)
		r.live()
		r.records(call("a"))
		with := func(r *cdr.Record) { r.Extra = []cdr.Attr{cdr.Text("operator", "X", cdr.Plain)} }
		if got := r.records(call("a", with)); got.Duplicate != 1 {
			t.Fatalf("appearing: %+v", got)
		}
		if got := r.records(call("a")); got.Duplicate != 1 {
			t.Fatalf("vanishing: %+v", got)
		}
		other := func(r *cdr.Record) { r.Extra = []cdr.Attr{cdr.Text("operator", "Y", cdr.Plain)} }
		if got := r.records(call("a", other)); got.Revised != 1 {
			t.Fatalf("changing: %+v", got)
		}
		if logs := r.logs(); !strings.HasSuffix(logs[len(logs)-1], " cdr.msgraph.operator") {
			t.Fatalf("log: %q", logs)
		}
	})
	t.Run("only a greater provider version counts", func(t *testing.T) {
		r := newRig(t)
		r.live()
		v := func(n int64, o cdr.Outcome) *cdr.Record {
			return call("a", outcome(o), func(r *cdr.Record) { r.Version = n })
		}
		// On one page out of order: folded in version order.
		if got := r.records(v(3, cdr.Busy), v(1, cdr.Answered)); got.New != 1 || got.Revised != 1 {
			t.Fatalf("page: %+v", got)
		}
		if got := r.records(v(2, cdr.Failed)); got.Duplicate != 1 {
			t.Fatalf("older: %+v", got)
		}
		wantValues(t, r.values(), map[string]string{
			"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1",
			"cdr_call_outcome_changes_total{answered,busy}":                    "1",
			"cdr_call_outcome_changes_total{busy,failed}":                      "",
		})
	})
	t.Run("at most 8 are logged", func(t *testing.T) {
		r := newRig(t)
		r.live()
		r.records(call("a"))
		for i := range 20 {
			o := cdr.Busy
			if i%2 == 1 {
				o = cdr.Answered
			}
			if got := r.records(call("a", outcome(o))); got.Revised != 1 {
				t.Fatalf("revision %d: %+v", i, got)
			}
		}
		if logs := r.logs(); len(logs) != 9 {
			t.Fatalf("%d logs, want 9", len(logs))
		}
	})
}

// counting.md 15: keys by hour, and the neighbouring hour within 15 minutes.
func TestRule15KeysByHour(t *testing.T) {
	edge := epoch.Add(-time.Hour) // on the hour
	for _, c := range []struct {
		name          string
		first, second time.Time
		known         bool
	}{
		{"moved over the edge by a second", edge.Add(-time.Second), edge, true},
		{"moved back over the edge", edge.Add(10 * time.Minute), edge.Add(-10 * time.Minute), true},
		{"within the hour, far", edge.Add(time.Minute), edge.Add(50 * time.Minute), true},
		{"a fraction of a second", edge.Add(-time.Millisecond), edge, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.live()
			r.records(call("a", start(c.first)))
			got := r.records(call("a", start(c.second)))
			if (got.New == 0) != c.known {
				t.Fatalf("%+v, known should be %v", got, c.known)
			}
			// It keeps its first hour: found again from either side.
			if got := r.records(call("a", start(c.first))); got.New != 0 {
				t.Fatalf("again: %+v", got)
			}
		})
	}
}

// counting.md 14: facts count once each; rows set aside are known by content.
func TestRule14Facts(t *testing.T) {
	r := newRig(t)
	r.live()
	recorded := func(id string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.Recordings = []cdr.Recording{{ID: id, Type: "Automatic"}} }
	}
	r.records(call("a"))
	r.records(call("a", recorded("r1")), call("b", recorded("r1")))
	r.records(call("a", recorded("r1")))
	bad := []counting.BadRow{{Content: []byte("{x"), At: "page 1, row 3", Problem: "duration is a string"}}
	if got := r.commit(&counting.Page{Invalid: bad, Ignored: []counting.BadRow{{Content: []byte("fax")}}}); got.Invalid != 1 || got.Ignored != 1 || got.BadRows[0].At != bad[0].At {
		t.Fatalf("first: %+v", got)
	}
	r.reopen()
	if got := r.commit(&counting.Page{Invalid: bad, Ignored: []counting.BadRow{{Content: []byte("fax")}}}); got.Invalid != 0 || got.Ignored != 0 || len(got.BadRows) != 0 {
		t.Fatalf("again: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_recordings_total{Automatic}":                                  "1",
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "2",
	})
}

// counting.md 17: what isn't final is neither counted nor remembered.
func TestRule17Final(t *testing.T) {
	r := newRig(t)
	r.live()
	open := func(r *cdr.Record) { r.Provisional = true; r.Outcome = cdr.Unknown }
	if got := r.records(call("a", open)); got.New+got.Duplicate+got.Revised+got.TooOld != 0 {
		t.Fatalf("provisional: %+v", got)
	}
	if got := r.records(call("a")); got.New != 1 || got.Revised != 0 {
		t.Fatalf("final: %+v", got)
	}
	// After its lookback it is counted as it stands.
	r.records(call("b", open))
	r.clock.add(r.spec.Lookback)
	if got := r.records(call("b", open)); got.New != 1 {
		t.Fatalf("after the lookback: %+v", got)
	}
}

// counting.md 18: synthetic keys, twins, several keys.
func TestRule18NoID(t *testing.T) {
	r := newRig(t)
	r.live()
	twin := func(n int) *cdr.Record {
		return call("", func(r *cdr.Record) { r.ID, r.Synthetic, r.Twin = "", "placed|1|2|3", n })
	}
	if got := r.records(twin(0), twin(1)); got.New != 2 {
		t.Fatalf("twins: %+v", got)
	}
	if got := r.records(twin(0), twin(1), twin(2)); got.New != 1 || got.Duplicate != 2 {
		t.Fatalf("one more: %+v", got)
	}
	if logs := r.logs(); strings.Contains(strings.Join(logs, " "), "placed|1") {
		t.Fatalf("the synthetic key is in the logs: %q", logs)
	}
	call := func(id string, options ...func(*cdr.Record)) *cdr.Record {
		return call(id, append(options, func(r *cdr.Record) { r.CallID = "c" })...)
	}
	both := call("new-id", func(r *cdr.Record) { r.AltIDs = []string{"old-id"} })
	r.records(call("old-id"))
	if got := r.records(both); got.Duplicate != 1 {
		t.Fatalf("one key known: %+v", got)
	}
	if got := r.records(call("new-id")); got.Duplicate != 1 {
		t.Fatalf("the other key: %+v", got)
	}
	if got := r.records(call("new-id", outcome(cdr.Busy))); got.Revised != 1 {
		t.Fatalf("revised by the other key: %+v", got)
	}
	if got := r.records(call("old-id", outcome(cdr.Busy))); got.Duplicate != 1 {
		t.Fatalf("known under the first key too: %+v", got)
	}
}

// counting.md 5: the floor, and what lies below it.
func TestRule05Floor(t *testing.T) {
	r := newRig(t)
	r.live()
	before := r.feed.State().Origin.Add(-time.Second)
	if got := r.records(call("old", start(before))); got.TooOld != 1 || got.New != 0 {
		t.Fatalf("before the origin: %+v", got)
	}
	r.records(call("a", start(epoch.Add(-20*time.Hour))), call("b"))
	keep := r.spec.Lookback*5/4 + 48*time.Hour
	r.clock.add(200 * time.Hour)
	r.commit(&counting.Page{Position: &counting.Position{Watermark: r.clock.at.Add(-time.Minute)}})
	if err := r.ledger.Prune(t.Context()); err != nil {
		t.Fatal(err)
	}
	state := r.feed.State()
	if limit := state.Watermark.Add(-keep); state.Floor.After(limit) || limit.Sub(state.Floor) > time.Hour {
		t.Fatalf("floor %v, want within an hour below %v", state.Floor, limit)
	}
	if got := r.records(call("a", start(epoch.Add(-20*time.Hour)))); got.TooOld != 1 {
		t.Fatalf("pruned and read again: %+v", got)
	}
	if ids := r.entries(anyBucket); ids != 0 {
		t.Fatalf("%d ids left", ids)
	}
	// Raising history or lookback later lowers neither.
	r.spec.History, r.spec.Lookback = 1000*time.Hour, 1000*time.Hour
	r.reopen()
	if got := r.feed.State(); !got.Floor.Equal(state.Floor) || !got.Origin.Equal(state.Origin) {
		t.Fatalf("origin %v floor %v moved", got.Origin, got.Floor)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1",
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,true}":  "1",
	})
}

// counting.md 1: a second writer is noticed.
func TestRule01CompareAndSet(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a"))
	if _, err := r.ledger.engine.exec(`UPDATE feeds SET seq = seq + 1, newest = 7000000 WHERE id = ?`, r.feed.id); err != nil {
		t.Fatal(err)
	}
	if _, err := r.feed.Commit(t.Context(), &counting.Page{Records: []*cdr.Record{call("b")}}); !errors.Is(err, ErrFenced) {
		t.Fatalf("err = %v, want ErrFenced", err)
	}
	if got := r.feed.State().NewestCall; got.Unix() != 7 {
		t.Fatalf("state wasn't read again: newest call %v", got)
	}
	if got := r.records(call("b")); got.New != 1 {
		t.Fatalf("going on: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// panicking breaks while the transaction is open.
type panicking struct{}

func (panicking) AppendRecord([]byte, *cdr.Record, *counting.Event) []byte { panic("encoder") }

// counting.md 1: a panic within a commit leaves no trace either.
func TestRule01Panic(t *testing.T) {
	r := newRig(t)
	r.live()
	r.records(call("a"))
	tuning := r.tuning
	tuning.Encoder = panicking{}
	r.ledger.Tune(tuning, r.opts)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		r.records(call("b"))
	}()
	r.ledger.Tune(r.tuning, r.opts)
	r.records(call("b"))
	wantValues(t, r.values(), map[string]string{answered: "2"})
	r.reopen()
	wantValues(t, r.values(), map[string]string{answered: "2"})
}

// Lateness is reckoned by the provider's clock, zero_for and start times by ours.
func TestClocksAreKeptApart(t *testing.T) {
	r := newRig(t)
	r.opts.ZeroFor = time.Minute
	r.reopen()
	r.live()
	r.commit(&counting.Page{Records: []*cdr.Record{call("a")}, ObservedAt: epoch.Add(3 * time.Hour)})
	r.clock.add(time.Minute)
	r.show()
	wantValues(t, r.values(), map[string]string{"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,true}": "1"})
	if got := r.starts()["cdr_calls_total"]; !got.Equal(epoch) {
		t.Fatalf("start %v, want %v", got, epoch)
	}
}

// counting.md 1: an error of COMMIT means unknown; the file says whether it was ours.
func TestRule01UnknownCommit(t *testing.T) {
	failing := errors.New("the wire was cut")
	for _, c := range []struct {
		name, point string
		durable     bool
	}{
		{"before it was durable", "COMMIT", false},
		{"after it was durable", "committed", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.live()
			r.probe = func(point string) error {
				if point == c.point {
					r.probe = nil
					return failing
				}
				return nil
			}
			_, err := r.feed.Commit(t.Context(), &counting.Page{Records: []*cdr.Record{call("a")}, ObservedAt: epoch})
			if (err == nil) != c.durable {
				t.Fatalf("err = %v, durable %v", err, c.durable)
			}
			r.records(call("a"))
			wantValues(t, r.values(), map[string]string{"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1"})
			if logs := r.logs(); len(logs) != 1 {
				t.Fatalf("logs: %q", logs)
			}
		})
	}
}

// A feed that can't be pruned keeps no other one from it.
func TestPruneGoesOnAfterAFailure(t *testing.T) {
	r := newRig(t)
	var others []*Feed
	for i := range 10 {
		spec := r.spec
		spec.Feed = fmt.Sprint("feed", i)
		own(t, r.ledger, spec)
		f, err := r.ledger.Feed(t.Context(), spec)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, f)
	}
	r.live()
	at := epoch.Add(-time.Hour)
	r.records(call("a", start(at)))
	r.moveJournal()
	r.records(call("b", start(at)))
	if _, err := r.ledger.engine.exec(inWords(`UPDATE blocks SET keys = x'00'`)); err != nil {
		t.Fatal(err)
	}
	r.feed.ids.release() // as when the cache had no room for it
	r.clock.add(300 * time.Hour)
	for _, f := range others {
		if _, err := f.Commit(t.Context(), &counting.Page{ObservedAt: r.clock.at, Position: &counting.Position{HistoryDone: true, Watermark: r.clock.at}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.ledger.Prune(t.Context()); err == nil || !strings.Contains(err.Error(), r.spec.Source+"/"+r.spec.Feed) {
		t.Fatalf("the error is %v", err)
	}
	for _, f := range others {
		if s := f.State(); !s.Floor.After(s.Origin) {
			t.Fatalf("%s isn't pruned", f.spec.Feed)
		}
	}
}
