package sim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestSyncGivesWhatTheLogLists: all rows, in the order of their changes.
func TestSyncGivesWhatTheLogLists(t *testing.T) {
	account := world(t, Mix(), 600, busy)
	clock := simulator.NewManualClock(begin.Add(9 * time.Hour))
	server, c := start(t, Settings{Account: account, Clock: clock})
	latest := map[string]string{}
	take := func(rows []json.RawMessage) {
		var last time.Time
		for _, raw := range rows {
			var r served
			if json.Unmarshal(raw, &r) != nil || r.ID == nil || r.Modified == nil {
				continue
			}
			if r.Modified.Before(last) {
				t.Fatal("not in the order of changes")
			}
			last = *r.Modified
			latest[*r.ID] = string(raw)
		}
	}
	rows, last := c.follow("view=Detailed&recordCount=1000&dateFrom=2026-03-01T00:00:00Z")
	take(rows)
	for _, after := range []time.Duration{9 * time.Hour, 10 * time.Hour, 30 * time.Hour, 80 * time.Hour} {
		clock.Set(begin.Add(after))
		last.Sync.More = true
		for last.Sync.More {
			last = c.page(syncs + "syncType=ISync&view=Detailed&syncToken=" + last.Sync.Token)
			take(last.Records)
		}
		listed, _ := c.read(log + "view=Detailed&perPage=max&" + day)
		ids := idsOf(listed)
		for _, raw := range listed {
			var r served
			if json.Unmarshal(raw, &r) == nil && r.ID != nil && r.Modified != nil && latest[*r.ID] != string(raw) {
				t.Fatalf("after %s a row differs:\n%s\n%s", after, latest[*r.ID], raw)
			}
		}
		if len(ids) < len(latest) {
			t.Errorf("after %s: %d rows synced, %d listed", after, len(latest), len(ids))
		}
	}
	if strays := server.Strays(); len(strays) != 0 {
		t.Errorf("strays %q", strays)
	}
}
