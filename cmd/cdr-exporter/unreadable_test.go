package main_test

import (
	"bytes"
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
