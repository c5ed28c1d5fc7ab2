package ringcentral

import (
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (p *platform) active(grouped bool, log *strings.Builder) collector.ActiveCalls {
	logger := slog.New(slog.DiscardHandler)
	if log != nil {
		logger = slog.New(slog.NewTextHandler(log, nil))
	}
	return (&activeCalls{
		path: "restapi/v1.0/account/~/active-calls", grouped: grouped, client: p.client(nil),
		logger: logger,
	}).read
}

func live(id, more string) string { return call(id, `"result":"In Progress",`+more) }

func TestActiveCalls(t *testing.T) {
	const internal = `"from":{"extensionId":"1"},"to":{"extensionId":"2"}`
	for _, test := range []struct {
		name    string
		grouped bool
		rows    []string
		want    map[cdr.Direction]int
	}{
		{"none", false, nil, map[cdr.Direction]int{}},
		{
			"the afterglow isn't counted", false,
			[]string{
				live("1", `"direction":"Inbound"`), call("2", `"direction":"Inbound","result":"Accepted"`),
				call("3", `"direction":"Outbound"`),
			},
			map[cdr.Direction]int{cdr.Inbound: 1},
		},
		{
			"spelling and white space", false,
			[]string{call("1", `"direction":"outbound","result":" in progress"`)},
			map[cdr.Direction]int{cdr.Outbound: 1},
		},
		{
			"faxes and rows that aren't calls", false,
			[]string{
				`{"id":"1","type":"Fax","result":"In Progress"}`, live("2", `"action":"Paging"`),
				live("3", `"action":"Monitoring"`), live("4", `"deleted":true`),
			},
			map[cdr.Direction]int{},
		},
		{
			"internal", false,
			[]string{live("1", internal+`,"direction":"Outbound"`)},
			map[cdr.Direction]int{cdr.Internal: 1},
		},
		{
			"unknown direction", false,
			[]string{live("1", `"direction":"Sideways"`)},
			map[cdr.Direction]int{cdr.DirectionUnknown: 1},
		},
		{
			"once for each id", false,
			[]string{live("1", `"direction":"Inbound"`), live("1", `"direction":"Inbound"`)},
			map[cdr.Direction]int{cdr.Inbound: 1},
		},
		{
			"rows of a session, account", false,
			[]string{
				live("1", `"telephonySessionId":"s","direction":"Inbound"`),
				live("2", `"telephonySessionId":"s","direction":"Inbound"`),
			},
			map[cdr.Direction]int{cdr.Inbound: 2},
		},
		{
			"rows of a session, extension", true,
			[]string{
				live("1", `"telephonySessionId":"s","direction":"Inbound"`),
				live("2", `"telephonySessionId":"s","direction":"Inbound"`), live("3", `"direction":"Inbound"`),
			},
			map[cdr.Direction]int{cdr.Inbound: 2},
		},
		{"without ids", true, []string{
			`{"result":"In Progress","direction":"Inbound"}`,
			`{"result":"In Progress","direction":"Inbound"}`,
		}, map[cdr.Direction]int{cdr.Inbound: 2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{{body: pageOf("", test.rows...)}}}
			if got, err := p.active(test.grouped, nil)(t.Context(), false); err != nil || !maps.Equal(got, test.want) {
				t.Errorf("%v are in progress, want %v; error %v", got, test.want, err)
			}
		})
	}
}

// TestActiveCallsOnAllPages: a call that shifts to the next page is one.
func TestActiveCallsOnAllPages(t *testing.T) {
	p := &platform{t: t, answers: []reply{
		{body: pageOf("/2", live("1", `"direction":"Inbound"`), live("2", `"direction":"Inbound"`))},
		{body: pageOf("", live("2", `"direction":"Inbound"`), live("3", `"direction":"Outbound"`))},
	}}
	got, err := p.active(false, nil)(t.Context(), false)
	if want := (map[cdr.Direction]int{cdr.Inbound: 2, cdr.Outbound: 1}); err != nil || !maps.Equal(got, want) {
		t.Errorf("%v are in progress, want %v; error %v", got, want, err)
	}
	want := []string{
		testHost + "/restapi/v1.0/account/~/active-calls?page=1&perPage=1000&type=Voice&view=Simple",
		testHost + "/2",
	}
	if !slices.Equal(p.asked, want) {
		t.Errorf("asked %q, want %q", p.asked, want)
	}
}

// TestActiveCallsFail: the former snapshot stays until the loop drops it.
func TestActiveCallsFail(t *testing.T) {
	for name, answers := range map[string][]reply{
		"at once": {refuses(http.StatusForbidden, "InsufficientPermissions", "CMN-408", "ReadCallLog")},
		"on the second page": {
			{body: pageOf("/2", live("1", `"direction":"Inbound"`))},
			{status: http.StatusForbidden},
		},
		"hostile link": {{body: pageOf("https://evil.example/2", live("1", `"direction":"Inbound"`))}},
	} {
		p := &platform{t: t, answers: answers}
		if got, err := p.active(false, nil)(t.Context(), false); err == nil || got != nil {
			t.Errorf("%s: %v are in progress, error %v", name, got, err)
		}
	}
}

// TestActiveCallsAreBounded: an answer without an end fills no memory.
func TestActiveCallsAreBounded(t *testing.T) {
	p := &platform{
		t:       t,
		answers: []reply{{body: pageOf("", slices.Repeat([]string{`{"result":"In Progress"}`}, maxWholeRows+1)...)}},
	}
	if _, err := p.active(false, nil)(t.Context(), false); !errors.Is(err, wire.ErrTooManyRows) {
		t.Errorf("error %v", err)
	}
}

// TestBadActiveRows: they are logged once, without their content, until there are none.
func TestBadActiveRows(t *testing.T) {
	bad := reply{body: pageOf("", live("1", `"direction":"Inbound"`), `{"from":"+12065550100"}`)}
	good := reply{body: pageOf("", live("1", `"direction":"Inbound"`))}
	p := &platform{t: t, answers: []reply{bad, bad, good, bad}}
	var log strings.Builder
	feed := p.active(false, &log)
	for range 4 {
		if got, err := feed(t.Context(), false); err != nil || got[cdr.Inbound] != 1 {
			t.Errorf("%v are in progress, error %v", got, err)
		}
	}
	text := log.String()
	if strings.Count(text, "can't be read") != 2 || !strings.Contains(text,
		`problem="page 1, row 2: from doesn't have the documented type"`) || strings.Contains(text, "555") {
		t.Errorf("the log is\n%s", text)
	}
}

func TestActiveProbe(t *testing.T) {
	p := &platform{t: t, answers: []reply{
		{body: pageOf("/2", live("1", `"direction":"Inbound"`))},
		{status: http.StatusNotFound},
	}}
	feed := p.active(false, nil)
	if rows, err := feed.Probe(t.Context()); rows != 1 || err != nil || !strings.Contains(p.asked[0], "perPage=1&") {
		t.Errorf("%d rows, asked %q, error %v", rows, p.asked, err)
	}
	if _, err := feed.Probe(t.Context()); err == nil {
		t.Error("no error")
	}
}
