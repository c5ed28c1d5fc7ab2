package counting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// Money: the first known amount is a charge, what changes later a correction, a
// changed currency credits the old and debits the new.
func TestMoneyRevisions(t *testing.T) {
	r := newRig(t, counting.Rules{})

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
		r := newRig(t, counting.Rules{})

		r.records(call("a"))
		got := r.records(call("a", outcome(cdr.Failed), func(r *cdr.Record) { r.Trunk = "sbc2.example.com" }))
		if got.Revised != 1 {
			t.Fatalf("%+v, want 1 revised", got)
		}
		last := r.lines[1]
		if !strings.HasPrefix(last, "cdr.call.revised a v2 failed") ||
			!strings.HasSuffix(last, " cdr.outcome,cdr.trunk") {
			t.Fatalf("log: %q", last)
		}
		wantValues(t, r.values(), map[string]string{
			"cdr_call_outcome_changes_total{answered,failed}":                  "1",
			"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "1",
		})
	})
	t.Run("a field that only one carries is none", func(t *testing.T) {
		r := newRig(t, counting.Rules{})

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
		if logs := r.lines; !strings.HasSuffix(logs[len(logs)-1], " cdr.msgraph.operator") {
			t.Fatalf("log: %q", logs)
		}
	})
	t.Run("only a greater provider version counts", func(t *testing.T) {
		r := newRig(t, counting.Rules{})

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
		r := newRig(t, counting.Rules{})

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
		if logs := r.lines; len(logs) != 9 {
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
			r := newRig(t, counting.Rules{})

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
	r := newRig(t, counting.Rules{})

	recorded := func(id string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.Recordings = []cdr.Recording{{ID: id, Type: "Automatic"}} }
	}
	r.records(call("a"))
	r.records(call("a", recorded("r1")), call("b", recorded("r1")))
	r.records(call("a", recorded("r1")))
	bad := []counting.BadRow{{Content: []byte("{x"), At: "page 1, row 3", Problem: "duration is a string"}}
	if got := r.commit(&counting.Page{
		Invalid: bad,
		Ignored: []counting.BadRow{{Content: []byte("fax")}},
	}); got.Invalid != 1 || got.Ignored != 1 ||
		got.BadRows[0].At != bad[0].At {
		t.Fatalf("first: %+v", got)
	}
	r.restart()
	if got := r.commit(&counting.Page{
		Invalid: bad,
		Ignored: []counting.BadRow{{Content: []byte("fax")}},
	}); got.Invalid != 0 || got.Ignored != 0 ||
		len(got.BadRows) != 0 {
		t.Fatalf("again: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_recordings_total{Automatic}":                                  "1",
		"cdr_calls_total{inbound,byot_in,answered,sbc1.example.com,false}": "2",
	})
}

// A call is late if it was first seen more than LateAfter after its end.
func TestLate(t *testing.T) {
	for name, c := range map[string]struct {
		after time.Duration
		want  string
	}{
		"in time":          {time.Minute, "false"},
		"at the bound":     {time.Hour, "false"},
		"behind the bound": {time.Hour + time.Microsecond, "true"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})
			one := call("a")
			r.at = one.Ended().Add(c.after)
			r.records(one)
			wantValues(t, r.values(), map[string]string{strings.Replace(answered, "false", c.want, 1): "1"})
		})
	}
}

// counting.md 17: what isn't final is neither counted nor remembered.
func TestRule17Final(t *testing.T) {
	r := newRig(t, counting.Rules{})

	open := func(r *cdr.Record) { r.Provisional = true; r.Outcome = cdr.Unknown }
	if got := r.records(call("a", open)); got.New+got.Duplicate+got.Revised+got.TooOld != 0 {
		t.Fatalf("provisional: %+v", got)
	}
	if got := r.records(call("a")); got.New != 1 || got.Revised != 0 {
		t.Fatalf("final: %+v", got)
	}
	// After its lookback it is counted as it stands.
	r.records(call("b", open))
	r.at = r.at.Add(r.settings.Lookback)
	if got := r.records(call("b", open)); got.New != 1 {
		t.Fatalf("after the lookback: %+v", got)
	}
}

// counting.md 18: synthetic keys, twins, several keys.
func TestRule18NoID(t *testing.T) {
	r := newRig(t, counting.Rules{})

	twin := func(n int) *cdr.Record {
		return call("", func(r *cdr.Record) { r.ID, r.Synthetic, r.Twin = "", "placed|1|2|3", n })
	}
	if got := r.records(twin(0), twin(1)); got.New != 2 {
		t.Fatalf("twins: %+v", got)
	}
	if got := r.records(twin(0), twin(1), twin(2)); got.New != 1 || got.Duplicate != 2 {
		t.Fatalf("one more: %+v", got)
	}
	if logs := r.lines; strings.Contains(strings.Join(logs, " "), "placed|1") {
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

// counting.md 16: what a version doesn't say changes nothing.
func TestRule16WhatIsNotSaid(t *testing.T) {
	r := newRig(t, counting.Rules{})
	r.settings.Currency = "USD"
	r.restart()

	r.records(call("a", charge(t, "usage", "", "1.50")))
	if got := r.records(call("a", charge(t, "usage", "USD", "1.50"))); got.Duplicate != 1 {
		t.Errorf("the fallback said out loud: %+v", got)
	}
	r.records(call("b", charge(t, "usage", "EUR", "2")))
	if got := r.records(call("b", charge(t, "usage", "", "2"))); got.Duplicate != 1 {
		t.Errorf("a currency that vanished: %+v", got)
	}
	r.records(call("c", charge(t, "usage", "", "5")))
	r.settings.Currency = "GBP"
	r.restart()
	if got := r.records(call("c", charge(t, "usage", "", "6"))); got.Revised != 1 {
		t.Errorf("a changed amount: %+v", got)
	}
	silent := func(r *cdr.Record) { r.Outcome, r.Duration, r.NoDuration = cdr.NotConnected, 0, true }
	if got := r.records(call("c", charge(t, "usage", "", "6"), silent)); got.Duplicate != 1 {
		t.Errorf("a duration that vanished: %+v", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_call_charges_total{inbound,byot_in,USD,usage,}":                   "6.5",
		"cdr_call_charges_total{inbound,byot_in,EUR,usage,}":                   "2",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,debit}":  "1",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,credit}": "",
		"cdr_call_charge_corrections_total{inbound,byot_in,EUR,usage,,credit}": "",
		"cdr_call_charge_corrections_total{inbound,byot_in,GBP,usage,,debit}":  "",
		"cdr_call_outcome_changes_total{answered,not_connected}":               "",
	})
}
