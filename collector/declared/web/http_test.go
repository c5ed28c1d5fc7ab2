package web_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestCutCSV: a quote that isn't closed before the end means that the answer was cut, even if it
// began many lines before. No part of the answer is a page.
func TestCutCSV(t *testing.T) {
	for _, lines := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			body := "id,start\n1,2026-11-23T11:00:00Z\n2,\"2026-11-23T11:01:00Z" + strings.Repeat("\n3,x", lines)
			f := declaredtest.Always(body)
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    format: csv\n")
			got, err := declaredtest.ReadHour(t, info)
			if err == nil || !strings.Contains(err.Error(), "cut") || len(got) > 0 {
				t.Errorf("%d lines later: rows %v, %v", lines, got, err)
			}
		})
	}
}

// TestTotalsHeaders: the request of a total has its headers, with the source's parameters.
func TestTotalsHeaders(t *testing.T) {
	const text = `provider: acmetel
parameters: {site: {}}
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    request: {path: /calls}
    filter: {by: start}
    totals: {request: {path: /totals, headers: {X-Site: "{site}"}}, calls: n}
    record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}
`
	f, site := new(declaredtest.API), ""
	f.Answer = func(r *http.Request) (string, http.Header) {
		if r.URL.Path == "/totals" {
			site = r.Header.Get("X-Site")
			return `{"n":1}`, nil
		}
		return declaredtest.Rows(800), nil
	}
	info := f.OpenText(t, text, "site: berlin, calls: ")
	_, totals, err := declaredtest.ReadIDs(t, info, declaredtest.Yesterday, declaredtest.Yesterday.Add(24*time.Hour))
	if err != nil || len(totals) != 1 || totals[0].Theirs != 1 || site != "berlin" {
		t.Errorf("totals %+v of site %q, error %v", totals, site, err)
	}
}

// TestRelativeLinks: a link that is only a query is about the page's own address, below base_url too. A link on http:
// is followed by https, as its page was.
func TestRelativeLinks(t *testing.T) {
	for _, c := range []struct{ next, link string }{
		{"url: next", "?p=2"},
		{"link: next", "?p=2"},
		{"url: next", "http://api.acmetel.example/v2/calls?p=2"}, // from an API behind a proxy
		{"link: next", "http://api.acmetel.example/v2/calls?p=2"},
	} {
		f := new(declaredtest.API)
		f.Answer = func(r *http.Request) (string, http.Header) {
			if r.URL.RawQuery == "p=2" {
				return `{"rows":` + declaredtest.Rows(2) + `}`, nil
			}
			return `{"next":"` + c.link + `","rows":` + declaredtest.Rows(1) + `}`,
				http.Header{"Link": {"<" + c.link + ">; rel=next"}}
		}
		info := f.OpenText(t, `provider: acmetel
http: {base_url: https://api.acmetel.example/v2}
feeds:
  calls:
    request: {path: calls}
    filter: {by: start}
    rows: rows
    next: {`+c.next+`}
    record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}
`, "calls: ")
		got, err := declaredtest.ReadHour(t, info)
		if asked := strings.Join(f.Asked, " "); err != nil || len(got) != 2 || asked != "/v2/calls /v2/calls?p=2" {
			t.Errorf("%+v: rows %v of %s, %v", c, got, asked, err)
		}
	}
}

// FuzzLink: whatever a Link header is, reading ends.
func FuzzLink(f *testing.F) {
	for _, seed := range []string{
		`<?p=2>; rel="next"`, `</a>;rel=first, <b>; title="\"x\\"; rel=next`, `<`, `<a>;;;=`,
		`,,<a>;rel="`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		api := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) {
			return declaredtest.Rows(1),
				http.Header{"Link": {value}}
		}}
		info := api.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    next: {link: next}\n")
		got, err := declaredtest.ReadHour(t, info)
		if len(got) == 0 || err == nil && len(api.Asked) != len(got) {
			t.Errorf("rows %v of %q, %v", got, api.Asked, err)
		}
	})
}
