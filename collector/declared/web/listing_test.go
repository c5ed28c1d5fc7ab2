package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestAuthChoice: the source's parameters choose how requests are authorized.
func TestAuthChoice(t *testing.T) {
	for _, c := range []struct{ block, query, header string }{
		{"key: s3cret", "/calls?a=b", "Bearer s3cret"},
		{"key: s3cret, auth: query", "/calls?a=b&appid=s3cret", ""},
	} {
		f, header := new(declaredtest.API), ""
		f.Answer = func(r *http.Request) (string, http.Header) {
			header = r.Header.Get("Authorization")
			return declaredtest.Rows(1), nil
		}
		info := f.OpenText(t, definition(t, "auth"), c.block+", calls: ")
		_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
		if err != nil || header != c.header || !slices.Equal(f.Asked, []string{c.query}) {
			t.Errorf("%s: %v; %q with %q, want %s with %q", c.block, err, f.Asked, header, c.query, c.header)
		}
	}
}

// TestExports: the source chooses a format. The total comes from the list of JSON.
func TestExports(t *testing.T) {
	line := strings.Trim(declaredtest.Rows(1), "[]") + "\n"
	for _, c := range []struct {
		format, answer, accept string
		asked                  []string
		total                  int
		problem                string
	}{
		{"json", "", "", []string{"/calls?p=1&size=100"}, 1, ""},
		{"stream", line, "application/x-ndjson", []string{"/calls?p=1&size=1", "/calls.jsonl?p=1&size=100"}, 1, ""},
		{
			"stream", line, "application/x-ndjson",
			[]string{"/calls?p=1&size=1", "/calls.jsonl?p=1&size=100", "/calls.jsonl?p=2&size=100"},
			2, "total says 2",
		},
		{
			"csv", "id,start\n1,2026-11-23T11:59:59Z\n", "text/csv",
			[]string{"/calls?p=1&size=1", "/none?p=1&size=100", "/calls.csv?p=1&size=100"},
			1, "",
		},
		{ // the list of JSON has no total, and the export doesn't know the parameter of the page
			"stream", line, "application/x-ndjson",
			[]string{"/calls?p=1&size=1", "/calls.jsonl?p=1&size=100", "/calls.jsonl?p=2&size=100"},
			-1, "the same rows as the page before",
		},
	} {
		f, accept := new(declaredtest.API), ""
		f.Answer = func(r *http.Request) (string, http.Header) {
			switch {
			case r.URL.Path == "/none":
				return "!404", nil
			case r.URL.Path == "/calls" && c.total < 0:
				return `{"rows":[]}`, nil
			case r.URL.Path == "/calls":
				return fmt.Sprintf(`{"rows":%s,"total":%d}`, declaredtest.Rows(1), c.total), nil
			case r.URL.Query().Get("p") != "1" && c.total >= 0:
				return "", nil
			}
			accept = r.Header.Get("Accept")
			return c.answer, nil
		}
		text := definition(t, "exports")
		if c.total < 0 {
			text = strings.Replace(text, "complete: total", "", 1)
		}
		info := f.OpenText(t, text, "format: "+c.format+", calls: ")
		got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
		if !slices.Equal(got, []string{"1"}) || (err == nil) != (c.problem == "") ||
			!strings.Contains(fmt.Sprint(err), c.problem) || accept != c.accept || !slices.Equal(f.Asked, c.asked) {
			t.Errorf("%s: %s, %v; asked %q with %q, want %q with %q", c.format, got, err, f.Asked, accept, c.asked,
				c.accept)
		}
		if c.total > 1 && !collector.IsFewerRows(err) {
			t.Errorf("%v isn't about missing rows", err)
		}
	}
}

// TestExportOfARequestWithoutQuery: the query may be in the path; total_query is added to it.
func TestExportOfARequestWithoutQuery(t *testing.T) {
	f := &declaredtest.API{Answer: func(r *http.Request) (string, http.Header) {
		if r.URL.Path == "/calls" {
			return `{"rows":[],"total":1}`, nil
		}
		return strings.Trim(declaredtest.Rows(1), "[]") + "\n", nil
	}}
	text := strings.ReplaceAll(definition(t, "exports"), `query: {size: "100"}`, "method: GET")
	info := f.OpenText(t, text, "format: stream, calls: ")
	got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
	if asked := []string{"/calls?p=1&size=1", "/calls.jsonl?p=1"}; err != nil || !slices.Equal(got, []string{"1"}) ||
		!slices.Equal(f.Asked, asked) {
		t.Errorf("%s, %v; asked %q, want %q", got, err, f.Asked, asked)
	}
}

// TestClocksSetBack: a read has the calls of its hour, if clocks that are set back show that hour twice.
func TestClocksSetBack(t *testing.T) {
	const text = `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
    record:
      id: id
      start: {path: start, time: "2006-01-02 15:04:05", zone: Europe/Berlin}
      outcome: {is: answered}
`
	info := declaredtest.Always(`[{"id":"1","start":"2026-10-25 01:30:00"},{"id":"2","start":"2026-10-25 02:30:00"},`+
		`{"id":"3","start":"2026-10-25 03:30:00"}]`).OpenText(t, text, "calls: {}")
	for from, want := range []string{"1", "2", "2", "3"} {
		hour := time.Date(2026, 10, 24, 23+from, 0, 0, 0, time.UTC)
		var ids string
		for page, err := range info.Reader.Pages(t.Context(), hour, hour.Add(time.Hour)) {
			require.NoError(t, err)
			for _, r := range page.Records {
				ids += r.ID
			}
		}
		if ids != want {
			t.Errorf("the read from %s has %q, want %q", hour.Format(time.RFC3339), ids, want)
		}
	}
}

// TestRowsAheadOfTheClock: rows far ahead of a clock that was reset belong to other reads; they aren't invalid.
func TestRowsAheadOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := declaredtest.Always(`{"rows":` + declaredtest.Rows(120) + "}")
		f.Now, f.Date = time.Now(), declaredtest.Noon // in the year 2000
		info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    rows: rows\n")
		defer func() { f.Source.Close() }()
		if got, err := declaredtest.ReadHour(t, info); err != nil || len(got) > 0 {
			t.Errorf("rows %v, %v", got, err)
		}
	})
}
