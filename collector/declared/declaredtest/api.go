package declaredtest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// Noon is the time of most tests.
var Noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// API answers in place of a provider.
type API struct {
	Answer func(r *http.Request) (body string, header http.Header)
	Asked  []string // path and query
	Bodies []string // of POSTs
	Date   time.Time
	Now    time.Time
	Log    bytes.Buffer
	// Refresh is the refresh token that is configured.
	Refresh string
	// Secret is the client's secret, which has a default.
	Secret string
	Source *collector.Source

	Load    func(context.Context) ([]byte, error)
	Replace func(context.Context, func() ([]byte, error)) error
}

// RoundTrip implements http.RoundTripper. A body that begins with ! is a status.
func (f *API) RoundTrip(r *http.Request) (*http.Response, error) {
	query, _ := url.QueryUnescape(r.URL.RawQuery)
	f.Asked = append(f.Asked, strings.TrimSuffix(r.URL.Path+"?"+query, "?"))
	if r.Method == http.MethodPost {
		text, _ := io.ReadAll(r.Body) // memory
		f.Bodies = append(f.Bodies, string(text))
		r.Body = io.NopCloser(bytes.NewReader(text))
	}
	body, header := f.Answer(r)
	if header == nil {
		header = http.Header{}
	}
	if !f.Date.IsZero() {
		header.Set("Date", f.Date.UTC().Format(http.TimeFormat))
	}
	status := http.StatusOK
	if text, is := strings.CutPrefix(body, "!"); is {
		_, _ = fmt.Sscan(text, &status)
		_, body, _ = strings.Cut(text, " ")
	}
	return &http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)),
		ContentLength: int64(len(body)),
	}, nil
}

// Open opens a source whose definition has this request, filter and so on, with a row's id, start and outcome.
func (f *API) Open(t testing.TB, auth, feed string) *collector.FeedInfo {
	t.Helper()
	text := "provider: acmetel\nparameters: {refresh: {secret: true}, secret: {secret: true}}\nhttp:\n  " +
		"base_url: https://api.acmetel.example\n" + auth + "feeds:\n  calls:\n" + feed +
		"    record:\n      id: id\n      start: {path: start, time: rfc3339}\n      outcome: {is: answered}\n"
	d, err := declared.Load("acmetel.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	provider := declared.NewProvider(d)
	block := provider.NewConfig().(*declared.Block)
	block.Feeds["calls"] = declared.FeedBlock{FeedKeys: declared.FeedKeys{Feed: config.Feed{
		Interval: time.Minute,
		Lookback: time.Hour,
	}}}
	block.Secrets["refresh"], block.Secrets["secret"] = config.NewSecret(f.Refresh),
		config.NewSecret(cmp.Or(f.Secret, "cl1ent"))
	if f.Now.IsZero() {
		f.Now = Noon
	}
	source, err := provider.Open(block, collector.SourceSettings{
		Settings:   httpclient.Settings{Transport: f, Logger: slog.New(slog.NewTextHandler(&f.Log, nil))},
		Now:        func() time.Time { return f.Now },
		LoadSecret: f.Load, ReplaceSecret: f.Replace,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Source = source
	return &source.Feeds[0]
}

// OpenText opens a source of a definition. block is its block.
func (f *API) OpenText(t testing.TB, definition, block string) *collector.FeedInfo {
	t.Helper()
	f.Now = Noon
	source, err := OpenWith(t.TempDir(), definition, block, collector.SourceSettings{
		Settings: httpclient.Settings{Transport: f, Logger: slog.New(slog.NewTextHandler(&f.Log, nil))},
		Now:      func() time.Time { return f.Now },
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Source = source
	return &source.Feeds[0]
}

// ReadIDs reads a span and returns the ids of its records, and those of rows that are set aside as !.
func ReadIDs(
	t testing.TB, info *collector.FeedInfo, from, to time.Time,
) (all []string, totals []collector.ProviderTotal, err error) {
	t.Helper()
	for page, failed := range info.Reader.Pages(t.Context(), from, to) {
		if failed != nil {
			return all, totals, failed
		}
		for _, r := range page.Records {
			all = append(all, r.ID)
		}
		for range page.Invalid {
			all = append(all, "!")
		}
		totals = append(totals, page.Totals...)
	}
	return all, totals, nil
}

// Rows are rows of JSON that start at noon less their number of minutes.
func Rows(numbers ...int) string {
	var all []string
	for _, n := range numbers {
		all = append(all, fmt.Sprintf(`{"id":"%d","start":%q}`, n, Noon.Add(-time.Duration(n)*time.Minute).
			Format(time.RFC3339)))
	}
	return "[" + strings.Join(all, ",") + "]"
}

// Yesterday is a whole day, of which rows(900) has a row.
var Yesterday = Noon.Add(-36 * time.Hour)

// Always is an API that gives every request one answer.
func Always(body string) *API {
	return &API{Answer: func(*http.Request) (string, http.Header) { return body, nil }}
}

// ReadHour reads the hour before noon and returns the ids of its records.
func ReadHour(t testing.TB, info *collector.FeedInfo) ([]string, error) {
	t.Helper()
	all, _, err := ReadIDs(t, info, Noon.Add(-time.Hour), Noon)
	return all, err
}
