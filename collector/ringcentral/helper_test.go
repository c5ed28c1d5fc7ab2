package ringcentral

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
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

type shown = providertest.Row

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
		g.rows = append(g.rows, providertest.RowOf(r, "cdr.ringcentral."))
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

// decodeRows decodes a page of rows, which must be valid.
func decodeRows(t testing.TB, log *callLog, raw ...string) []shown {
	t.Helper()
	got, err := decodePage(t, log, pageOf("", raw...))
	if err != nil || len(got.rows) != len(raw) {
		t.Fatalf("decode %s: got %d rows, invalid %q, ignored %q, error %v", raw, len(got.rows), got.invalid,
			got.ignored, err)
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
	return `{"uri":"https://rc.example/x","records":[` + strings.Join(rows, ",") +
		`],"paging":{"page":1,"perPage":1000},"navigation":` + navigation + `}`
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
	c := new(CallLog)
	c.SetDefaults()
	return &callLog{
		machines: c.machines(),
		path:     "restapi/v1.0/account/~/call-log", view: "Detailed",
		countries: cdr.NewCountries(), emergency: cdr.NewEmergencyNumbers([]string{
			"911", "933", "112", "999",
			"JP:119",
		}),
	}
}

func extensionLog() *callLog {
	log := accountLog()
	log.path, log.grouped = "restapi/v1.0/account/~/extension/~/call-log", true
	return log
}

// platform answers requests in the order of its answers, without a network.
type platform struct {
	t       testing.TB
	answers []reply
	asked   []string // URLs
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
	if len(p.answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := p.answers[0]
	p.answers = p.answers[1:]
	return providertest.Response(r, next.status, next.header, next.body), nil
}

const (
	testHost  = "https://rc.example"
	firstPage = testHost +
		"/restapi/v1.0/account/~/call-log?dateFrom=2026-11-01T00%3A00%3A00.000Z&dateTo=2026-11-02T00%3A00%3A00.000Z&page=1&perPage=1000&type=Voice&view=Detailed"
)

var (
	from = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	to   = time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
)

// client asks the fake.
func (p *platform) client(tokens httpclient.TokenSource) *httpclient.Client {
	p.t.Helper()
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: testHost, Transport: p, Token: tokens,
		KeepTokenOn403: true, Quote: quote,
	})
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
func ids(ctx context.Context, log *callLog) ([]string, error) {
	return providertest.IDs(ctx, log, from, to)
}
