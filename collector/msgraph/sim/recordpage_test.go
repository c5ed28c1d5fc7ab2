package sim

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func TestListFollowsItsLinks(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	routing := world(t, DirectRoutingMix(), 200, nil)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 300, nil), Routed: routing})
	server, c, _ := startRecords(t, r, at, nil)
	all, sizes := follow[servedRecord](c, server.GraphURL()+recordsURI)
	ids := map[string]bool{}
	for i, x := range all {
		ids[x.ID] = true
		if i > 0 && x.Start.Before(all[i-1].Start.Add(-maxShift)) {
			t.Fatalf("row %d: %s after %s", i, x.Start, all[i-1].Start)
		}
	}
	var p plan
	want := 0
	for _, s := range r.sources {
		s.world.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
			if s.plan(call, &p) {
				want++
			}
			return true
		})
	}
	// A row that is listed twice is on its page twice.
	if len(ids) != want || len(all) <= want || sizes[0] < 60 || sizes[0] > 63 {
		t.Errorf("%d rows of %d records, want %d; pages of %v", len(all), len(ids), want, sizes)
	}
	if counts := server.Requests().Count(EndpointCallRecords); counts[200] != len(sizes) {
		t.Errorf("recorded %v, %d pages", counts, len(sizes))
	}
	if x := server.Requests().Requests()[0]; !x.To.Equal(at) || x.At.Sub(x.From) != retention {
		t.Errorf("recorded %+v", x)
	}
}

// TestFilters: each comparison as it is written, joined by and.
func TestFilters(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 120, nil), Versions: Versions{GapMin: time.Minute, GapMax: time.Hour, Final: time.Hour}})
	server, c, _ := startRecords(t, r, at, func(s *Settings) { s.RecordPage = 7 })
	all, _ := follow[servedRecord](c, server.GraphURL()+recordsURI)
	some := all[len(all)/2].Start
	for _, test := range []struct {
		filter string
		keep   func(time.Time) bool
	}{
		{"startDateTime ge %s", func(s time.Time) bool { return !s.Before(some) }},
		{"startDateTime gt %s", func(s time.Time) bool { return s.After(some) }},
		{"startDateTime le %s", func(s time.Time) bool { return !s.After(some) }},
		{"startDateTime lt %s", func(s time.Time) bool { return s.Before(some) }},
		{"startDateTime ge %[1]s and startDateTime le %[1]s", func(s time.Time) bool { return s.Equal(some) }},
		{"startDateTime gt %[1]s and startDateTime lt %[1]s", func(time.Time) bool { return false }},
	} {
		filter := fmt.Sprintf(test.filter, some.Format(time.RFC3339Nano))
		got, _ := follow[servedRecord](c, server.GraphURL()+recordsURI+"?$filter="+strings.ReplaceAll(filter, " ", "%20"))
		want := slices.DeleteFunc(slices.Clone(all), func(x servedRecord) bool { return !test.keep(x.Start) })
		if len(got) != len(want) {
			t.Errorf("%s: %d rows, want %d", filter, len(got), len(want))
		}
	}
}

// crowd is a meeting of more than 130 with more than 60 sessions.
func crowd(_ *simulator.Kind, x *shape) bool { return x.least > 130 }

// TestInnerPages: sessions come by 60, participants by 130, and the links lead to the rest.
func TestInnerPages(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 3, only(crowd))})
	server, c, _ := startRecords(t, r, at, nil)
	for _, id := range r.newestRecords(at, 3) {
		address := server.GraphURL() + recordsURI + "/" + id.String()
		var first servedRecord
		c.decode(address+"?$expand=sessions($expand=segments),participants_v2", &first)
		if len(first.Sessions) != 60 || len(first.Participants) != 130 || first.MoreSessions == "" || first.MoreParticipants == "" {
			t.Fatalf("%d sessions, %d participants, links %s and %s", len(first.Sessions), len(first.Participants), first.MoreSessions, first.MoreParticipants)
		}
		whole := c.record(id.String())
		sessions, _ := follow[servedSession](c, address+"/sessions?$expand=segments")
		participants, sizes := follow[servedParticipant](c, address+"/participants_v2")
		if len(whole.Sessions) < 131 || len(sessions) != len(whole.Sessions) || len(participants) != len(whole.Participants) || sizes[0] != 130 {
			t.Errorf("%d sessions by links, %d by themselves; %d and %d participants", len(whole.Sessions), len(sessions), len(whole.Participants), len(participants))
		}
		seen := map[string]bool{}
		for _, s := range whole.Sessions {
			seen[s.ID] = true
			if len(s.Segments) == 0 {
				t.Errorf("session %s has no segments", s.ID)
			}
		}
		if len(seen) != len(whole.Sessions) {
			t.Errorf("%d sessions with %d ids", len(whole.Sessions), len(seen))
		}
		bare, _ := follow[servedSession](c, address+"/sessions")
		if len(bare) != len(sessions) || bare[0].Segments != nil {
			t.Error("sessions that weren't expanded have segments")
		}
	}
}

// TestSegmentsHaveLinks: a session of many segments has a next link of its own.
func TestSegmentsHaveLinks(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 3, only(func(_ *simulator.Kind, x *shape) bool { return x.segments > 20 }))})
	_, c, _ := startRecords(t, r, at, nil)
	for _, id := range r.newestRecords(at, 3) {
		x := c.record(id.String())
		if len(x.Sessions) != 1 || x.Sessions[0].MoreSegments == "" || len(x.Sessions[0].Segments) < 21 {
			t.Errorf("%d sessions, link %q", len(x.Sessions), x.Sessions[0].MoreSegments)
		}
	}
}

// TestPageSizes: a smaller size is preferred by who asks, a greater one isn't given.
func TestPageSizes(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 100, nil)})
	server, c, _ := startRecords(t, r, at, nil)
	for prefer, want := range map[string]int{"odata.maxpagesize=5": 5, "odata.maxpagesize=500": 60} {
		_, body := c.send(http.MethodGet, server.GraphURL()+recordsURI, func(r *http.Request) { r.Header.Set("Prefer", prefer) })
		page := plainJSON(t, body).(map[string]any)
		if n := len(page["value"].([]any)); n < want || n > want+4 {
			t.Errorf("%s: %d rows", prefer, n)
		}
		// The link keeps to it.
		var next struct{ Value []any }
		c.decode(page["@odata.nextLink"].(string), &next)
		if n := len(next.Value); n > want+4 {
			t.Errorf("%s: %d rows on the second page", prefer, n)
		}
	}
}

// TestPagesAreOfOneVersion: what a next link leads to is of the version that the first
// page was of.
func TestPagesAreOfOneVersion(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 30, only(crowd))})
	server, c, clock := startRecords(t, r, begin, nil)
	id, first, second := growing(r, func(p *plan) bool {
		return p.count > 1 && p.all[0].sessions > 60 && p.all[1].sessions > p.all[0].sessions && p.readable.Before(p.all[1].at)
	})
	if id == "" {
		t.Fatal("no record grows")
	}
	clock.Set(first)
	var early servedRecord
	c.decode(server.GraphURL()+recordsURI+"/"+id+"?$expand=sessions", &early)
	clock.Set(second)
	more, _ := follow[servedSession](c, early.MoreSessions)
	now := c.record(id)
	if len(early.Sessions)+len(more) >= len(now.Sessions) || now.Version <= early.Version {
		t.Errorf("%d and %d sessions of version %d, %d of version %d", len(early.Sessions), len(more), early.Version, len(now.Sessions), now.Version)
	}
}

// growing finds a record, when it is readable and when its second version is published.
func growing(r *CallRecords, fits func(*plan) bool) (id string, first, second time.Time) {
	var p plan
	for _, s := range r.sources {
		s.world.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
			if s.plan(c, &p) && fits(&p) {
				id, first = p.id.String(), later(p.all[0].at, p.readable)
				if p.count > 1 {
					second = p.all[1].at
				}
			}
			return id == ""
		})
	}
	return id, first, second
}

// TestGoldenRecords: the same seed gives the same bytes.
func TestGoldenRecords(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 60, func(s *simulator.Settings) { s.Malformed, s.Duplicated = 0.1, 0.1 })})
	server, c, _ := startRecords(t, r, at, func(s *Settings) { s.RecordPage, s.SessionPage = 20, 2 })
	phone, _, _ := growing(r, func(p *plan) bool {
		return p.shape.phone && p.sessions == 1 && p.count > 1 && p.flaw == simulator.NoFlaw
	})
	meeting, _, _ := growing(r, func(p *plan) bool { return p.people == 3 && p.flaw == simulator.NoFlaw })
	for name, uri := range map[string]string{
		"call_records_page.json": "", "call_record_phone.json": "/" + phone + "?$expand=sessions($expand=segments)",
		"call_record_meeting.json": "/" + meeting + "?$expand=sessions($expand=segments),participants_v2",
	} {
		_, body := c.get(recordsURI + uri)
		body = bytes.ReplaceAll(body, []byte(server.GraphURL()), []byte("https://graph.example"))
		body = seals.ReplaceAll(body, []byte("skiptoken=SEALED"))
		body = append(bytes.ReplaceAll(body, []byte("},{"), []byte("},\n{")), '\n')
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, body, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(body, want) {
			t.Errorf("%s differs: run the test with -update and look at what changed", name)
		}
	}
}
