package wavix

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// fakeWavix answers without a network. Paths that it hasn't are 404, as are all others.
type fakeWavix struct {
	t *testing.T
	// rows are the calls by type, each with its day in the account's zone.
	rows map[string][]listedRow
	// paths are those that there are.
	paths []string
	// first are answers that come before all others.
	first []reply
	// wrong makes another answer of the right one; nil: none.
	wrong func(r *http.Request, right reply) reply
	// maxPerPage is the size of the largest page; 0: any.
	maxPerPage int
	// now is the time; nil: noon.
	now func() time.Time

	mu    sync.Mutex
	asked []string // path and query
	keys  []string // what came as bearer
}

type listedRow struct{ day, raw string }

type reply struct {
	status int
	header http.Header
	body   string
}

// Generations by their paths.
var (
	generationA = []string{"/v1/cdr", "/v1/cdr/all", "/v1/cdr.csv", "/v1/call"}
	generationC = []string{"/v1/cdrs", "/v1/cdrs/all", "/v1/calls"}
)

const notFound = `{"success":false,"message":"Record not found"}`

// RoundTrip implements http.RoundTripper.
func (f *fakeWavix) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, r.URL.Path+"?"+r.URL.RawQuery)
	f.keys = append(f.keys, r.Header.Get("Authorization"))
	a := f.answer(r)
	if len(f.first) > 0 {
		a = f.first[0]
		f.first = f.first[1:]
	} else if f.wrong != nil {
		a = f.wrong(r, a)
	}
	if a.status < 0 {
		return nil, &url.Error{
			Op: "Get", URL: r.URL.String(),
			Err: errors.New("connection to " + r.URL.String() + " refused"),
		}
	}
	return providertest.Response(r, a.status, a.header, a.body), nil
}

func (f *fakeWavix) answer(r *http.Request) reply {
	if !slices.Contains(f.paths, r.URL.Path) {
		return reply{status: http.StatusNotFound, body: notFound}
	}
	if strings.HasPrefix(r.URL.Path, "/v1/call") {
		return reply{body: `{"success":true,"calls":[]}`}
	}
	q := r.URL.Query()
	var rows []string
	for _, row := range f.rows[q.Get("type")] {
		if row.day >= q.Get("from") && row.day <= q.Get("to") && q.Get("disposition") == "all" {
			rows = append(rows, row.raw)
		}
	}
	total, perPage, number := len(rows), atoi(q.Get("per_page"), 25), atoi(q.Get("page"), 1)
	if f.maxPerPage > 0 {
		perPage = min(perPage, f.maxPerPage)
	}
	if !strings.HasSuffix(r.URL.Path, "/all") || q.Has("per_page") {
		rows = rows[min(len(rows), (number-1)*perPage):min(len(rows), number*perPage)]
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/all"):
		return reply{
			header: http.Header{"Content-Type": {"application/x-ndjson"}},
			body:   strings.Join(append(rows, ""), "\n"),
		}
	case strings.HasSuffix(r.URL.Path, ".csv"):
		return reply{header: http.Header{"Content-Type": {"text/csv"}}, body: csvOf(f.t, rows)}
	}
	return reply{body: fmt.Sprintf(`{"items":[%s],"pagination":{"current_page":%d,"per_page":%d,"total":%d}}`,
		strings.Join(rows, ","), number, perPage, total)}
}

func atoi(text string, fallback int) int {
	if n, err := strconv.Atoi(text); err == nil {
		return n
	}
	return fallback
}

// csvOf is the rows of letters as CSV.
func csvOf(t *testing.T, rows []string) string {
	body := "uuid,from,date\n"
	for _, raw := range rows {
		r := decodeRecord(t, raw)
		body += strings.TrimPrefix(r.ID, "placed:") + "," + r.CallerNumber + "," + r.Start.Format(time.RFC3339Nano) +
			"\n"
	}
	return body
}

const testKey = "k3y-of-th3-acc0unt"

// open makes a source that asks the fake. The time is noon of the second of March unless
// the fake has another.
func (f *fakeWavix) open(block string, change func(*collector.SourceSettings)) *collector.Source {
	f.t.Helper()
	c := new(Config)
	if err := config.Unmarshal("config.yaml", []byte("api_key: "+testKey+"\n"+block), c, config.Options{}); err != nil {
		f.t.Fatal(err)
	}
	settings := collector.SourceSettings{
		Settings: httpclient.Settings{Transport: f, RequestsPerMinute: 60_000},
		Name:     "wave", EmergencyNumbers: []string{"911"}, Now: func() time.Time {
			if f.now != nil {
				return f.now()
			}
			return noon
		},
	}
	if change != nil {
		change(&settings)
	}
	source, err := Provider().Open(c, settings)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(source.Close)
	return source
}

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

const callLogOnly = "call_log: {}\n"

// rowsAt are rows with an id that start at times, listed on their days in UTC.
func rowsAt(times ...string) []listedRow {
	var rows []listedRow
	for _, at := range times {
		rows = append(rows, listedRow{at[:10], fmt.Sprintf(`{"date":%q,"uuid":%q,"from":"12065550100"}`, at, at)})
	}
	return rows
}

// pathsAsked are the different paths that were asked, in order.
func (f *fakeWavix) pathsAsked() []string {
	var paths []string
	for _, asked := range f.asked {
		path, _, _ := strings.Cut(asked, "?")
		if !slices.Contains(paths, path) {
			paths = append(paths, path)
		}
	}
	return paths
}
