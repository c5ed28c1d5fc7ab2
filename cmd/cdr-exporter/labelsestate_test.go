package main_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/wavix/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// staff are the departments of an estate's people, by user, and the sites of its numbers: Wavix tells no users.
type staff struct {
	estate *estate
	// renamed are the names that the files give instead of the first ones; nil: they give those.
	renamed map[string]string
}

// theNewNames are those of the second files.
var theNewNames = map[string]string{"Sales": "Vertrieb", "Support": "Hilfe", "Tower": "Turm", "Annex": "Anbau"}

// staffLabels are the labels in the configuration.
const staffLabels = "labels:\n  - {name: department, file: people.csv, key: user, column: who}\n  - {name: site, file: numbers.csv, key: number, column: prefix}\n"

// seat is the department of the nth user: every third is in no file.
func seat(n int) string { return []string{"Sales", "Support", ""}[n%3] }

// known says how the file knows the nth user: by id, or by a principal name that doesn't come with incomplete rows.
func known(n int, u *simulator.User) (key string, byID bool) {
	if n%2 == 1 && strings.Contains(u.Principal, "@") {
		return strings.ToUpper(u.Principal), false
	}
	return u.ID, true
}

// write writes both files. Each takes the place of the former at once.
func (s *staff) write() {
	e, people := s.estate, "who,department\n"
	named := func(name string) string {
		if other := s.renamed[name]; other != "" {
			return other
		}
		return name
	}
	for _, m := range []*simulator.Mix{sim.PSTNMix(), rcsim.Mix()} { // the other worlds have the same people
		for n := range m.Users {
			if key, _ := known(n, &m.Users[n]); seat(n) != "" {
				people += key + "," + named(seat(n)) + "\n"
			}
		}
	}
	numbers := fmt.Sprintf("prefix,site\n+1 (206) 555-010,%s\n+1 206,%s\n", named("Tower"), named("Annex"))
	for name, text := range map[string]string{"people.csv": people, "numbers.csv": numbers} {
		if err := os.Rename(e.write(name+".new", text), e.path(name)); err != nil {
			e.t.Fatal(err)
		}
	}
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

// truth are the metrics of a feed that have labels, by the one that is compared: its value is the last of each series.
func (s *staff) truth(p place, feed string) tables {
	v := simulator.View{At: s.estate.at(p)}
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
	"cdr_calls_total", "cdr_call_failures_total", "cdr_call_connected_seconds_total", "cdr_call_charges_total", "cdr_call_charge_corrections_total",
}

// byLabel are the metrics of a feed in the form of the truth. What the second files call otherwise is what the first ones called it.
func (f families) byLabel(source, feed, label string) tables {
	former := make(map[string]string)
	for first, second := range theNewNames {
		former[second] = first
	}
	all := make(tables)
	for _, metric := range labelled {
		for _, m := range f.series(metric, "source="+source, "feed="+feed) {
			has := labelsOf(m)
			var values []any
			for _, name := range compared[metric] {
				values = append(values, has[name])
			}
			value := has[label]
			if first := former[value]; first != "" {
				value = first
			}
			all.add(metric, millionths(m.GetCounter().GetValue()), append(values, value)...)
		}
	}
	return all
}

// counted waits until every feed's metrics are the truth by label.
func (s *staff) counted(x *exporter) families {
	x.t.Helper()
	var m families
	eventually(x.t, "count each department's calls exactly", func() error {
		x.running()
		m = x.scrape()
		for _, p := range s.estate.places() {
			for _, feed := range p.feeds() {
				if wrong := diff(m.byLabel(p.source(), feed, labelOf(p)), s.truth(p, feed)); wrong != "" {
					return fmt.Errorf("%s/%s: %s", p.source(), feed, wrong)
				}
			}
		}
		return nil
	})
	return m
}

// allowed expects no value of a label that isn't in one of the files.
func (s *staff) allowed(m families) {
	s.estate.t.Helper()
	for label, names := range map[string][]string{"department": {"", "Sales", "Support"}, "site": {"", "Tower", "Annex"}} {
		for _, name := range names[1:] {
			names = append(names, theNewNames[name])
		}
		for _, metric := range labelled {
			for _, series := range m[metric].GetMetric() {
				if value := labelsOf(series)[label]; !slices.Contains(names, value) {
					s.estate.t.Errorf("%s has the %s %q, which no file has", metric, label, value)
				}
			}
		}
	}
}

// byFirst are the calls of each source that the first files gave a value.
func (s *staff) byFirst(m families) map[string]float64 {
	calls := make(map[string]float64)
	for _, p := range s.estate.places() {
		for first := range theNewNames {
			calls[p.source()] += m.sum("cdr_calls_total", "source="+p.source(), labelOf(p)+"="+first)
		}
	}
	return calls
}

// read is how many records of each source were read for the first time.
func (s *staff) read(m families) map[string]float64 {
	rows := make(map[string]float64)
	for _, p := range s.estate.places() {
		rows[p.source()] = m.sum("cdr_exporter_rows_total", "source="+p.source(), "result=new")
	}
	return rows
}

// gate lets a given number of requests for a provider's rows pass, and holds the others. Some requests fail.
type gate struct {
	*simulator.Faults

	passes chan struct{}
}

func newGate(seed uint64, endpoints ...string) *gate {
	g := &gate{simulator.NewFaults(simulator.FaultSettings{Seed: seed}), make(chan struct{}, 4)}
	for _, endpoint := range endpoints {
		for _, fault := range []simulator.Fault{simulator.Reset, simulator.CutLength, simulator.HTMLOK, simulator.InternalError, simulator.CutChunked} {
			g.Once(endpoint, simulator.NoFault, simulator.NoFault, simulator.NoFault, fault)
		}
	}
	g.Hook(func(r simulator.Request) simulator.Fault {
		if slices.Contains(endpoints, r.Endpoint) {
			<-g.passes
		}
		return simulator.NoFault
	})
	return g
}

// pass lets a few more requests pass.
func (g *gate) pass() {
	for range cap(g.passes) {
		select {
		case g.passes <- struct{}{}:
		default: // those before haven't come
		}
	}
}

// TestLabelsOfEstate: the totals by department, or by site, of calls of Microsoft Graph, RingCentral and Wavix are the simulators' truth, although requests fail,
// the files change while the history is read, the process is killed right afterwards, and the configuration is reloaded. No call that is new
// has a value of the former files. That no label has a person or a number is searched by each scrape.
func TestLabelsOfEstate(t *testing.T) {
	t.Parallel()
	graph, ringcentral := newGate(30, sim.EndpointPSTN, sim.EndpointDirectRouting), newGate(31, rcsim.EndpointCallLog)
	wavix := newGate(32, wavixsim.EndpointList)
	e := newEstate(t, estateSettings{
		seed: 30, calls: 200, era: unfoldingEra,
		graph:       sim.Settings{PageSize: 40, Faults: graph.Faults},
		ringcentral: rcsim.Settings{Faults: ringcentral.Faults},
		wavix:       wavixsim.Settings{MaxPerPage: 40, Faults: wavix.Faults},
	})
	s := &staff{estate: e}
	s.write()
	e.hold()
	x := e.start(settings{More: staffLabels}).serving()
	eventually(t, "count some calls of each source", func() error {
		x.running()
		var errs []error
		rows := s.read(x.scrape()) // a history is shown once it is read
		for p, g := range map[place]*gate{e.tenant: graph, e.office: ringcentral, e.desk: ringcentral, e.carrier: wavix} {
			if rows[p.source()] == 0 {
				g.pass()
				errs = append(errs, errors.New("none of "+p.source()))
			}
		}
		return errors.Join(errs...)
	})
	s.renamed = theNewNames
	s.write()
	x.logged("The files of labels were read again.")
	atMost := s.read(x.scrape())
	for _, g := range []*gate{graph, ringcentral, wavix} {
		close(g.passes)
	}
	answered := e.answered()
	eventually(t, "read on", func() error {
		x.running()
		if e.answered() < answered+3 {
			return errors.New("nothing is read")
		}
		return nil
	})
	x.kill()

	x = e.start(settings{More: staffLabels}).ready()
	m := s.counted(x)
	first := s.byFirst(m)
	for source, n := range first {
		if all := m.sum("cdr_calls_total", "source="+source); n == 0 || n > atMost[source] || n == all {
			t.Errorf("%g of %g calls of %s have what the first files say, want some, and %g at most", n, all, source, atMost[source])
		}
	}
	unchanged := func(m families) {
		t.Helper()
		if now := s.byFirst(m); !maps.Equal(now, first) {
			t.Errorf("%v calls have what the first files say, want %v: none is new", now, first)
		}
		s.allowed(m)
	}
	e.pass(12 * time.Hour)
	e.configure(settings{More: staffLabels + "  - {name: account, file: numbers.csv, key: number, column: prefix, value: site}\n"})
	x.reload(http.MethodPost, http.StatusOK)
	unchanged(s.counted(x))
	e.pass(12 * time.Hour)
	unchanged(s.counted(x))
	x.countsAll(e)
	x.stop()
	for _, g := range []*gate{graph, ringcentral, wavix} {
		if left := g.Pending(); left > 0 {
			t.Errorf("%d faults didn't happen", left)
		}
	}
}
