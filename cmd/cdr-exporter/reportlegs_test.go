package main_test

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReportOfLegs (counting.md, "Calls"): a call belongs to the day on which its first leg starts,
// also if its other legs start on the next one. The sums of `report` over the days are those that
// the exporter has counted.
func TestReportOfLegs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	midnight := time.Now().UTC().Truncate(24 * time.Hour).Add(-48 * time.Hour)
	next := midnight.Add(24 * time.Hour)
	at := func(from time.Time, seconds int) string {
		return from.Add(time.Duration(seconds) * time.Second).Format(time.DateTime)
	}
	db, err := sql.Open("sqlite", s.path("acc.db"))
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, table := range []string{"acc", "missed_calls"} {
		fmt.Fprintf(&rows, "CREATE TABLE %s (id INTEGER PRIMARY KEY, method TEXT, callid TEXT, sip_code TEXT, "+
			"sip_reason TEXT, time TEXT, carrier TEXT, way TEXT);", table)
	}
	insert := func(table, method, call, code, time, carrier string) {
		fmt.Fprintf(&rows, "INSERT INTO %s (method, callid, sip_code, sip_reason, time, carrier, way) VALUES "+
			"('%s', '%s', '%s', '', '%s', '%s', 'outbound');",
			table, method, call, code, time, carrier)
	}
	// The first carrier refuses before midnight, the second one connects after it.
	for call, day := range map[string]time.Time{
		"over": midnight, "within": midnight.Add(10 * time.Hour),
		"into the next": next,
	} {
		insert("missed_calls", "INVITE", call, "503", at(day, -2), "first")
		insert("acc", "INVITE", call, "200", at(day, 1), "second")
		insert("acc", "BYE", call, "200", at(day, 61), "")
	}
	if _, err := db.ExecContext(t.Context(), rows.String()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	// Nobody takes a phone that rings before midnight; the caller's row is written when he has talked with another one.
	var lines strings.Builder
	for n, day := range []time.Time{midnight, midnight.Add(12 * time.Hour), next} {
		for _, leg := range []string{
			`"Local/284@queue-%[1]d;2","SIP/284-%[1]d","Dial","","%[2]s",,"%[3]s",10,0,"NO ANSWER","DOCUMENTATION","2%[1]d.1"`,
			`"Local/285@queue-%[1]d;2","SIP/285-%[1]d","Dial","","%[4]s","%[4]s","%[5]s",70,70,"ANSWERED","DOCUMENTATION","2%[1]d.2"`,
			`"SIP/trunk-%[1]d","Local/285@queue-%[1]d;1","Queue","","%[2]s","%[2]s","%[5]s",85,85,"ANSWERED","DOCUMENTATION","2%[1]d.0"`,
		} {
			fmt.Fprintf(&lines, `"","15550171","171","in","",`+leg+`,"","","2%[1]d.0",1`+"\n", n, at(day, -20),
				at(day, -10), at(day, -5), at(day, 65))
		}
	}
	s.write("Master.csv", lines.String())
	config := s.write("config.yaml", `storage: {path: ledger}
metrics: {zero_for: 0s}
sources:
  - name: edge
    history: 120h
    kamailio: {driver: sqlite, dsn: "`+s.path("acc.db")+`", time_zone: UTC, columns: {trunk: carrier, direction: way}, acc: {interval: 1s}}
  - name: pbx
    history: 120h
    asterisk: {paths: [Master.csv], time_zone: UTC, trunks: ["SIP/trunk*"], cdr: {interval: 1s}}
`)
	x := start(t, s.vault, launch{config: config, shipped: true}).ready()
	counted := func() (calls, seconds float64) {
		m := x.scrape()
		return m.sum("cdr_calls_total"), m.sum("cdr_call_connected_seconds_total")
	}
	eventually(t, "count all calls", func() error {
		if calls, _ := counted(); calls != 6 {
			return errors.New("not all are counted")
		}
		return nil
	})
	_, seconds := counted()
	x.stop()
	// Answered calls: 60 s out, and 85 s in the queue, which had answered.
	days := map[string][]string{
		at(midnight, -86400): {"second 1 of 1 for 1", "trunk 1 of 1 for 1.417"},
		at(midnight, 0):      {"second 2 of 2 for 2", "trunk 2 of 2 for 2.833"}, at(next, 0): nil,
	}
	var calls int64
	minutes := 0.0
	for day, want := range days {
		from, err := time.Parse(time.DateTime, day)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range jsonSums(t, s.report(t, config, from, from.Add(24*time.Hour), "json", "--by=trunk").
			out.Bytes(), "trunk") {
			var of float64
			_, _ = fmt.Sscan(row.minutes, &of)
			got = append(got, fmt.Sprintf("%s %d of %d for %.4g", strings.TrimPrefix(row.keys["trunk"], "SIP/"),
				row.connected, row.calls, of))
			calls, minutes = calls+row.calls, minutes+of
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the report has %q, want %q", day, got, want)
		}
	}
	if difference := minutes*60 - seconds; calls != 6 || difference < -0.01 || difference > 0.01 {
		t.Errorf("the reports have %d calls of %g s, the exporter 6 of %g s", calls, minutes*60, seconds)
	}
}
