package main_test

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

// sumKeys are the keys by which reports are compared: all that the truth is known by.
var sumKeys = []string{"source", "feed", "direction", "call_type", "trunk", "country"}

// sumRow is a row of a report.
type sumRow struct {
	keys             map[string]string
	calls, connected int64
	minutes          string
	charges          map[string]string
}

// report runs the command over a range and returns what it printed.
func (s *site) report(t *testing.T, config string, from, to time.Time, output string, args ...string) *exporter {
	t.Helper()
	x := start(t, s.vault, launch{args: append([]string{
		"report", "--config.file=" + config, "--from=" + from.Format(time.RFC3339), "--to=" + to.Format(time.RFC3339),
		"--output=" + output,
	}, args...)})
	x.exited(0)
	if said := x.log.String(); strings.Contains(said, "\r") {
		t.Errorf("there is a progress bar on a pipe: %s", said)
	}
	return x
}

// jsonSums reads a report of JSON.
func jsonSums(t *testing.T, text []byte, keys ...string) (rows []sumRow) {
	t.Helper()
	var objects []map[string]json.RawMessage
	if err := json.Unmarshal(text, &objects); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	for _, o := range objects {
		row := sumRow{keys: make(map[string]string)}
		read := func(name string, into any) {
			if err := json.Unmarshal(o[name], into); err != nil {
				t.Fatalf("%s of %s: %v", name, o, err)
			}
			delete(o, name)
		}
		for _, key := range keys {
			value := ""
			read(key, &value)
			row.keys[key] = value
		}
		read("calls", &row.calls)
		read("connected", &row.connected)
		read("minutes", &row.minutes)
		read("charges", &row.charges)
		if len(o) > 0 {
			t.Fatalf("a row has %s too", slices.Collect(maps.Keys(o)))
		}
		rows = append(rows, row)
	}
	return rows
}

// exactMillionths is a decimal text in millionths, of which it must be a whole number.
func exactMillionths(t *testing.T, text string) int64 {
	t.Helper()
	n, ok := new(big.Rat).SetString(text)
	if !ok {
		t.Fatalf("%q isn't a decimal", text)
	}
	if n.Mul(n, big.NewRat(1e6, 1)); !n.IsInt() {
		t.Fatalf("%s isn't exact", text)
	}
	return n.Num().Int64()
}

// addSums adds the rows of a report to tables in the form of the simulators' totals. A sum of zero
// has no entry.
func addSums(t *testing.T, all tables, rows []sumRow) {
	t.Helper()
	for _, r := range rows {
		k := r.keys
		if r.calls != 0 {
			all.Add("calls", r.calls, k["source"], k["feed"], k["direction"], k["call_type"], k["trunk"])
		}
		if r.connected != 0 {
			all.Add("connected", r.connected, k["source"], k["feed"])
		}
		if r.minutes != "0.000000" {
			all.Add("minutes", exactMillionths(t, r.minutes), k["source"], k["feed"], k["direction"], k["call_type"],
				k["trunk"], k["country"])
		}
		for currency, amount := range r.charges {
			all.Add("charges", exactMillionths(t, amount), k["source"], k["feed"], k["direction"], k["call_type"],
				k["country"], currency)
		}
	}
}

// addCounted adds the counters of a feed in the form of addSums.
func addCounted(all tables, source, feed string, counters tables) {
	connects := map[string]int64{"answered": 1, "voicemail": 1, "machine": 1}
	for labels, n := range counters["cdr_calls_total"] {
		l := strings.Split(labels, "|") // direction, call_type, outcome, trunk
		all.Add("calls", n/1e6, source, feed, l[0], l[1], l[3])
		if connects[l[2]] > 0 {
			all.Add("connected", n/1e6, source, feed)
		}
	}
	for labels, n := range counters["cdr_call_outcome_changes_total"] {
		l := strings.Split(labels, "|") // from, to
		if by := connects[l[1]] - connects[l[0]]; by != 0 {
			all.Add("connected", by*n/1e6, source, feed)
		}
	}
	for labels, n := range counters["cdr_call_connected_seconds_total"] {
		if n != 0 {
			all.Add("minutes", (n+30)/60, source, feed, labels)
		}
	}
	for labels, n := range counters["cdr_call_charges_total"] {
		l := strings.Split(labels, "|") // direction, call_type, currency, component, country
		all.Add("charges", n, source, feed, l[0], l[1], l[4], l[2])
	}
	for labels, n := range counters["cdr_call_charge_corrections_total"] {
		l := strings.Split(labels, "|") // as above, and sign
		all.Add("charges", map[string]int64{"debit": n, "credit": -n}[l[5]], source, feed, l[0], l[1], l[4], l[2])
	}
	maps.DeleteFunc(all["charges"], func(_ string, n int64) bool { return n == 0 })
}

// reports compares the sums with the truth and with the counters of a backfill, to the last digit.
// How tables and CSV look is in the scripts.
func (e *estate) reports(t *testing.T, config string, from, to time.Time, past []*pastSeries) {
	t.Helper()
	truth, counted := make(tables), make(tables)
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			addCounted(truth, p.source(), feed, p.tables(feed, e.at(p)...))
			addCounted(counted, p.source(), feed, pastTables(past, p.source(), feed))
		}
	}
	if len(truth["charges"]) < 10 || len(truth["minutes"]) < 10 {
		t.Fatalf("there is little to compare: %v", truth)
	}
	got := make(tables)
	addSums(t, got, jsonSums(t, e.report(t, config, from, to, "json", "--by="+strings.Join(sumKeys, ",")).out.Bytes(),
		sumKeys...))
	for of, want := range map[string]tables{"the truth": truth, "the backfill": counted} {
		if wrong := diff(got, want); wrong != "" {
			t.Errorf("the report differs from %s: %s", of, wrong)
		}
	}
}
