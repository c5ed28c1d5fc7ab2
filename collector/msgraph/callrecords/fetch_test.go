package callrecords

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/core/work"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// askedFor is how a request looks, without the host and what all have.
func askedFor(urls []string) (all []string) {
	for _, u := range urls {
		u = strings.TrimPrefix(u, "https://graph.example/v1.0/communications/callRecords/")
		all = append(all, strings.ReplaceAll(u, record1, "ID"))
	}
	return all
}

// numbered returns n elements with consecutive numbers, starting with from.
func numbered(element string, from, n int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf(element, from+i)
	}
	return strings.Join(all, ",")
}

func link(path string) string {
	return `"https://graph.example/v1.0/communications/callRecords/` + record1 + "/" + path + `"`
}

func itemsOf(kind string, version int64) []work.Item {
	return []work.Item{{Kind: kind, Key: record1, Version: version, Due: time.Now()}}
}

// Every inner next link is followed: sessions beyond 60, segments, participants beyond
// 130 (trap 11). All requests include members of enumerations that are newer than the API.
func TestTrapInnerPages(t *testing.T) {
	body := func(members string) answer {
		return answer{Body: `{"id":"` + strings.ToUpper(record1) +
			`","version":2,"startDateTime":"2026-11-19T10:00:00Z","endDateTime":"2026-11-19T10:05:00Z",` + members +
			`}`}
	}
	g := &providertest.Script{Answers: []answer{
		body(`"sessions":[` + numbered(`{"id":"s%d"}`, 0, 59) +
			`,{"id":"s59","segments":[{"id":"g0"}],"segments@odata.nextLink":` + link("sessions/s59/segments?$skip=1") +
			`}],
			"sessions@odata.NextLink":` + link("sessions?$expand=segments&$skiptoken=a")),
		{Body: `{"value":[` + numbered(`{"id":"s%d"}`, 60, 60) + `],"@odata.nextLink":` +
			link("sessions?$expand=segments&$skiptoken=b") + `}`},
		{Body: `{"value":[],"@odata.nextLink":` + link("sessions?$expand=segments&$skiptoken=c") + `}`},
		{Body: `{"value":[` + numbered(`{"id":"s%d"}`, 120, 5) + `]}`},
		{Body: `{"value":[` + numbered(`{"id":"g%d"}`, 1, 20) + `],"@odata.nextLink":` +
			link("sessions/s59/segments?$skip=21") + `}`},
		{Body: `{"value":[` + numbered(`{"id":"g%d"}`, 21, 4) + `]}`},
		{Body: `{"value":[` + numbered(`{"id":"p%d"}`, 0, 130) + `],"@odata.nextLink":` +
			link("participants_v2?$skip=130") + `}`},
		{Body: `{"value":[` + numbered(`{"id":"p%d"}`, 130, 7) + `]}`},
	}}
	record, err := recordsOf(t, g).read(t.Context(), strings.ToUpper(record1))
	require.NoError(t, err)
	if record.ID != record1 || len(record.Sessions) != 125 || len(record.Sessions[59].Segments) != 25 ||
		len(record.Participants) != 137 {
		t.Errorf("%s has %d sessions, %d segments, %d participants", record.ID, len(record.Sessions),
			len(record.Sessions[59].Segments), len(record.Participants))
	}
	for i, s := range record.Sessions {
		if s.ID != fmt.Sprint("s", i) {
			t.Errorf("session %d is %s", i, s.ID)
		}
	}
	want := []string{
		"ID?$expand=sessions($expand=segments)", "ID/sessions?$expand=segments&$skiptoken=a",
		"ID/sessions?$expand=segments&$skiptoken=b",
		"ID/sessions?$expand=segments&$skiptoken=c", "ID/sessions/s59/segments?$skip=1",
		"ID/sessions/s59/segments?$skip=21",
		"ID/participants_v2", "ID/participants_v2?$skip=130",
	}
	if got := askedFor(g.Asked); !slices.Equal(got, want) {
		t.Errorf("asked %q", got)
	}
	for _, h := range g.Headers {
		if h.Get("Prefer") != "include-unknown-enum-members" || h.Get("Accept") != "application/json" {
			t.Errorf("the header is %v", h)
		}
	}
}

// TestTrapLimitsOfOneCallRecord: further pages of one record are requested within Graph's limit;
// other records don't wait for them.
func TestTrapLimitsOfOneCallRecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := new(providertest.Script)
		r := recordsOf(t, g)
		ask := func(pages int) time.Duration {
			began := time.Now()
			next := func(n int) string { return `"sessions@odata.nextLink":` + link(fmt.Sprint("sessions?", n)) }
			g.Answers = []answer{{Body: strings.Replace(callWith(), `"sessions"`, next(0)+`,"sessions"`, 1)}}
			for n := 1; n < pages; n++ {
				g.Answers = append(g.Answers, answer{Body: `{"value":[],` + strings.TrimPrefix(next(n), `"sessions`)})
				g.Answers[n].Body = strings.Replace(g.Answers[n].Body, "@odata", `"@odata`, 1) + "}"
			}
			g.Answers = append(g.Answers, answer{Body: `{"value":[]}`}, answer{Body: `{"value":[]}`})
			if _, err := r.read(t.Context(), record1); err != nil {
				t.Fatal(err)
			}
			return time.Since(began)
		}
		if took := ask(50); took > 0 {
			t.Errorf("50 pages took %s", took)
		}
		if took := ask(51); took < 5*time.Minute || took > 6*time.Minute {
			t.Errorf("51 pages took %s", took)
		}
		if took := ask(1); took > 0 {
			t.Errorf("another record waited %s", took)
		}
	})
}

// TestFetchCallRecord has Graph's answers to the request for a record, and their results.
func TestFetchCallRecord(t *testing.T) {
	good := callWith(between(userEnd, userEnd))
	none := answer{Body: `{"value":[]}`}
	notFound := providertest.Refuse(http.StatusNotFound, "NotFound")
	for _, c := range []struct {
		name    string
		answers []answer
		is      error // nil: any other than ErrNotYet and ErrGone, if there is a problem
		problem string
		invalid string
	}{
		{"good", []answer{{Body: good}, none}, nil, "", ""},
		{"too young", []answer{notFound}, collector.ErrNotYet, "404", ""},
		{"gone", []answer{providertest.Refuse(http.StatusGone, "Gone")}, collector.ErrGone, "410", ""},
		{
			"a fault", slices.Repeat([]answer{providertest.Refuse(500, "UnknownError")}, 4), nil,
			"UnknownError", "",
		},
		{"broken once", []answer{{Body: `{"id":`}, {Body: good}, none}, nil, "", ""},
		{"broken", slices.Repeat([]answer{{Body: `{"id":`}}, 4), nil, "isn't JSON", ""},
		{
			"another record",
			[]answer{{Body: strings.Replace(good, record1, record2, 1)}},
			nil,
			"the answer is for another call record", "",
		},
		{"no participants", []answer{{Body: good}, notFound}, nil, "", ""},
		{"participants refused", []answer{{Body: good}, providertest.Refuse(http.StatusBadRequest, "x")}, nil, "", ""},
		{"participants fail", append([]answer{{Body: good}},
			slices.Repeat([]answer{providertest.Refuse(http.StatusBadGateway, "x")}, 4)...), nil, "502", ""},
		{"a link to another host", []answer{{Body: strings.Replace(good, `"sessions"`,
			`"sessions@odata.nextLink":"https://evil.example/x","sessions"`, 1)}}, nil, "evil.example", ""},
		{
			"a link that repeats",
			[]answer{
				{Body: strings.Replace(good, `"sessions"`, `"sessions@odata.nextLink":`+link("sessions")+`,"sessions"`,
					1)},
				{Body: `{"value":[{}],"@odata.nextLink":` + link("sessions") + `}`},
			},
			nil, httpclient.ErrLinkRepeated.Error(), "",
		},
		{
			"a link that has expired",
			[]answer{{Body: strings.Replace(good, `"sessions"`, `"sessions@odata.nextLink":`+link("sessions")+
				`,"sessions"`, 1)}, notFound},
			httpclient.ErrLinkExpired, httpclient.ErrLinkExpired.Error(), "",
		},
		{
			"a page without values",
			[]answer{{Body: strings.Replace(good, `"sessions"`, `"sessions@odata.nextLink":`+link("sessions")+
				`,"sessions"`, 1)}, {Body: `{}`}},
			nil, "the answer has no member value with a list", "",
		},
		{
			"no start",
			[]answer{{Body: `{"id":"` + record1 + `","startDateTime":null}`}},
			nil, "",
			"startDateTime is missing",
		},
		{
			"a bad time",
			[]answer{{Body: strings.Replace(good, "2026-11-19T10:00:00Z", "yesterday", 1)}},
			nil, "",
			"startDateTime can't be read",
		},
		{
			"a bad type",
			[]answer{{Body: strings.Replace(good, `"version":1`, `"version":"1"`, 1)}},
			nil, "",
			"version has the wrong type: string",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &providertest.Script{Answers: c.answers}
				b, err := recordsOf(t, g).Fetch(t.Context(), itemsOf(subscriptions.TaskNotified, 5))
				switch {
				case c.problem == "" && err != nil, c.problem != "" &&
					(err == nil || !strings.Contains(err.Error(), c.problem)):
					t.Fatalf("the error is %v, want %q", err, c.problem)
				case c.is != nil && !errors.Is(err, c.is), c.is == nil &&
					(errors.Is(err, collector.ErrNotYet) || errors.Is(err, collector.ErrGone)):
					t.Errorf("the error is %v", err)
				case errors.Is(c.is, httpclient.ErrLinkExpired) &&
					(errors.Is(err, collector.ErrNotYet) || httpclient.KindOf(err) == httpclient.KindNotFound):
					t.Errorf("an expired link is taken for a record that isn't there: %v", err)
				}
				if len(g.Answers) > 0 {
					t.Errorf("%d answers weren't asked for", len(g.Answers))
				}
				if err != nil {
					return
				}
				if c.invalid == "" && (len(b.Records) != 1 || len(b.Invalid) != 0) {
					t.Errorf("the page has %d records, invalid %v", len(b.Records), b.Invalid)
				}
				if c.invalid != "" && (len(b.Records) != 0 || len(b.Invalid) != 1 ||
					b.Invalid[0].Problem != c.invalid ||
					b.Invalid[0].At != "call record "+record1 || len(b.Invalid[0].Content) == 0 ||
					len(b.Enqueue) != 0) {
					t.Errorf("the page has %d records, invalid %+v", len(b.Records), b.Invalid)
				}
			})
		})
	}
}

// TestFetchAsksForGUIDsOnly: an id that isn't a GUID is never requested, because it would become part
// of a link.
func TestFetchAsksForGUIDsOnly(t *testing.T) {
	for _, id := range []string{"", "../users", record1 + "/sessions", record1 + "?x", "{" + record1 + "}"} {
		g := new(providertest.Script)
		b, err := recordsOf(t, g).Fetch(t.Context(), []work.Item{{Kind: subscriptions.TaskNotified, Key: id}})
		if err != nil || len(b.Invalid) != 1 || len(g.Asked) > 0 {
			t.Errorf("%q: %+v, %v; asked %v", id, b, err, g.Asked)
		}
	}
}

// A call counts with its first session. Its media count when it has settled: after its time, by
// whichever clock reaches it first, or at once if settle is zero.
func TestRule17_WhenACallRecordSettles(t *testing.T) {
	const half = 30 * time.Minute
	for _, c := range []struct {
		name                          string
		settle                        time.Duration
		age                           time.Duration // since its end
		sessions                      bool
		tasks                         func(end time.Time) []work.Item
		provisional, settled, settles bool
	}{
		{"young, with a session", 90 * time.Minute, half, true, nil, false, false, true},
		{"young, without one", 90 * time.Minute, half, false, nil, true, false, true},
		{"settled", 90 * time.Minute, 90 * time.Minute, true, nil, false, true, false},
		{"settled without a session", 90 * time.Minute, 90 * time.Minute, false, nil, false, true, false},
		{"at once", 0, 0, true, nil, false, true, false},
		{"at once, without a session", 0, 0, false, nil, false, false, false},
		{"settled by Graph's clock", 90 * time.Minute, 89 * time.Minute, true, func(end time.Time) []work.Item {
			return []work.Item{{Kind: taskSettle, Key: record1, Version: 1, Due: end.Add(90 * time.Minute)}}
		}, false, true, false},
		{"its end has moved", 90 * time.Minute, half, true, func(end time.Time) []work.Item {
			return []work.Item{{Kind: taskSettle, Key: record1, Version: 1, Due: end.Add(60 * time.Minute)}}
		}, false, false, true},
		{"ends in the future", 90 * time.Minute, -1000 * time.Hour, true, nil, false, false, true},
		{"ends in the future, waited for once", 90 * time.Minute, -1000 * time.Hour, true, func(time.Time) []work.Item {
			return []work.Item{{Kind: taskSettle, Key: record1, Version: 1, Due: time.Now()}}
		}, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := time.Now().Add(-c.age).UTC()
				record := &callRecord{ID: record1, Version: 7, Start: end.Add(-time.Minute), End: end}
				if c.sessions {
					record.Sessions = []session{{ID: "s"}}
				}
				records := recordsOf(t, new(providertest.Script))
				records.settle = c.settle
				tasks := itemsOf(subscriptions.TaskNotified, 1)
				if c.tasks != nil {
					tasks = c.tasks(end)
				}
				b := records.page(record, tasks, time.Now().UTC())
				r := b.Records[0]
				if r.Provisional != c.provisional || r.Settled != c.settled || (len(b.Enqueue) == 1) != c.settles {
					t.Errorf("provisional %t, settled %t, work %v", r.Provisional, r.Settled, b.Enqueue)
				}
				if c.settles {
					want := end.Add(c.settle)
					if end.After(time.Now()) {
						want = time.Now().Add(c.settle)
					}
					if w := b.Enqueue[0]; w.Kind != taskSettle || w.Key != record1 || w.Version != 7 ||
						!w.Due.Equal(want) {
						t.Errorf("the work is %+v, want it due %s", w, want)
					}
				}
			})
		})
	}
}

// Versions may come in any order: one that is older than is known isn't taken for the
// newest, for a while (trap 11).
func TestTrapVersionsOutOfOrder(t *testing.T) {
	ended := time.Now().Add(-2 * time.Hour).UTC()
	body := func(version int) []answer {
		return []answer{
			{Body: fmt.Sprintf(`{"id":"%s","version":%d,"startDateTime":%q,"endDateTime":%q,"sessions":[{"id":"s"}]}`,
				record1, version, ended.Format(time.RFC3339), ended.Format(time.RFC3339))},
			{Body: `{"value":[]}`},
		}
	}
	for _, c := range []struct {
		name    string
		version int
		tasks   []work.Item
		stale   bool
	}{
		{"the same", 3, []work.Item{{Kind: taskSettle, Key: record1, Version: 3}}, false},
		{"a newer", 4, []work.Item{{Kind: taskSettle, Key: record1, Version: 3}}, false},
		{"an older", 2, []work.Item{{Kind: taskSettle, Key: record1, Version: 3}}, true},
		{
			"an older, tried often", 2,
			[]work.Item{{Kind: taskSettle, Key: record1, Version: 3, Attempts: staleTries}},
			false,
		},
		{"older than the list says", 2, []work.Item{{Kind: work.Record, Key: record1, Version: 3}}, true},
		{
			"older than the list says, tried often", 2,
			[]work.Item{{Kind: work.Record, Key: record1, Version: 3, Attempts: staleTries}},
			false,
		},
		{
			"told of", 2,
			[]work.Item{{Kind: subscriptions.TaskNotified, Key: record1, Version: 1_700_000_000_000_000}},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := &providertest.Script{Answers: body(c.version)}
			b, err := recordsOf(t, g).Fetch(t.Context(), c.tasks)
			if c.stale != errors.Is(err, collector.ErrStale) || !c.stale &&
				(err != nil || b.Records[0].Version != int64(c.version)) {
				t.Errorf("%v, %+v", err, b)
			}
		})
	}
}

// Looking up tells what isn't there from what went wrong.
func TestLookUp(t *testing.T) {
	none := answer{Body: `{"value":[]}`}
	g := &providertest.Script{Answers: []answer{{Body: callWith(between(userEnd, userEnd))}, none}}
	tree, err := recordsOf(t, g).LookUp(t.Context(), strings.ToUpper(record1))
	if err != nil || tree.Label != "call" || len(tree.Children) != 1 {
		t.Errorf("%+v, %v", tree, err)
	}
	for _, c := range []struct {
		name   string
		id     string
		answer answer
		notYet bool
	}{
		{"not there", record1, providertest.Refuse(http.StatusNotFound, "NotFound"), true},
		{"gone", record1, providertest.Refuse(http.StatusGone, "Gone"), true},
		{"forbidden", record1, providertest.Refuse(http.StatusForbidden, "Forbidden"), false},
		{"malformed", record1, answer{Body: "[]"}, false},
		{"no GUID", "x", answer{}, false},
	} {
		g := &providertest.Script{Answers: []answer{c.answer}}
		if tree, err := recordsOf(t, g).LookUp(t.Context(), c.id); err == nil || tree != nil ||
			errors.Is(err, collector.ErrNotYet) != c.notYet {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
