package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/analysis/report"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr/cdrtest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/facts"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func usage(t *testing.T, amount string) cdr.Charge {
	t.Helper()
	return cdr.Charge{Component: "usage", Currency: "EUR", Amount: cdrtest.Money(t, amount)}
}

// answered is a call of a minute and a half that costs something.
func answered(t *testing.T, amount string) *cdr.Record {
	return &cdr.Record{
		Start: noon, Direction: cdr.Outbound, CallType: "voip_call", Trunk: "sbc1", Country: "DE",
		Outcome: cdr.Answered, Duration: 90 * time.Second,
		Charges: []cdr.Charge{usage(t, amount)},
	}
}

// with is a copy of a record with a change.
func with(r *cdr.Record, change func(*cdr.Record)) *cdr.Record {
	c := *r
	c.Charges = slices.Clone(r.Charges)
	change(&c)
	return &c
}

// adder adds records to a report as counting does.
type adder struct {
	*report.Report
	source string
}

func (a adder) add(all ...facts.Fact) {
	for i := range all {
		a.Add(a.source, "call_log", &all[i])
	}
}

func change(r *cdr.Record, from, to cdr.Outcome) facts.Fact {
	return facts.Fact{Kind: facts.OutcomeChange, Record: r, From: from, To: to}
}

func (a adder) count(records ...*cdr.Record) {
	for _, r := range records {
		a.add(facts.AppendRecord(nil, r, facts.Context{Currency: "USD"})...)
	}
}

// lines are all rows, with the total last.
func lines(r *report.Report) (all []string) {
	for _, row := range append(r.Rows(), r.Total()) {
		text := fmt.Sprintf("%s: %d %d %s", strings.Join(row.Keys, ","), row.Calls, row.Connected, row.Minutes())
		for _, currency := range row.Currencies() {
			text += " " + currency + " " + row.Text(currency)
		}
		all = append(all, text)
	}
	return all
}

// TestReport: what each kind of change does to the sums.
func TestReport(t *testing.T) {
	for name, tc := range map[string]struct {
		by   string
		zone string
		add  func(t *testing.T, a adder)
		want []string
	}{
		"nothing": {by: "trunk", add: func(*testing.T, adder) {}, want: []string{": 0 0 0.000000"}},
		"calls, with a trunk or without": {by: "trunk", add: func(t *testing.T, a adder) {
			call := answered(t, "0.10")
			busy := with(call, func(r *cdr.Record) { r.Outcome, r.Duration, r.Charges = cdr.Busy, 0, nil })
			a.count(call, call, busy, with(call, func(r *cdr.Record) { r.Trunk, r.Outcome = "", cdr.Voicemail }))
			a.count(with(call, func(r *cdr.Record) { r.Trunk, r.Outcome = "sbc2", cdr.Machine }))
		}, want: []string{
			": 1 1 1.500000 EUR 0.1", "sbc1: 3 2 3.000000 EUR 0.2", "sbc2: 1 1 1.500000 EUR 0.1",
			": 5 4 6.000000 EUR 0.4",
		}},
		"keys in the given order": {
			by: "month,direction,call_type,country,source,feed,day",
			add: func(t *testing.T, a adder) {
				a.count(answered(t, "1"))
			}, want: []string{
				"2026-03,outbound,voip_call,DE,acme,call_log,2026-03-02: 1 1 1.500000 EUR 1",
				": 1 1 1.500000 EUR 1",
			},
		},
		"decimals stay exact": {by: "source", add: func(t *testing.T, a adder) {
			a.count(answered(t, "0.1"), answered(t, "0.2"), answered(t, "0.000000000000000001"),
				answered(t, "12345678901234567890"))
		}, want: []string{
			"acme: 4 4 6.000000 EUR 12345678901234567890.300000000000000001",
			": 4 4 6.000000 EUR 12345678901234567890.300000000000000001",
		}},
		"currencies, one of them the source's own": {by: "source", add: func(t *testing.T, a adder) {
			a.count(answered(t, "1"), with(answered(t, "2"), func(r *cdr.Record) { r.Charges[0].Currency = "" }))
		}, want: []string{"acme: 2 2 3.000000 EUR 1 USD 2", ": 2 2 3.000000 EUR 1 USD 2"}},
		"a zero isn't a charge, an amount below zero is a credit": {by: "source", add: func(t *testing.T, a adder) {
			a.count(with(answered(t, "0"), func(r *cdr.Record) { r.Charges[0].Currency = "CHF" }), answered(t, "1"),
				answered(t, "-0.25"))
		}, want: []string{"acme: 3 3 4.500000 EUR 0.75", ": 3 3 4.500000 EUR 0.75"}},
		"a leg adds its charges, a call of legs its time": {by: "trunk", add: func(t *testing.T, a adder) {
			leg := answered(t, "1")
			a.add(facts.AppendOwn(nil, leg, "")...)
			call := with(leg, func(r *cdr.Record) {
				r.Trunk, r.Talk, r.Connected = "sbc2", cdr.KnownLength(time.Minute), cdr.KnownLength(3*time.Minute)
			})
			a.add(append(facts.AppendCall(nil, call, facts.Context{}), facts.OnTrunk(call, "sbc2", cdr.Outbound,
				time.Minute))...)
		}, want: []string{"sbc1: 0 0 0.000000 EUR 1", "sbc2: 1 1 3.000000", ": 1 1 3.000000 EUR 1"}},
		"a late leg adds its time to its call": {by: "trunk", add: func(t *testing.T, a adder) {
			call := with(answered(t, "1"), func(r *cdr.Record) {
				r.Outcome, r.Duration, r.NoDuration = cdr.NoAnswer, 0, true
			})
			a.count(call)
			a.add(facts.Fact{Kind: facts.Connected, Record: call, Time: time.Minute}, change(call, cdr.NoAnswer,
				cdr.Answered))
		}, want: []string{"sbc1: 1 1 1.000000 EUR 1", ": 1 1 1.000000 EUR 1"}},
		"a call that another of its records connects": {by: "trunk", add: func(t *testing.T, a adder) {
			call := answered(t, "1")
			a.count(with(call, func(r *cdr.Record) { r.Outcome, r.Duration = cdr.NoAnswer, 0 }))
			a.add(facts.AppendConnected([]facts.Fact{change(call, cdr.NoAnswer, cdr.Answered)}, call)...)
		}, want: []string{"sbc1: 1 1 1.500000 EUR 1", ": 1 1 1.500000 EUR 1"}},
		"outcomes that change": {by: "source", add: func(t *testing.T, a adder) {
			call := answered(t, "1")
			a.count(call, call, call)
			a.add(change(call, cdr.Answered, cdr.Failed))
			a.add(change(call, cdr.Answered, cdr.Voicemail))
			a.add(change(call, cdr.Failed, cdr.Busy))
		}, want: []string{"acme: 3 2 4.500000 EUR 3", ": 3 2 4.500000 EUR 3"}},
		"a correction stands where its call was counted": {by: "country", add: func(t *testing.T, a adder) {
			call := answered(t, "1")
			a.count(call)
			later := with(call, func(r *cdr.Record) { r.Country = "FR" })
			labels := &facts.ChargeLabels{Direction: cdr.Outbound, CallType: "voip_call", Country: "DE"}
			a.add(facts.AppendCorrection(nil, later, labels, usage(t, "-0.4"))...)
			a.add(facts.AppendCorrection(nil, later, labels, usage(t, "0.15"))...)
		}, want: []string{"DE: 1 1 1.500000 EUR 0.75", ": 1 1 1.500000 EUR 0.75"}},
		"minutes are rounded once": {by: "trunk", add: func(t *testing.T, a adder) {
			for _, trunk := range []string{"a", "b", "c"} {
				a.count(with(answered(t, "0"), func(r *cdr.Record) { r.Trunk, r.Duration = trunk, time.Second }))
			}
			a.count(with(answered(t, "0"), func(r *cdr.Record) { r.Trunk, r.Duration = "d", 30*time.Microsecond }))
		}, want: []string{
			"a: 1 1 0.016667", "b: 1 1 0.016667", "c: 1 1 0.016667", "d: 1 1 0.000001",
			": 4 4 0.050001",
		}},
		"days of UTC": {by: "month,day", add: aroundMidnight, want: []string{
			"2026-02,2026-02-28: 1 1 1.500000 EUR 1", "2026-03,2026-03-01: 1 1 1.500000 EUR 1", ": 2 2 3.000000 EUR 2",
		}},
		"days ahead of it": {by: "month,day", zone: "Europe/Berlin", add: aroundMidnight, want: []string{
			"2026-03,2026-03-01: 2 2 3.000000 EUR 2", ": 2 2 3.000000 EUR 2",
		}},
		"days behind it": {by: "month,day", zone: "America/New_York", add: aroundMidnight, want: []string{
			"2026-02,2026-02-28: 2 2 3.000000 EUR 2", ": 2 2 3.000000 EUR 2",
		}},
		"by a label of the operator's, with corrections where the call was counted": {
			by: "department",
			add: func(t *testing.T, a adder) {
				call := with(answered(t, "1"), func(r *cdr.Record) { r.Labels = "department=Sales\nsite=Berlin\n" })
				a.count(call, answered(t, "2"))
				later := with(call, func(r *cdr.Record) { r.Labels = "department=Legal\n" })
				labels := &facts.ChargeLabels{Direction: cdr.Outbound, Labels: call.Labels}
				a.add(facts.AppendCorrection(nil, later, labels, usage(t, "0.5"))...)
			}, want: []string{": 1 1 1.500000 EUR 2", "Sales: 1 1 1.500000 EUR 1.5", ": 2 2 3.000000 EUR 3.5"},
		},
		"texts are those of the labels": {by: "trunk,country", add: func(t *testing.T, a adder) {
			a.count(with(answered(t, "1"), func(r *cdr.Record) { r.Trunk, r.Country = "a\x00b\xff", "" }))
		}, want: []string{"a\uFFFDb\uFFFD,: 1 1 1.500000 EUR 1", ": 1 1 1.500000 EUR 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			zone, err := time.LoadLocation(tc.zone)
			require.NoError(t, err)
			r, err := report.New(strings.Split(tc.by, ","), []string{"department"}, zone)
			require.NoError(t, err)
			tc.add(t, adder{r, "acme"})
			if got := lines(r); !slices.Equal(got, tc.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// aroundMidnight adds calls half an hour before and after the end of February in UTC.
func aroundMidnight(t *testing.T, a adder) {
	for _, start := range []time.Duration{-30 * time.Minute, 30 * time.Minute} {
		a.count(with(answered(t, "1"), func(r *cdr.Record) {
			r.Start = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(start)
		}))
	}
}

// TestKeys: what can't be summed by is refused, with what can.
func TestKeys(t *testing.T) {
	for by, want := range map[string]string{
		"trunk,carrier": `no key "carrier"; there are: source, feed, direction, trunk, call_type, country, day, month`,
		"":              `no key ""; there are: source`,
		"day,trunk,day": "the key day is given twice",
	} {
		if _, err := report.New(strings.Split(by, ","), nil, time.UTC); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", by, err, want)
		}
	}
}
