package main_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// staffLabels are the labels in the configuration.
const staffLabels = "labels:\n  - {name: department, file: people.csv, key: user, column: who}\n  - {name: " +
	"site, file: numbers.csv, key: number, column: prefix}\n"

// seat is the department of the nth user: every third is in no file.
func seat(n int) string { return []string{"Sales", "Support", ""}[n%3] }

// known says how the file knows the nth user: by id, or by a principal name that doesn't come with incomplete rows.
func known(n int, u *simulator.User) (key string, byID bool) {
	if n%2 == 1 && strings.Contains(u.Principal, "@") {
		return strings.ToUpper(u.Principal), false
	}
	return u.ID, true
}

// writeStaff writes the departments of an estate's people, by user, and the sites of its numbers: Wavix tells no users.
func (e *estate) writeStaff() {
	people := "who,department\n"
	for _, m := range []*simulator.Mix{sim.PSTNMix(), rcsim.Mix()} { // the other worlds have the same people
		for n := range m.Users {
			if key, _ := known(n, &m.Users[n]); seat(n) != "" {
				people += key + "," + seat(n) + "\n"
			}
		}
	}
	e.write("people.csv", people)
	e.write("numbers.csv", "prefix,site\n+1 (206) 555-010,Tower\n+1 206,Annex\n")
}

// departmentOf is the truth about a call of a mix, by the first version that is seen.
func departmentOf(m *simulator.Mix) func(*simulator.Call, *simulator.Version) string {
	return func(c *simulator.Call, v *simulator.Version) string {
		ours := c.User
		if v.Kind.Direction == cdr.Internal && c.Second {
			ours = c.Peer // the row is the callee's, and the caller decides
		}
		n := slices.IndexFunc(m.Users, func(u simulator.User) bool { return ours != nil && u.ID == ours.ID })
		if n < 0 {
			return ""
		}
		if _, byID := known(n, ours); !byID && v.Incomplete {
			return ""
		}
		return seat(n)
	}
}

// siteOf is the truth about a call by our number.
func siteOf(c *simulator.Call, _ *simulator.Version) string {
	number := strings.TrimPrefix(c.Own, "+")
	switch {
	case strings.HasPrefix(number, "1206555010"):
		return "Tower"
	case strings.HasPrefix(number, "1206"):
		return "Annex"
	}
	return ""
}

// labelOf is the label that is compared of a place.
func labelOf(p place) string {
	if _, ok := p.(*carrier); ok {
		return "site"
	}
	return "department"
}

// truthByLabel are the metrics of a feed that have labels, by the one that is compared: its value
// is the last of each series.
func (e *estate) truthByLabel(p place, feed string) tables {
	v := simulator.View{At: e.at(p)}
	var t simulator.Totals
	switch p := p.(type) {
	case *tenant:
		v.Label = departmentOf(p.worlds[feed].Mix())
		t = p.worlds[feed].Totals(v)
	case *office:
		v.Label = departmentOf(p.world.Mix())
		t = p.world.Totals(v)
	case *carrier:
		v.Label = siteOf
		t = p.Totals(v)
	}
	want := expected(&t)
	maps.DeleteFunc(want, func(metric string, _ table) bool { return !slices.Contains(labelled, metric) })
	return want
}

// labelled are the metrics that have the operator's labels.
var labelled = []string{
	"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_call_charges_total",
	"cdr_call_charge_corrections_total",
}

// labelOfSource is the operator's label whose truth is known of each source.
func (e *estate) labelOfSource() map[string]string {
	label := make(map[string]string)
	for _, p := range e.places() {
		label[p.source()] = labelOf(p)
	}
	return label
}

// addLabelled adds the counters of a feed by the operator's label, which is the last of each series.
func (all tables) addLabelled(source, feed string, counters tables) {
	for labels, n := range counters["cdr_calls_total"] {
		all.add("calls", n/1e6, source, feed, labels[strings.LastIndex(labels, "|")+1:])
	}
	for metric, sign := range map[string]int{"cdr_call_charges_total": -1, "cdr_call_charge_corrections_total": 5} {
		for labels, n := range counters[metric] {
			// direction, call_type, currency, component, country, sign if it is a correction
			l := strings.Split(labels, "|")
			if sign > 0 && l[sign] == "credit" {
				n = -n
			}
			all.add("charges", n, source, feed, l[len(l)-1], l[2])
		}
	}
	maps.DeleteFunc(all["charges"], func(_ string, n int64) bool { return n == 0 })
}

// addSumsByLabel adds the rows of a report in the form of addLabelled.
func (all tables) addSumsByLabel(t *testing.T, rows []sumRow, label map[string]string) {
	t.Helper()
	for _, r := range rows {
		source, value := r.keys["source"], r.keys[label[r.keys["source"]]]
		if r.calls != 0 {
			all.add("calls", r.calls, source, r.keys["feed"], value)
		}
		for currency, amount := range r.charges {
			all.add("charges", exactMillionths(t, amount), source, r.keys["feed"], value, currency)
		}
	}
	maps.DeleteFunc(all["charges"], func(_ string, n int64) bool { return n == 0 })
}

// reportsByLabel compares the sums by the operator's labels with the truth, to the last digit.
func (e *estate) reportsByLabel(t *testing.T, from, to time.Time) {
	t.Helper()
	e.writeStaff()
	config := e.configure(settings{More: staffLabels})
	keys := []string{"source", "feed", "department", "site"}
	got, want := make(tables), make(tables)
	got.addSumsByLabel(t, jsonSums(t, e.report(t, config, from, to, "json", "--by="+strings.Join(keys, ",")).
		out.Bytes(), keys...), e.labelOfSource())
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			want.addLabelled(p.source(), feed, e.truthByLabel(p, feed))
		}
	}
	if wrong := diff(got, want); wrong != "" {
		t.Errorf("the report by label differs from the truth: %s", wrong)
	}
	if len(want["calls"]) < 10 || len(want["charges"]) < 5 {
		t.Errorf("there is little to compare: %v", want)
	}
}
