package main_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator/otlpsink"
)

// trouble makes the next requests to an endpoint fail with every applicable fault, once, with a
// good answer after each, and later ones with some of them by chance.
func trouble(f *simulator.Faults, endpoint string, own ...simulator.Fault) {
	for _, fault := range append(own, simulator.Transient()...) {
		f.Once(endpoint, fault, simulator.NoFault)
	}
	f.Rate(endpoint, 0.05, simulator.Transient()...)
}

// TestFaults (guarantees 1, 2, 3, 7; counting.md 6, 8, 9, 13, 16, 17, 26): whatever goes wrong between the providers
// and us loses nothing and counts nothing twice. Late rows are found, revisions and recordings are counted once, at any
// age within the lookback, and rows that aren't final wait.
func TestFaults(t *testing.T) {
	t.Parallel()
	graph, office, carrier := simulator.NewFaults(7), simulator.NewFaults(8), simulator.NewFaults(9)
	trouble(graph, sim.EndpointPSTN)
	trouble(graph, sim.EndpointDirectRouting, sim.ExpiredToken, sim.ExpiredLink)
	trouble(office, rcsim.EndpointCallLog)
	trouble(carrier, wavixsim.EndpointList)
	graph.Once(sim.EndpointToken, simulator.Unavailable, simulator.Throttled, simulator.HTML, simulator.Cut,
		simulator.Reset)
	office.Once(rcsim.EndpointToken, simulator.Unavailable)
	e := newEstate(t, estateSettings{
		seed: 3, calls: 500, era: unfoldingEra,
		graph:       sim.Settings{PageSize: 50, Faults: graph},
		ringcentral: rcsim.Settings{MaxPerPage: 100, Faults: office},
		wavix:       wavixsim.Settings{MaxPerPage: 150, Faults: carrier},
	})
	r := newReceiver(t, e.vault, otlpsink.Settings{})
	e.hold()
	x := e.start(settings{OTLP: r.overGRPC("")}).ready()
	e.tenant.ExpireTokens()
	e.office.KillSessions()
	x.unfold(e)
	for name, f := range map[string]*simulator.Faults{"Graph": graph, "RingCentral": office, "Wavix": carrier} {
		eventually(t, "meet every fault of "+name, func() error {
			x.running()
			if left := f.Pending(); left > 0 {
				return fmt.Errorf("%d have not happened yet", left)
			}
			return nil
		})
		f.Stop()
	}
	e.skip(12 * time.Hour) // everything is read again, and changes nothing
	x.caughtUpAll(e)
	x.countsAll(e)
	x.rowsAll(e)
	r.completeAll(e)
	r.agrees(x)
	x.stop()
}

// TestFeedsAreApart (guarantee 6): a feed that fails for good, and one whose account
// lacks it, stop no other, whatever provider it is of.
func TestFeedsAreApart(t *testing.T) {
	t.Parallel()
	faults := simulator.NewFaults(10)
	faults.Hook(func(endpoint string) simulator.Fault {
		if endpoint == sim.EndpointPSTN {
			return sim.Forbidden
		}
		return simulator.NoFault
	})
	e := newEstate(t, estateSettings{seed: 10, calls: 500, era: presentEra, graph: sim.Settings{Faults: faults}})
	e.hold()
	e.office.SetPermissions(rcsim.ReadCallLog)
	unscoped := func(endpoint string) simulator.Fault {
		if endpoint == wavixsim.EndpointCalls {
			return wavixsim.Forbidden
		}
		return simulator.NoFault
	}
	e.carrier.Faults.Hook(unscoped)
	x := start(t, e.vault, launch{config: e.configure(settings{}), raced: true}).ready()
	good := map[place]string{e.tenant: directRouting, e.desk: callLog, e.carrier: callLog}
	for p, feed := range good {
		x.countsFeed(p, p.source(), feed, e.at(p)...)
	}
	bad := []struct {
		place         place
		feed, mention string
	}{
		{e.tenant, pstn, "CallRecords.Read.All"},
		{e.office, callLog, "FullCompanyCallLog"},
		{e.carrier, "active_calls", "calls"},
	}
	for _, b := range bad {
		x.fails(b.place.source(), b.feed, b.mention)
		m := x.scrape()
		of := []string{"source=" + b.place.source(), "feed=" + b.feed}
		for _, err := range []error{
			diff(m.tables(b.place.source(), b.feed), tables{}),
			m.is(0, "cdr_exporter_last_success_timestamp_seconds", of...),
			m.is(0, "cdr_exporter_polls_total", append(of, "result=ok")...),
		} {
			if err != nil {
				t.Errorf("a feed that was never read: %v", err)
			}
		}
	}
	for p, feed := range good {
		if n := x.scrape().sum("cdr_exporter_polls_total", "source="+p.source(), "feed="+feed, "result=error"); n != 0 {
			t.Errorf("%s/%s failed %g times", p.source(), feed, n)
		}
	}
	faults.Stop()
	e.office.SetPermissions(rcsim.ReadCallLog, rcsim.FullCompanyCallLog)
	e.carrier.Faults.Stop()
	x.countsAll(e)
	x.inProgress(e)
	e.carrier.Faults.Hook(unscoped)
	eventually(t, "show no calls in progress once that isn't known any more", func() error {
		if n := len(x.scrape().series("cdr_active_calls", "source=wave")); n > 0 {
			return fmt.Errorf("%d series", n)
		}
		return nil
	})
	failed := x.scrape().sum("cdr_exporter_polls_total", "source=wave", "feed=active_calls", "result=error")
	if failed < 3 {
		t.Errorf("the calls in progress vanished after %g failed reads", failed)
	}
	x.stop()
}

// poisonRows are rows that no JSON decoder reads.
var poisonRows = []string{
	"{\"id\":\"raw\ncontrol\x01character\"}", `{"id":007}`, `{"charge":NaN}`, `{"id":` + strings.Repeat("[", 20_000) +
		strings.Repeat("]", 20_000) + `}`,
	`{"id":"` + strings.Repeat("too long ", 480_000) + `"}`,
}

// poison puts rows before the first of each answer whose rows begin with array.
func poison(f *simulator.Faults, array string, rows ...string) {
	f.Rewrite(func(body []byte) []byte {
		before, after, found := bytes.Cut(body, []byte(array))
		if !found {
			return body
		}
		text := array + strings.Join(rows, ",")
		if after[0] != ']' {
			text += ","
		}
		return slices.Concat(before, []byte(text), after)
	})
}

// TestPoisonRows (guarantee 6; counting.md 14, 18, 31): every page of every provider has rows that can't
// be decoded, and some have rows that can't be mapped. Each is counted as invalid once and logged once.
// The log has its place and not its content. Every other row is counted exactly, also those without
// an id.
func TestPoisonRows(t *testing.T) {
	t.Parallel()
	faults := func(array string, rows []string) *simulator.Faults {
		f := simulator.NewFaults(11)
		poison(f, array, rows...)
		return f
	}
	short := poisonRows[:len(poisonRows)-1] // Wavix has many pages, so the long row would take most of the test's time
	e := newEstate(t, estateSettings{
		seed: 11, calls: 150, era: pastEra,
		worlds: func(s *simulator.Settings) {
			s.Malformed, s.Duplicated = 0.05, 0.1
			if !s.NewestFirst { // RingCentral's rows all have ids
				s.NoID = 0.02
			}
		},
		graph:       sim.Settings{Faults: faults(`"value":[`, poisonRows)},
		ringcentral: rcsim.Settings{Faults: faults(`"records":[`, poisonRows)},
		wavix:       wavixsim.Settings{Faults: faults(`"items":[`, short)},
	})
	e.carrier.CallLog, e.office.CallLog, e.desk.CallLog = "{interval: 5s, lookback: 48h}",
		"interval: 5s, lookback: 48h", "interval: 5s, lookback: 48h"
	e.hold()
	x := e.start(settings{}).ready()
	x.countsAll(e)
	e.skip(12 * time.Hour)
	x.caughtUpAll(e)
	x.countsAll(e)
	m := x.scrape()
	x.stop()
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			poison := len(poisonRows)
			if p == place(e.carrier) {
				poison = 2 * len(short) // of the calls placed, and of those received
			}
			want := p.tally(feed, e.at(p)...).invalid + poison
			if err := m.is(float64(want), "cdr_exporter_rows_total", "source="+p.source(), "feed="+feed,
				"result=invalid"); err != nil {
				t.Error(err)
			}
			logged := linesWith(x.log.String(), "A row can't be read", "source="+p.source(), "feed="+feed, "at=")
			if len(logged) != want {
				t.Errorf("%d malformed rows of %s/%s were logged, want %d", len(logged), p.source(), feed, want)
			}
		}
	}
	for _, content := range []string{"yesterday", "5a5a"} {
		if line := lineWith(x.log.String(), "A row can't be read", content); line != "" {
			t.Errorf("the log repeats the content of a malformed row: %s", line)
		}
	}
}
