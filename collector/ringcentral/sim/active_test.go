package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestActiveCalls counts the rows in progress, and compares.
func TestActiveCalls(t *testing.T) {
	account, err := simulator.NewWorld(Live(5, Mix(), begin, 1))
	if err != nil {
		t.Fatal(err)
	}
	own, err := simulator.NewWorld(Live(5, ExtensionMix(), begin, 1))
	if err != nil {
		t.Fatal(err)
	}
	server, c := start(t, Settings{Account: account, Extension: own, Clock: simulator.NewManualClock(begin.Add(10 * time.Hour))})
	for range 3 {
		server.Advance(7 * time.Second)
		for uri, want := range map[string]map[cdr.Direction]int{
			company + "active-calls?perPage=40": server.Active(server.Visible()),
			extension + "active-calls":          server.ActiveOfExtension(server.Visible()),
		} {
			got, ended := map[cdr.Direction]int{}, 0
			rows, pages := c.read(uri)
			var starts []time.Time
			for _, raw := range rows {
				var r served
				if err := json.Unmarshal(raw, &r); err != nil || r.Type != "Voice" || len(r.Legs) != 0 {
					t.Fatalf("%v: %s", err, raw)
				}
				starts = append(starts, *r.Start)
				if r.Result == "In Progress" {
					got[r.way()]++
				} else {
					ended++
				}
			}
			if !maps.Equal(got, want) || len(got) < 2 || ended == 0 || pages < 2 {
				t.Errorf("%s: %v and %d that ended on %d pages, want %v", uri, got, ended, pages, want)
			}
			if !slices.IsSortedFunc(starts, func(a, b time.Time) int { return b.Compare(a) }) {
				t.Errorf("%s: not the newest first", uri)
			}
		}
	}
	in, _ := c.read(company + "active-calls?direction=Inbound&type=Voice&view=Detailed")
	all, _ := c.read(company + "active-calls")
	if len(in) == 0 || len(in) >= len(all) {
		t.Errorf("%d inbound of %d", len(in), len(all))
	}
	if faxes, _ := c.read(company + "active-calls?type=Fax"); len(faxes) != 0 {
		t.Errorf("%d faxes", len(faxes))
	}
}
