package ringcentral

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// read is what a page held.
type read struct {
	rows             []shown
	invalid, ignored []string // position: problem
	unmapped         []collector.Unmapped
	next             string
}

// shown is a record as JSON shows it: what is at its zero value is left out.
type shown map[string]any

// decodePage decodes one page of the call log.
func decodePage(t testing.TB, log *callLog, page string) (read, error) {
	t.Helper()
	var got read
	decoder, mapper := newPageDecoder(), &mapper{log: log, queues: map[int64]string{90: "Sales", 91: "Support"}}
	next, err := decodeAll(decoder, mapper, []byte(page), func(p *collector.Page) { got.take(t, p) })
	got.next = next
	return got, err
}

// decodeAll decodes an answer, hands on its pages, and returns the link to the next.
func decodeAll(d *pageDecoder, m *mapper, body []byte, use func(*collector.Page)) (next string, err error) {
	if next, err = d.decode(bytes.Clone(body)); err != nil {
		return "", err
	}
	for piece, err := range wire.Pieces(maps.All(map[int]error{1: nil}), &d.rows) {
		if err != nil {
			return "", err
		}
		use(m.mapPage(piece))
	}
	return next, nil
}

func (g *read) take(t testing.TB, b *collector.Page) {
	t.Helper()
	for _, r := range b.Records {
		g.rows = append(g.rows, show(r))
	}
	for _, bad := range b.Invalid {
		if len(bad.Content) == 0 {
			t.Errorf("the invalid row at %s has no content", bad.At)
		}
		g.invalid = append(g.invalid, bad.At+": "+bad.Problem)
	}
	for _, bad := range b.Ignored {
		if len(bad.Content) == 0 {
			t.Errorf("the ignored row at %s has no content", bad.At)
		}
		g.ignored = append(g.ignored, bad.At+": "+bad.Problem)
	}
	g.unmapped = append(g.unmapped, b.Unmapped...)
}

// decodeRows decodes a page of rows that are no fault of their own.
func decodeRows(t testing.TB, log *callLog, raw ...string) []shown {
	t.Helper()
	got, err := decodePage(t, log, pageOf("", raw...))
	if err != nil || len(got.rows) != len(raw) {
		t.Fatalf("decode %s: got %d rows, invalid %q, ignored %q, error %v", raw, len(got.rows), got.invalid, got.ignored, err)
	}
	return got.rows
}

// decodeOne decodes a row that is a call.
func decodeOne(t testing.TB, raw string) shown {
	t.Helper()
	return decodeRows(t, accountLog(), raw)[0]
}

// pageOf is a page as RingCentral writes it.
func pageOf(next string, rows ...string) string {
	navigation := `{"firstPage":{"uri":"https://rc.example/first"}}`
	if next != "" {
		navigation = `{"firstPage":{"uri":"https://rc.example/first"},"nextPage":{"uri":"` + next + `"}}`
	}
	return `{"uri":"https://rc.example/x","records":[` + strings.Join(rows, ",") + `],"paging":{"page":1,"perPage":1000},"navigation":` + navigation + `}`
}

// call is a row with what most tests don't look at. More is further members.
func call(id, more string) string {
	row := `{"id":"` + id + `","sessionId":"9","startTime":"2026-03-02T10:00:00.000Z","type":"Voice"`
	if more != "" {
		row += "," + more
	}
	return row + "}"
}

func accountLog() *callLog {
	return &callLog{
		path: "restapi/v1.0/account/~/call-log", view: "Detailed",
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers([]string{"911", "933", "112", "999", "JP:119"}),
	}
}

func extensionLog() *callLog {
	log := accountLog()
	log.path, log.grouped = "restapi/v1.0/account/~/extension/~/call-log", true
	return log
}

func show(r *cdr.Record) shown {
	out := shown{}
	text := func(key, value string) {
		if value != "" {
			out[key] = value
		}
	}
	text("ID", r.ID)
	text("Synthetic", r.Synthetic)
	text("CallID", r.CallID)
	text("Group", r.Group)
	if r.Version != 0 {
		out["Version"] = r.Version
	}
	if r.Provisional {
		out["Provisional"] = true
	}
	out["Start"] = r.Start.Format(time.RFC3339Nano)
	out["Duration"] = r.Duration.String()
	if r.NoDuration {
		out["Duration"] = "not given"
	}
	out["Direction"] = r.Direction.String()
	text("CallType", r.CallType)
	out["Outcome"] = r.Outcome.String()
	text("Reason", r.Reason)
	text("ReasonPhrase", r.ReasonPhrase)
	text("Country", r.Country)
	text("Emergency", [...]string{"", "real", "test"}[r.Emergency])
	text("CallerNumber", r.CallerNumber)
	text("CalleeNumber", r.CalleeNumber)
	text("UserID", r.UserID)
	text("UserName", r.UserName)
	showLists(out, r)
	if odd := oddFields(r); odd != "" {
		out["Odd"] = odd
	}
	return out
}

func showLists(out shown, r *cdr.Record) {
	var charges, recordings, legs, visits []string
	for i := range r.Charges {
		c := &r.Charges[i]
		charges = append(charges, strings.TrimSpace(c.Component+" "+c.Amount.String()+" "+c.Currency))
	}
	for _, rec := range r.Recordings {
		recordings = append(recordings, strings.TrimSpace(rec.ID+" "+rec.Type))
	}
	for _, l := range r.Legs {
		leg := strings.TrimSpace(l.Type + " " + l.Outcome.String())
		if !l.Start.IsZero() {
			leg += fmt.Sprint(" ", l.Start.Format(time.RFC3339), " ", l.Duration)
		}
		legs = append(legs, leg)
	}
	for _, v := range r.Visits {
		wait := "unknown"
		if v.Wait.Known {
			wait = v.Wait.Value.String()
		}
		visits = append(visits, strings.Join([]string{v.Queue, v.Result.String(), wait}, " "))
	}
	for key, list := range map[string][]string{"Charges": charges, "Recordings": recordings, "Legs": legs, "Visits": visits} {
		if list != nil {
			out[key] = list
		}
	}
	for _, a := range r.Extra {
		value := a.Str
		switch a.Type {
		case cdr.StringsAttr:
			value = strings.Join(a.Strs, ",")
		case cdr.BoolAttr, cdr.IntAttr:
			value = fmt.Sprint(a.Int)
		case cdr.StringAttr:
		}
		out["cdr.ringcentral."+a.Key] = value + [...]string{"", " (number)", " (user)", " (address)", ""}[a.Privacy]
	}
}

// oddFields names the fields that RingCentral has nothing for, if they are set.
func oddFields(r *cdr.Record) string {
	var odd []string
	for name, set := range map[string]bool{
		"AltIDs": len(r.AltIDs) > 0, "Invite": !r.Invite.IsZero(), "Answer": !r.Answer.IsZero(), "End": !r.End.IsZero(),
		"Trunk": r.Trunk != "", "SIPCode": r.SIPCode.Known, "SubCode": r.SubCode.Known, "Parent": r.Parent != "",
		"MediaBypass": r.MediaBypass.Known(), "Locations": r.MediaLocation+r.SignalLocation != "", "UserPrincipal": r.UserPrincipal != "",
	} {
		if set {
			odd = append(odd, name)
		}
	}
	return strings.Join(odd, ",")
}

// want compares some of a record's fields; nil wants a field that is absent.
func (s shown) want(t *testing.T, fields shown) {
	t.Helper()
	for key, want := range fields {
		if got, exists := s[key]; fmt.Sprint(got) != fmt.Sprint(want) || exists == (want == nil) {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
}

// platform answers requests in the order of its answers, without a network.
type platform struct {
	t       testing.TB
	answers []reply
	asked   []string // URLs
	tokens  []string
}

type reply struct {
	status int
	header http.Header
	body   string
}

// rowsReply is a page of calls with these ids.
func rowsReply(next string, ids ...string) reply {
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = call(id, `"result":"Accepted"`)
	}
	return reply{body: pageOf(next, rows...)}
}

// refuses is a refusal as the API writes it.
func refuses(status int, name, code, permission string) reply {
	return reply{status: status, body: fmt.Sprintf(
		`{"errorCode":%q,"message":"[%[3]s] permission required","errors":[{"errorCode":%[2]q,"message":"call +12065550100","permissionName":%[3]q}],"permissionName":%[3]q}`,
		name, code, permission)}
}

// RoundTrip implements http.RoundTripper.
func (p *platform) RoundTrip(r *http.Request) (*http.Response, error) {
	p.asked = append(p.asked, r.URL.String())
	p.tokens = append(p.tokens, r.Header.Get("Authorization"))
	if len(p.answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := p.answers[0]
	p.answers = p.answers[1:]
	if next.status == 0 {
		next.status = http.StatusOK
	}
	header := http.Header{"Content-Type": {"application/json"}}
	maps.Copy(header, next.header)
	return &http.Response{
		StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body)),
		ContentLength: -1, Request: r,
	}, nil
}

const (
	testHost  = "https://rc.example"
	firstPage = testHost + "/restapi/v1.0/account/~/call-log?dateFrom=2026-11-01T00%3A00%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Detailed"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

// client asks the fake.
func (p *platform) client(tokens httpclient.TokenSource) *httpclient.Client {
	p.t.Helper()
	client, err := httpclient.New(httpclient.Settings{BaseURL: testHost, Transport: p, Token: tokens, KeepTokenOn403: true, Quote: quote})
	if err != nil {
		p.t.Fatal(err)
	}
	return client
}

// open makes the log ask the fake.
func (p *platform) open(log *callLog) *callLog {
	p.t.Helper()
	log.client = p.client(nil)
	return log
}

// ids reads a range and collects the ids that came.
func ids(ctx context.Context, log *callLog) (all []string, err error) {
	err = readPages(ctx, log, from, to, func(b *collector.Page) error {
		for _, r := range b.Records {
			all = append(all, r.ID)
		}
		return nil
	})
	return all, err
}

// readPages reads a span and hands on its pages.
func readPages(ctx context.Context, r collector.RangeReader, from, to time.Time, use func(*collector.Page) error) error {
	d := collector.Driver{Reader: r, Commit: func(_ context.Context, page *collector.Page) error { return use(page) }}
	return d.Read(ctx, from, to)
}
