package ringcentral_test

import (
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// read is what a page held.
type read struct {
	rows             []shown
	invalid, ignored []string // position: problem
	unmapped         []collector.Unmapped
}

type shown = providertest.Row

// platform answers every request for a page of calls, for tokens and for the account's queues.
type platform string

func (p platform) RoundTrip(r *http.Request) (*http.Response, error) {
	body := string(p)
	switch {
	case strings.HasSuffix(r.URL.Path, "/oauth/token"):
		body = `{"access_token":"token","expires_in":3600}`
	case strings.HasSuffix(r.URL.Path, "/extension"):
		body = pageOf(`{"id":90,"name":" Sales ","type":"Department"}`, `{"id":91,"name":"Support","type":"Department"}`,
			`{"id":101,"name":"Ann","type":"User"}`, `{"name":"without an id","type":"Department"}`, `7`)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(body)),
	}, nil
}

// open opens a source of the built-in definition.
func open(t testing.TB, keys string, transport http.RoundTripper) *collector.Source {
	t.Helper()
	all := declared.Builtin()
	p := all[slices.IndexFunc(all, func(p collector.Provider) bool { return p.Name == "ringcentral" })]
	c, err := config.Parse("config.yaml", []byte("sources: [{name: acme, ringcentral: {client_id: app, "+
		"client_secret: hush, jwt: hush, "+keys+"}}]"),
		config.Options{Providers: map[string]func() any{p.Name: p.NewConfig}})
	require.NoError(t, err)
	source, err := p.Open(c.Sources[0].Provider, collector.SourceSettings{
		Settings: httpclient.Settings{Transport: transport}, Now: time.Now,
		EmergencyNumbers: []string{"911", "933", "112", "999", "JP:119"},
	})
	require.NoError(t, err)
	t.Cleanup(source.Close)
	return source
}

// The logs of an account and of an extension, as keys of a source.
const (
	accountLog   = "call_log: {queues: true}"
	extensionLog = "scope: extension, call_log: "
)

// decodePage reads one page of the call log.
func decodePage(t testing.TB, log, page string) (got read, err error) {
	t.Helper()
	for b, err := range pages(t, log, page) {
		if err != nil {
			return got, err
		}
		got.take(t, b)
	}
	return got, nil
}

// records are the records of a page.
func records(t testing.TB, log, page string) (all []*cdr.Record) {
	t.Helper()
	for b, err := range pages(t, log, page) {
		if err != nil || len(b.Invalid) > 0 {
			t.Fatal(err, b.Invalid)
		}
		all = append(all, b.Records...)
	}
	return all
}

func pages(t testing.TB, log, page string) iter.Seq2[*collector.Page, error] {
	t.Helper()
	whole := func(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }
	return open(t, log, platform(page)).Feeds[0].Reader.Pages(t.Context(), whole(2000), whole(2100))
}

func (g *read) take(t testing.TB, b *collector.Page) {
	t.Helper()
	for _, r := range b.Records {
		g.rows = append(g.rows, providertest.RowOf(r, "cdr.ringcentral."))
	}
	for _, bad := range b.Invalid {
		g.invalid = append(g.invalid, bad.At+": "+bad.Problem)
	}
	for _, bad := range b.Ignored {
		g.ignored = append(g.ignored, bad.At)
	}
	for _, u := range b.Unmapped {
		g.unmapped = append(g.unmapped, collector.Unmapped{Field: u.Field, Value: u.Value})
	}
}

// pageOf is a page as RingCentral writes it.
func pageOf(rows ...string) string {
	return `{"uri":"https://platform.ringcentral.com/x","records":[` + strings.Join(rows, ",") +
		`],"paging":{"page":1,"perPage":1000},` +
		`"navigation":{"firstPage":{"uri":"https://platform.ringcentral.com/first"}}}`
}

// call is a row with what most tests don't look at. More is further members.
func call(id, more string) string {
	row := `{"id":"` + id + `","sessionId":"9","startTime":"2026-03-02T10:00:00.000Z","type":"Voice"`
	if more != "" {
		row += "," + more
	}
	return row + "}"
}
