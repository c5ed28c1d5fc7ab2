package sim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// TestSyncGivesWhatTheLogLists: all rows, in the order of their changes.
func TestSyncGivesWhatTheLogLists(t *testing.T) {
	account := world(t, Mix(), 1200, busy)
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

func TestSyncAnswers(t *testing.T) {
	_, c := start(t, Settings{Account: world(t, Mix(), 800, nil)})
	e := c.page(syncs + "dateFrom=2026-03-01T00:00:00Z")
	if e.Sync.Type != "FSync" || !e.Sync.More || len(e.Records) < 250 || len(e.Records) > 255 || !e.Sync.Time.Equal(c.server.Now()) {
		t.Errorf("%d rows, %+v", len(e.Records), e.Sync)
	}
	next := c.page(syncs + "syncType=ISync&syncToken=" + e.Sync.Token)
	if next.Sync.Type != "ISync" || next.Sync.Token == e.Sync.Token || len(next.Records) < 250 {
		t.Errorf("%d rows, %+v", len(next.Records), next.Sync)
	}
	if faxes, _ := c.follow("view=Detailed&recordCount=1000&dateFrom=2026-03-01T00:00:00Z"); len(idsOf(faxes)) != 800 {
		t.Errorf("%d rows of all types", len(idsOf(faxes)))
	}
	// Without dateFrom it is an hour.
	if e := c.page(company + "call-log-extract-sync"); len(e.Records) != 0 || e.Sync.More || e.Records == nil {
		t.Errorf("the last hour: %d rows", len(e.Records))
	}
}

func TestSyncTokensGetLost(t *testing.T) {
	clock := simulator.NewManualClock(begin.Add(48 * time.Hour))
	server, c := start(t, Settings{Account: world(t, Mix(), 100, nil), Clock: clock})
	token := func() string { return c.page(syncs + "dateFrom=2026-03-01T00:00:00Z").Sync.Token }
	refuses := func(name, token, code string) {
		t.Helper()
		response, body := c.get(syncs + "syncType=ISync&syncToken=" + token)
		var p problem
		if json.Unmarshal(body, &p) != nil || response.StatusCode != http.StatusBadRequest || p.Code != "InvalidParameter" ||
			codeOf(body) != code || p.Message != "Parameter [syncToken] is invalid [Sync token expired, call log was reset]" {
			t.Errorf("%s: %d %s", name, response.StatusCode, body)
		}
	}
	refuses("nonsense", "FAsDAwAAAWQTM3nQ", "CLG-101")
	good := token()
	c.page(syncs + "syncType=ISync&syncToken=" + good)
	server.DropSyncTokens()
	refuses("dropped", good, "CLG-104")
	c.page(syncs + "syncType=ISync&syncToken=" + token())
}

func TestSyncCanBeOff(t *testing.T) {
	for status, code := range map[int]string{0: "CMN-120", http.StatusForbidden: "CMN-109", http.StatusBadRequest: "CMN-104"} {
		server, c := start(t, Settings{Account: world(t, Mix(), 10, nil), NoSync: true, SyncRefusal: status})
		want := cmp.Or(status, http.StatusNotFound)
		if response, body := c.get(syncs + "dateFrom=2026-03-01T00:00:00Z"); response.StatusCode != want || codeOf(body) != code {
			t.Errorf("off: %d %s", response.StatusCode, body)
		}
		server.OfferSync(true)
		if e := c.page(syncs + "dateFrom=2026-03-01T00:00:00Z"); len(idsOf(e.Records)) != 10 {
			t.Errorf("on: %d rows", len(e.Records))
		}
		server.OfferSync(false)
		if response, _ := c.get(syncs + "dateFrom=2026-03-01T00:00:00Z"); response.StatusCode != want {
			t.Errorf("off again: %d", response.StatusCode)
		}
	}
}
