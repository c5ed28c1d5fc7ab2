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

type activeCalls struct {
	Success *bool            `json:"success"`
	Calls   []map[string]any `json:"calls"`
}

func (c *client) active() []map[string]any {
	c.t.Helper()
	_, _, _, path := paths(c.server.Generation())
	_, body := c.get(path, nil)
	var a activeCalls
	if err := json.Unmarshal(body, &a); err != nil || a.Success == nil || !*a.Success || a.Calls == nil {
		c.t.Fatalf("%v: %.300s", err, body)
	}
	return a.Calls
}

// TestActiveCalls lists those which began and haven't ended, whatever becomes of their
// records.
func TestActiveCalls(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(10 * time.Hour))
	a := account(t, 3000, spoilt)
	server, c := start(t, Settings{Account: a, Clock: clock})
	events := map[string]int{}
	for range 20 {
		server.Advance(17 * time.Minute)
		listed := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
		for _, call := range c.active() {
			if call["direction"] == "inbound" {
				listed[cdr.Inbound]++
			} else {
				listed[cdr.Outbound]++
			}
			events[call["event_type"].(string)]++
			if call["call_completed"] != nil || call["id"] != call["uuid"] {
				t.Errorf("%v", call)
			}
		}
		if want := server.Active(server.Now()); !maps.Equal(listed, want) || want[cdr.Inbound] == 0 || want[cdr.Outbound] == 0 {
			t.Errorf("%v are listed, want %v", listed, want)
		}
		if want := looked(a, server.Now()); !maps.Equal(listed, want) {
			t.Errorf("%v are listed, %v were found by looking", listed, want)
		}
	}
	for _, event := range []string{"ringing", "answered", "on_call_event"} {
		if events[event] == 0 {
			t.Errorf("no call is in %s: %v", event, events)
		}
	}
}

// looked counts the calls in progress by looking at all of them.
func looked(a *Account, at time.Time) map[cdr.Direction]int {
	active := map[cdr.Direction]int{cdr.Inbound: 0, cdr.Outbound: 0}
	a.eachRow(time.Time{}, time.Time{}, func(r *row) {
		if begin, _, end := r.life(); !begin.After(at) && end.After(at) {
			active[r.side.direction()]++
		}
	})
	return active
}

// TestCallsLinger: a call that ended may be listed for a while with the event of its
// end, and isn't in progress.
func TestCallsLinger(t *testing.T) {
	server, c := start(t, Settings{
		Account: account(t, 3000, nil), Clock: simulator.NewManualClock(begin.Add(10 * time.Hour)), Linger: time.Minute,
	})
	ended := 0
	for range 5 {
		server.Advance(time.Minute)
		inProgress := 0
		for _, call := range c.active() {
			if call["call_completed"] == nil {
				inProgress++
				continue
			}
			ended++
			if !slices.Contains([]string{"completed", "busy", "cancelled", "rejected"}, call["event_type"].(string)) {
				t.Errorf("ended with %v", call["event_type"])
			}
		}
		want := server.Active(server.Now())
		if inProgress != want[cdr.Inbound]+want[cdr.Outbound] {
			t.Errorf("%d in progress, want %v", inProgress, want)
		}
	}
	if ended == 0 {
		t.Error("none lingers")
	}
}

// TestPauseHoldsCalls: while publication is held, the calls in progress are too.
func TestPauseHoldsCalls(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(12 * time.Hour))
	server, c := start(t, Settings{Account: account(t, 3000, nil), Clock: clock})
	at := server.Pause()
	before := len(c.active())
	clock.Advance(6 * time.Hour)
	if n := len(c.active()); n != before || server.Active(at)[cdr.Inbound]+server.Active(at)[cdr.Outbound] != n {
		t.Errorf("%d, then %d in progress", before, n)
	}
	server.Resume()
	if !server.Visible().Equal(server.Now()) || !server.Now().Equal(clock.Now()) {
		t.Error("time stands still")
	}
}
