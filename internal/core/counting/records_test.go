package counting_test

import (
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// Money: the first known amount is a charge, what changes later a correction, a
// changed currency credits the old and debits the new.
func TestMoneyRevisions(t *testing.T) {
	r := newRig(t, counting.Rules{})
	usage := func(amount, currency string) func(*cdr.Record) { return charge(t, "usage", currency, amount) }
	r.play(
		step{"no amount yet", page{call("a")}, "1 new"},
		step{"the first amount, brought by a revision", page{call("a", usage("0.10", "USD"))}, "1 revised"},
		step{"the same by value", page{call("a", usage("0.1", "USD"))}, "1 repeated"},
		step{"dearer", page{call("a", usage("0.35", "USD"))}, "1 revised"},
		step{"cheaper", page{call("a", usage("0.30", "USD"))}, "1 revised"},
		step{"no amount any more: nothing is said", page{call("a")}, "1 repeated"},
		step{"another currency", page{call("a", usage("0.25", "EUR"))}, "1 revised"},
		step{"less than nothing", page{call("b", usage("-2", "USD"))}, "1 new"},
		step{"nothing", page{call("z", usage("0", "USD"))}, "1 new"},
		step{"a zero is a known amount", page{call("z", usage("0.5", "USD"))}, "1 revised"})
	wantValues(t, r.values(), map[string]string{
		"cdr_call_charges_total{inbound,byot_in,USD,usage,}":                   "0.1",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,debit}":  "0.75",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,credit}": "2.35",
		"cdr_call_charge_corrections_total{inbound,byot_in,EUR,usage,,debit}":  "0.25",
		"cdr_call_charges_total{inbound,byot_in,EUR,usage,}":                   "",
		answered: "3",
	})
}

// counting.md 16: what a revision is, and how many are logged.
func TestRule16Revision(t *testing.T) {
	operator := func(name string) func(*cdr.Record) {
		return func(r *cdr.Record) { r.Extra = []cdr.Attr{cdr.Text("operator", name, cdr.Plain)} }
	}
	v := func(n int64, o cdr.Outcome) *cdr.Record { return call("a", outcome(o), version(n)) }
	for _, c := range []struct {
		name    string
		steps   []step
		line    string // how the last log record ends
		changed string // the outcome changes that are counted
	}{
		{"a field that both carry changed", []step{
			{"new", page{call("a")}, "1 new"},
			{"changed", page{call("a", outcome(cdr.Failed), trunk("sbc2.example.com"))}, "1 revised"},
		}, "cdr.call.revised a v2 failed cdr.outcome,cdr.trunk", "answered,failed"},
		{"a field that only one carries is none", []step{
			{"new", page{call("a")}, "1 new"},
			{"appearing", page{call("a", operator("X"))}, "1 repeated"},
			{"vanishing", page{call("a")}, "1 repeated"},
			{"changing", page{call("a", operator("Y"))}, "1 revised"},
		}, " cdr.msgraph.operator", ""},
		{"only a greater provider version counts", []step{
			{"out of order, folded in version order", page{v(3, cdr.Busy), v(1, cdr.Answered)}, "1 new, 1 revised"},
			{"older", page{v(2, cdr.Failed)}, "1 repeated"},
			{"without a version", page{call("a", outcome(cdr.Failed))}, "1 repeated"},
		}, " cdr.outcome", "answered,busy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})
			r.play(c.steps...)
			if last := r.lines[len(r.lines)-1]; !strings.HasSuffix(last, c.line) {
				t.Errorf("log: %q", last)
			}
			want := map[string]string{answered: "1", "cdr_call_outcome_changes_total{" + c.changed + "}": ""}
			if c.changed != "" {
				want["cdr_call_outcome_changes_total{"+c.changed+"}"] = "1"
			}
			if wantValues(t, r.values(), want); r.total("cdr_call_outcome_changes_total") > 1 {
				t.Errorf("values %v", r.values())
			}
		})
	}
	t.Run("at most 8 are logged", func(t *testing.T) {
		r := newRig(t, counting.Rules{})
		for i := range 21 {
			r.records(call("a", outcome([]cdr.Outcome{cdr.Answered, cdr.Busy}[i%2])))
		}
		if len(r.lines) != 9 || r.total("cdr_call_outcome_changes_total") != 20 {
			t.Errorf("%d logs, want 9", len(r.lines))
		}
	})
}

// counting.md 15: keys by hour, and the neighbouring hour within 15 minutes.
func TestRule15KeysByHour(t *testing.T) {
	edge := epoch.Add(-time.Hour) // on the hour
	for name, c := range map[string]struct{ first, second time.Duration }{
		"moved over the edge by a second": {-time.Second, 0},
		"moved back over the edge":        {10 * time.Minute, -10 * time.Minute},
		"within the hour, far":            {time.Minute, 50 * time.Minute},
		"a fraction of a second":          {-time.Millisecond, 0},
	} {
		t.Run(name, func(t *testing.T) {
			first, second := call("a", start(edge.Add(c.first))), call("a", start(edge.Add(c.second)))
			newRig(t, counting.Rules{}).play(
				step{"at first", page{first}, "1 new"}, step{"moved", page{second}, "1 revised"},
				step{"it keeps its first hour", page{first}, "1 revised"})
		})
	}
}

// counting.md 14: facts count once each; rows set aside are known by content.
func TestRule14Facts(t *testing.T) {
	r := newRig(t, counting.Rules{})
	recorded := func(r *cdr.Record) { r.Recordings = []cdr.Recording{{ID: "r1", Type: "Automatic"}} }
	r.records(call("a"))
	r.records(call("a", recorded), call("b", recorded))
	r.records(call("a", recorded))
	bad := []counting.BadRow{{Content: []byte("{x"), At: "page 1, row 3", Problem: "duration is a string"}}
	for _, want := range []int{1, 0} {
		got := r.commit(&counting.Page{Invalid: bad, Ignored: []counting.BadRow{{Content: []byte("fax")}}})
		if got.Invalid != want || got.Ignored != want || len(got.BadRows) != want {
			t.Errorf("%+v, want %d", got, want)
		}
		r.restart()
	}
	wantValues(t, r.values(), map[string]string{"cdr_recordings_total{Automatic}": "1", answered: "2"})
}

// A call is late if it was first seen more than LateAfter after its end.
func TestLate(t *testing.T) {
	for after, want := range map[time.Duration]string{
		time.Minute: "false", time.Hour: "false", time.Hour + time.Microsecond: "true",
	} {
		r := newRig(t, counting.Rules{})
		one := call("a")
		r.at = one.Ended().Add(after)
		r.records(one)
		wantValues(t, r.values(), map[string]string{strings.Replace(answered, "false", want, 1): "1"})
	}
}

// counting.md 17: what isn't final is neither counted nor remembered.
func TestRule17Final(t *testing.T) {
	r := newRig(t, counting.Rules{})
	open := func(r *cdr.Record) { r.Provisional = true; r.Outcome = cdr.Unknown }
	r.play(step{"provisional", page{call("a", open)}, ""}, step{"final", page{call("a")}, "1 new"},
		step{"another", page{call("b", open)}, ""})
	r.at = r.at.Add(r.settings.Lookback)
	r.play(step{"after the lookback it is counted as it stands", page{call("b", open)}, "1 new"})
}

// counting.md 18: synthetic keys, twins, several keys.
func TestRule18NoID(t *testing.T) {
	r := newRig(t, counting.Rules{})
	twin := func(n int) *cdr.Record {
		return call("", func(r *cdr.Record) { r.ID, r.Synthetic, r.Twin = "", "placed|1|2|3", n })
	}
	r.play(step{"twins", page{twin(0), twin(1)}, "2 new"},
		step{"one more", page{twin(0), twin(1), twin(2)}, "1 new, 2 repeated"})
	if strings.Contains(strings.Join(r.lines, " "), "placed|1") {
		t.Errorf("the synthetic key is in the logs: %q", r.lines)
	}
	one := func(r *cdr.Record) { r.CallID = "c" }
	r.play(step{"the old id", page{call("old", one)}, "1 new"},
		step{"both", page{call("new", one, alts("old"))}, "1 repeated"},
		step{"the other key", page{call("new", one)}, "1 repeated"},
		step{"revised by the other key", page{call("new", one, outcome(cdr.Busy))}, "1 revised"},
		step{"known under the first key too", page{call("old", one, outcome(cdr.Busy))}, "1 repeated"})
}

// counting.md 16: what a version doesn't say changes nothing.
func TestRule16WhatIsNotSaid(t *testing.T) {
	r := newRig(t, counting.Rules{})
	usage := func(currency, amount string) func(*cdr.Record) { return charge(t, "usage", currency, amount) }
	silent := func(r *cdr.Record) { r.Outcome, r.Duration, r.NoDuration = cdr.NotConnected, 0, true }
	r.settings.Currency = "USD"
	r.play(step{"no currency", page{call("a", usage("", "1.50"))}, "1 new"},
		step{"the fallback said out loud", page{call("a", usage("USD", "1.50"))}, "1 repeated"},
		step{"a currency", page{call("b", usage("EUR", "2"))}, "1 new"},
		step{"a currency that vanished", page{call("b", usage("", "2"))}, "1 repeated"},
		step{"no currency again", page{call("c", usage("", "5"))}, "1 new"})
	r.settings.Currency = "GBP"
	r.play(step{"a changed amount", page{call("c", usage("", "6"))}, "1 revised"},
		step{"a duration that vanished", page{call("c", usage("", "6"), silent)}, "1 repeated"})
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

// counting.md 16, 23: a call, the later changes of its charge and outcome, and the time of a later version that
// connects it have the labels of its first version, whatever a file says then.
func TestLabelsOfVersions(t *testing.T) {
	r := newRig(t, counting.Rules{})
	for _, v := range []struct {
		labels  cdr.Labels
		outcome cdr.Outcome
		price   string
	}{
		{"department=Sales\n", cdr.NoAnswer, "1"},
		{"department=Legal\n", cdr.NoAnswer, "1"},
		{"", cdr.NoAnswer, "3"},
		{"department=Legal\n", cdr.Answered, "2"},
		{"", cdr.Answered, "2"},
	} {
		r.records(call("a", outcome(v.outcome), charge(t, "usage", "USD", v.price),
			func(r *cdr.Record) { r.Labels = v.labels }))
	}
	if got := strings.Join(r.changes, ", "); got != "department=Sales\n" {
		t.Errorf("the changes of outcomes have %q", got)
	}
	wantValues(t, r.values(), map[string]string{
		"cdr_calls_total{inbound,byot_in,no_answer,sbc1.example.com,false,department=Sales\n}":         "1",
		"cdr_call_failures_total{inbound,sbc1.example.com,no_answer,,,,user,false,department=Sales\n}": "1",
		"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,,department=Sales\n}":       "60",
		"cdr_call_charges_total{inbound,byot_in,USD,usage,,department=Sales\n}":                        "1",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,debit,department=Sales\n}":       "2",
		"cdr_call_charge_corrections_total{inbound,byot_in,USD,usage,,credit,department=Sales\n}":      "1",
	})
}

// counting.md 16: what versions add to the times of a call of one record. If it has its legs in it, connected time
// grows as with late legs, and never twice by the same seconds.
func TestTimesOfVersions(t *testing.T) {
	type legs struct {
		outcome         cdr.Outcome
		talk, connected int // seconds; -1: not known
	}
	listed := func(l legs) *cdr.Record {
		r := call("a", outcome(l.outcome))
		r.ListsLegs, r.NoDuration, r.Duration = true, l.connected < 0, 0
		if l.connected >= 0 {
			r.Duration = time.Hour // of the whole conference
			r.Connected = cdr.KnownLength(time.Duration(l.connected) * time.Second)
		}
		if l.talk >= 0 {
			r.Talk = cdr.KnownLength(time.Duration(l.talk) * time.Second)
		}
		return r
	}
	plain := func(l legs) *cdr.Record {
		r := call("a", outcome(l.outcome))
		r.Duration, r.NoDuration = time.Duration(l.connected)*time.Second, l.connected < 0
		return r
	}
	mixed := func(l legs) *cdr.Record { // only versions in which nobody answered list legs
		if l.outcome == cdr.NoAnswer {
			return listed(l)
		}
		return plain(l)
	}
	for _, c := range []struct {
		name            string
		record          func(legs) *cdr.Record
		versions        []legs
		talk, connected string
	}{
		{"a menu, then a person", listed, []legs{{cdr.Machine, -1, 2}, {cdr.Answered, 60, 62}}, "1/60", "62"},
		{"a person, then two", listed, []legs{{cdr.Answered, 60, 60}, {cdr.Answered, 90, 95}}, "1/60", "95"},
		{"shorter, then longer", listed, []legs{
			{cdr.Answered, 60, 60}, {cdr.Answered, 20, 20}, {cdr.Answered, 60, 60}, {cdr.Answered, 70, 70},
		}, "1/60", "70"},
		{
			"failed in between", listed,
			[]legs{{cdr.Answered, 60, 60}, {cdr.Failed, -1, -1}, {cdr.Answered, 70, 70}},
			"1/60", "70",
		},
		{
			"connected later", listed,
			[]legs{{cdr.NoAnswer, -1, -1}, {cdr.Machine, -1, 5}, {cdr.Answered, 20, 25}},
			"1/20", "25",
		},
		{"the caller's own telephone alone", listed, []legs{{cdr.NoAnswer, -1, 7}}, "", "7"},
		{"the caller's own telephone, then a person", listed, []legs{
			{cdr.NoAnswer, -1, 7}, {cdr.Answered, 20, 25}, {cdr.Answered, 20, 25}, {cdr.Answered, 25, 30},
		}, "1/20", "30"},
		{"the caller's own telephone, then a shorter answer", listed, []legs{
			{cdr.NoAnswer, -1, 7}, {cdr.Answered, 5, 5}, {cdr.Answered, 9, 9},
		}, "1/5", "9"},
		{
			"without times at first", listed,
			[]legs{{cdr.Answered, -1, -1}, {cdr.Answered, 20, 20}, {cdr.Answered, 30, 30}},
			"1/20", "30",
		},
		{
			"without times at first, then failed", listed,
			[]legs{{cdr.Answered, -1, -1}, {cdr.Failed, -1, 5}, {cdr.Answered, 20, 20}, {cdr.Answered, 30, 30}},
			"1/20", "30",
		},
		{
			"one leg, failed between the answer and its duration", plain,
			[]legs{
				{cdr.Answered, 0, -1},
				{cdr.Failed, 0, 5},
				{cdr.Failed, 0, 5},
				{cdr.Answered, 0, 20},
				{cdr.Answered, 0, 30},
			},
			"1/20", "20",
		},
		{
			"one leg, a duration of 0 before the answer", plain,
			[]legs{{cdr.NoAnswer, 0, 0}, {cdr.Answered, 0, -1}, {cdr.Answered, 0, 20}, {cdr.Answered, 0, 30}},
			"1/20", "20",
		},
		{"the caller's own telephone, then a version without legs", mixed, []legs{
			{cdr.NoAnswer, -1, 7}, {cdr.Answered, 0, 60}, {cdr.Answered, 0, 60},
		}, "1/60", "60"},
		{"a version without legs, then the caller's own telephone", mixed, []legs{
			{cdr.Answered, 0, 60}, {cdr.NoAnswer, -1, 7},
		}, "1/60", "60"},
		{"one leg that is longer", plain, []legs{{cdr.Answered, 0, 60}, {cdr.Answered, 0, 70}}, "1/60", "60"},
		{"one leg, voicemail, then a person, and last how long", plain, []legs{
			{cdr.Voicemail, 0, 60}, {cdr.Answered, 0, -1}, {cdr.Answered, 0, 60}, {cdr.Answered, 0, 60},
		}, "1/60", "60"},
		{"one leg, a person, then how long to voicemail, and the person again", plain, []legs{
			{cdr.Answered, 0, -1}, {cdr.Voicemail, 0, 60}, {cdr.Answered, 0, 60}, {cdr.Answered, 0, 60},
		}, "1/60", "60"},
		{"one leg, voicemail and then a person", plain, []legs{
			{cdr.Voicemail, 0, 60}, {cdr.Answered, 0, 60}, {cdr.Voicemail, 0, 60}, {cdr.Answered, 0, 60},
		}, "1/60", "60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, counting.Rules{})
			var last *cdr.Record
			for _, l := range c.versions {
				last = c.record(l)
				r.records(last)
				r.restart()
			}
			want := map[string]string{
				"cdr_call_duration_seconds{inbound,byot_in,sbc1.example.com}":         c.talk,
				"cdr_call_connected_seconds_total{inbound,byot_in,sbc1.example.com,}": c.connected,
				"cdr_trunk_connected_seconds_total{sbc1.example.com,inbound}":         c.connected,
			}
			wantValues(t, r.values(), want)
			if c.record(legs{}).ListsLegs {
				wantValues(t, r.remembered(last).values(), want)
			}
		})
	}
}

// A day's total has the records that counting has: a leg from before the feed's origin is read only
// for its call and isn't counted.
func TestDailyTotals(t *testing.T) {
	for name, c := range map[string]struct {
		record        *cdr.Record
		records, late int64
	}{
		"a call":                  {call("a"), 1, 0},
		"a late call":             {call("a", start(epoch.Add(-2*time.Hour))), 1, 1},
		"a leg":                   {call("a", inGroup("g")), 1, 0},
		"a leg before the origin": {call("a", inGroup("g"), start(epoch.Add(-25*time.Hour))), 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, counting.Rules{Legs: true})
			r.settings.Lead, r.state.HistoryDone = 4*time.Hour, true
			r.state.Floor = r.state.Origin.Add(-r.settings.Lead)
			page := &counting.Page{Records: []*cdr.Record{c.record}, ObservedAt: r.at}
			var records, late int64
			for _, day := range r.decide(page).Days {
				records, late = records+day.Records, late+day.Late
			}
			if result := r.commit(page); records != int64(result.New) || records != c.records || late != c.late {
				t.Errorf("%d records, %d late, %d new; want %d, %d", records, late, result.New, c.records, c.late)
			}
		})
	}
}

// TestEveryFieldIsRevised (counting.md 16): a version of a record with another value of a field is a revision.
func TestEveryFieldIsRevised(t *testing.T) {
	revises := func(set cdrtest.SetField, options ...cdrtest.Option) bool {
		r := newRig(t, counting.Rules{})
		first, second := call("a", options...), call("a", options...)
		set(first, 1)
		set(second, 2)
		r.records(first)
		return r.records(second).Revised == 1
	}
	listsLegs := func(r *cdr.Record) { r.ListsLegs = true }
	cdrtest.EveryField(t, "recordFields in internal/core/counting/fields.go", map[string]string{
		"which record and version it is":                        "ID AltIDs Synthetic Twin Version Provisional",
		"which kind of record it is":                            "NoCall ListsLegs",
		"follows from the outcome and its codes":                "Reason FaultDomain",
		"says that the duration is absent":                      "NoDuration",
		"places the connected time of a leg, as answer does":    "Ringing",
		"counts once, in whichever version (counting.md 14)":    "Emergency Recordings Visits Sessions Legs",
		"counts with the first settled version":                 "Streams Ratings Settled",
		"the operator's labels, and what only they are made of": "Labels ProviderLabels Class NoClass",
		"for explain": "Origins",
	}, func(set cdrtest.SetField) bool {
		return revises(set) || revises(set, inGroup("g")) || revises(set, listsLegs)
	})
}
