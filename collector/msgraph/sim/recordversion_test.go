package sim

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// seals are the ends of next links, which differ from server to server.
var seals = regexp.MustCompile(`skiptoken=[A-Za-z0-9_.-]+`)

// TestRecordsFollowFromTheSeed: two servers of a seed serve the same, of another not.
func TestRecordsFollowFromTheSeed(t *testing.T) {
	at := begin.Add(20 * time.Hour)
	serve := func(seed uint64) []byte {
		w := recordWorld(t, 80, func(s *simulator.Settings) { s.Seed = seed })
		r := newRecords(t, CallRecordSettings{Calls: w})
		server, c, _ := startRecords(t, r, at, nil)
		_, all := c.get(recordsURI)
		for _, id := range r.newestRecords(at, 80) {
			_, body := c.get(recordsURI + "/" + id.String() + "?$expand=sessions($expand=segments),participants_v2")
			all = append(all, body...)
		}
		return seals.ReplaceAll(bytes.ReplaceAll(all, []byte(server.GraphURL()), nil), nil)
	}
	if one := serve(1); !bytes.Equal(one, serve(1)) {
		t.Error("the same seed serves something else")
	} else if bytes.Equal(one, serve(2)) {
		t.Error("another seed serves the same")
	}
}

// TestVersionsGrow: numbers and what is known grow, and the last usual version has it all.
func TestVersionsGrow(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 3000, nil)})
	var p plan
	seen := map[string]int{}
	r.sources[0].world.Each(time.Time{}, time.Time{}, func(c *simulator.Call) bool {
		r.sources[0].plan(c, &p)
		all := p.releases()
		if wait := all[0].at.Sub(p.end); wait < 5*time.Minute || wait > 150*time.Minute {
			t.Fatalf("%s is published %s after its end", p.id, wait)
		}
		for i := range all {
			x := &all[i]
			if x.media > x.sessions || x.sessions > p.sessions || x.start.Before(p.start) || x.start.Sub(p.start) > maxShift || x.start.After(p.end) {
				t.Fatalf("%s: %+v of %d sessions", p.id, x, p.sessions)
			}
			if i == 0 {
				continue
			}
			before := &all[i-1]
			if x.number <= before.number || !x.at.After(before.at) || x.sessions < before.sessions || x.media < before.media || before.rated && !x.rated {
				t.Fatalf("%s: %+v after %+v", p.id, x, before)
			}
			if before.told && !x.told {
				t.Fatalf("%s: a failure is taken back", p.id)
			}
		}
		last := &all[len(all)-1]
		if last.sessions != p.sessions || last.media != p.sessions || !last.rated || !last.told || !last.start.Equal(p.start) {
			t.Fatalf("%s ends with %+v of %d sessions", p.id, last, p.sessions)
		}
		seen["versions"] += len(all)
		count(seen, "no session at first", all[0].sessions == 0 && p.sessions > 0)
		count(seen, "no media at first", all[0].media == 0 && all[0].sessions > 0)
		count(seen, "no ratings at first", !all[0].rated)
		count(seen, "a start that moves", !all[0].start.Equal(p.start))
		count(seen, "a failure that comes late", !all[0].told && p.shape.failed != nil)
		count(seen, "a version after hours", last.at.Sub(p.end) > 2*time.Hour+30*time.Minute)
		count(seen, "young", p.readable.After(all[0].at))
		count(seen, "never a session", p.sessions == 0)
		count(seen, "over 60 sessions", p.sessions > 60)
		count(seen, "over 130 people", p.people > 130)
		count(seen, "a single version", len(all) == 1)
		count(seen, "bad networks", p.bad)
		return true
	})
	for _, what := range []string{
		"no session at first", "no media at first", "no ratings at first", "a start that moves", "a failure that comes late",
		"a version after hours", "young", "never a session", "over 60 sessions", "over 130 people", "a single version", "bad networks",
	} {
		if seen[what] == 0 {
			t.Errorf("no record of 3000 has %s", what)
		}
	}
	if seen["versions"] < 4500 {
		t.Errorf("%d versions of 3000 records", seen["versions"])
	}
}

func count(seen map[string]int, what string, yes bool) {
	if yes {
		seen[what]++
	}
}

// TestYoungRecords: a record is listed, and found by its id some minutes later.
func TestYoungRecords(t *testing.T) {
	v := UsualVersions()
	v.Young = 1
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 50, nil), Versions: v})
	server, c, clock := startRecords(t, r, begin, nil)
	id, readable, _ := growing(r, func(p *plan) bool { return p.readable.Sub(p.all[0].at) > time.Minute })
	clock.Set(readable.Add(-time.Millisecond))
	all, _ := follow[servedRecord](c, server.GraphURL()+recordsURI)
	listed := false
	for _, x := range all {
		listed = listed || x.ID == id
	}
	response, body := c.get(recordsURI + "/" + id)
	if !listed || response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"code":"NotFound"`) || !strings.Contains(string(body), `"message":""`) {
		t.Errorf("listed %v; %d %s", listed, response.StatusCode, body)
	}
	clock.Set(readable)
	if c.record(strings.ToUpper(id)) == nil {
		t.Error("it isn't found, in capitals")
	}
}

// TestRetention: nothing is kept longer than 30 days.
func TestRetention(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 50, nil)})
	server, c, clock := startRecords(t, r, begin.Add(72*time.Hour), nil)
	id := r.newestRecords(server.Now(), 1)[0].String()
	start := c.record(id).Start
	clock.Set(start.Add(retention))
	if c.record(id) == nil {
		t.Error("gone too early")
	}
	clock.Set(start.Add(retention + maxShift))
	response, body := c.get(recordsURI + "/" + id)
	if response.StatusCode != http.StatusNotFound || !strings.Contains(string(body), "30 days") {
		t.Errorf("%d %s", response.StatusCode, body)
	}
	clock.Set(begin.Add(40 * 24 * time.Hour))
	if all := c.list(begin, begin.Add(24*time.Hour)); len(all) != 0 {
		t.Errorf("%d rows are left", len(all))
	}
}

// TestPausedRecords: nothing is published while publication is paused.
func TestPausedRecords(t *testing.T) {
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 200, nil)})
	server, c, _ := startRecords(t, r, begin.Add(10*time.Hour), nil)
	at := server.Pause()
	before := len(c.list(begin, begin.Add(24*time.Hour)))
	server.Resume()
	server.Advance(6 * time.Hour)
	if after := len(c.list(begin, begin.Add(24*time.Hour))); after <= before || !at.Equal(begin.Add(10*time.Hour)) {
		t.Errorf("%d rows, then %d", before, after)
	}
}

// TestMalformedRecords: some are spoilt in the list, others by themselves; each is
// counted once.
func TestMalformedRecords(t *testing.T) {
	at := begin.Add(72 * time.Hour)
	r := newRecords(t, CallRecordSettings{Calls: recordWorld(t, 400, func(s *simulator.Settings) { s.Malformed = 0.3 })})
	server, c, _ := startRecords(t, r, at, nil)
	seen := map[simulator.Flaw]bool{}
	var p plan
	r.sources[0].world.Each(time.Time{}, time.Time{}, func(call *simulator.Call) bool {
		r.sources[0].plan(call, &p)
		if p.flaw == simulator.NoFlaw {
			return true
		}
		seen[p.flaw] = true
		response, one := c.get(recordsURI + "/" + p.id.String())
		_, two := c.get(recordsURI + "/" + p.id.String())
		if listFlaw(p.flaw) != (response.StatusCode == http.StatusNotFound) || !listFlaw(p.flaw) && !bytes.Equal(one, two) {
			t.Errorf("flaw %d: %d %s", p.flaw, response.StatusCode, one)
		}
		spoilt := map[simulator.Flaw]string{
			simulator.ObjectForString: `"type":{`, simulator.BadTime: `"yesterday"`, simulator.ImpossibleTime: `25:61`, simulator.NullStart: `"startDateTime":null`,
		}[p.flaw]
		if !strings.Contains(string(one), spoilt) {
			t.Errorf("flaw %d: %s", p.flaw, one)
		}
		return true
	})
	_, list := c.get(recordsURI + "?$filter=startDateTime%20ge%20" + begin.Format(time.RFC3339))
	for range 10 {
		next := regexp.MustCompile(`"@odata.nextLink":"([^"]+)"`).FindSubmatch(list)
		if next == nil {
			break
		}
		_, more := c.send(http.MethodGet, string(next[1]), nil)
		for i, want := range []string{`"record `, `{"version":`, `"id":"../`, `"version":"`} {
			if bytes.Contains(more, []byte(want)) {
				seen[simulator.Flaw(200+i)] = true
			}
		}
		list = more
	}
	if len(seen) != 9+4 {
		t.Errorf("only %d kinds of flaws", len(seen))
	}
	if n := r.Totals(server.Now(), 0).Invalid; n < 90 || n > 150 {
		t.Errorf("%d invalid", n)
	}
}
