package main_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	wavixsim "github.com/cdr-exporter/cdr-exporter/collector/declared/sim/wavix"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/sim"
	rcsim "github.com/cdr-exporter/cdr-exporter/collector/ringcentral/sim"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

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

// TestPoisonRows (guarantee 6; counting.md 31): rows that can't be decoded, on every page of every
// provider, are counted as invalid once, and every other row is counted exactly.
func TestPoisonRows(t *testing.T) {
	t.Parallel()
	faults := func(array string, rows []string) *simulator.Faults {
		f := simulator.NewFaults(simulator.FaultSettings{Seed: 11})
		poison(f, array, rows...)
		return f
	}
	short := poisonRows[:len(poisonRows)-1] // Wavix has many pages, so the long row would take most of the test's time
	e := newEstate(t, estateSettings{
		seed: 11, calls: 150, era: pastEra,
		graph:       sim.Settings{Faults: faults(`"value":[`, poisonRows)},
		ringcentral: rcsim.Settings{Faults: faults(`"records":[`, poisonRows)},
		wavix:       wavixsim.Settings{Faults: faults(`"items":[`, short)},
	})
	e.carrier.CallLog, e.office.CallLog, e.desk.CallLog = "{interval: 5s, lookback: 48h}",
		"interval: 5s, lookback: 48h", "interval: 5s, lookback: 48h"
	e.hold()
	x := e.start(settings{}).ready()
	x.countsAll(e)
	m := x.scrape()
	for _, p := range e.places() {
		for _, feed := range p.feeds() {
			poison := len(poisonRows)
			if p == place(e.carrier) {
				poison = 2 * len(short) // of the calls placed, and of those received
			}
			want := float64(p.tally(feed, e.at(p)...).invalid + poison)
			if err := m.is(want, "cdr_exporter_rows_total", "source="+p.source(), "feed="+feed,
				"result=invalid"); err != nil {
				t.Error(err)
			}
		}
	}
	x.stop()
}

// TestUnreadableSpan (counting.md 30, 31): a span for which the provider always fails, while it
// gives others, is stepped over and shown; what follows isn't held, a first history is shown, and
// what is in the span is counted when it can be read.
func TestUnreadableSpan(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]simulator.Fault{"500": simulator.InternalError, "no page": simulator.HTMLOK} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			begin := time.Now().Add(-30 * time.Second)
			set := simulator.Historical(59, sim.DirectRoutingMix(), begin, begin.Add(25*time.Second), 200)
			set.Revised, set.Delays = 0, []simulator.Delay{{Weight: 1, Max: time.Second}}
			faults := simulator.NewFaults(simulator.FaultSettings{Seed: 12})
			bad := begin.Add(12 * time.Second)
			faults.Hook(func(r simulator.Request) simulator.Fault {
				if r.Endpoint == sim.EndpointDirectRouting && !r.From.After(bad) && r.To.After(bad) {
					return fault
				}
				return simulator.NoFault
			})
			n := newTenant(t, sim.Settings{DirectRouting: world(t, set), Faults: faults})
			at := n.Pause()
			x := n.start(settings{Sources: []source{{PSTN: "-", History: "40s", DirectRouting: "{interval: " +
				"1s, lookback: 30s}"}}}).serving()
			eventually(t, "step over the span", func() error {
				m := x.scrape()
				lost, err := m.one("cdr_exporter_unreadable_seconds", "feed="+directRouting)
				if err == nil && (lost < 1 || lost > 10) {
					err = fmt.Errorf("%g s can't be read", lost)
				}
				return errors.Join(err, m.is(0, "cdr_exporter_catching_up", "feed="+directRouting))
			})
			x.ready()
			eventually(t, "read on after the span", func() error {
				if f := x.feed("contoso", directRouting); len(f.Unreadable) == 0 || f.Watermark == nil ||
					f.Watermark.Before(bad) {
					return fmt.Errorf("the status is %+v", f)
				}
				return nil
			})
			x.logged("it is stepped over")
			if n := x.scrape().sum("cdr_exporter_tasks", "feed="+directRouting, "state=set_aside"); n < 1 {
				t.Errorf("%g tasks are set aside", n)
			}
			faults.Hook(nil)
			x.counts(n, at)
			eventually(t, "show that everything was read", func() error {
				return errors.Join(x.scrape().is(0, "cdr_exporter_unreadable_seconds", "feed="+directRouting),
					x.scrape().is(0, "cdr_exporter_tasks", "feed="+directRouting, "state=set_aside"))
			})
			x.stop()
		})
	}
}
