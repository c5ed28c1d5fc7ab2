package web_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestNextPage: where the next page is, and which is the last one (definitions.md 3).
func TestNextPage(t *testing.T) {
	link := func(value string) string { return "link " + value }
	for _, c := range []struct {
		name, next string
		pages      []string // rows, or more of a page; a link is in the header
		want       string   // the ids
		asked      int
		problem    string
	}{
		{
			"link", "{link: next}",
			[]string{link(`<https://api.acmetel.example/calls?p=2>; rel="next"`), ""},
			"1 2", 2,
			"",
		},
		{
			"link relative to the page", "{link: next}",
			[]string{link(`<?p=2>; title="a, b;"; rel="prev next"`), ""},
			"1 2", 2, "",
		},
		{
			"one of several links", "{link: next}",
			[]string{link(`</first>; rel=first, </calls?p=2>; rel=NEXT`), ""},
			"1 2", 2, "",
		},
		{"another relation", "{link: next}", []string{link(`<?p=2>; rel=prev; rel=next`), ""}, "1", 1, ""},
		{
			"link to another host", "{link: next}",
			[]string{link(`<https://evil.example/calls?p=2>; rel=next`), ""},
			"1",
			1, "only https://api.acmetel.example is asked",
		},
		{"url", "{url: meta.next}", []string{`"meta":{"next":"/calls?p=2"}`, `"meta":{"next":null}`}, "1 2", 2, ""},
		{"url after an empty page", "{url: next}", []string{`"rows":[],"next":"/calls?p=2"`, `"next":""`}, "2", 2, ""},
		{
			"token beyond the total", "{token: t, query: c}",
			[]string{`"t":"a","total":2`, `"t":"b","total":2`, `"rows":[],"t":"c","total":2`, ""},
			"1 2", 3, "",
		},
		{
			"token of a total that grew", "{token: t, query: c}",
			[]string{`"t":"a","total":1`, `"rows":[],"t":"b","total":2`, `"t":"","total":2`},
			"1 3", 3, "",
		},
		{
			"no url where it was", "{url: meta.next}",
			[]string{`"meta":{"next":"/calls?p=2"}`, `"meta":[]`},
			"1 2", 2,
			"",
		},
		{
			"no way to the url", "{url: meta.next.href}",
			[]string{`"meta":{"next":"/calls?p=2"}`},
			"", 1,
			"may be misspelt",
		},
		{"a token that is a number", "{token: t, query: c}", []string{`"t":7`, `"t":null`}, "1 2", 2, ""},
		{"url that is an object", "{url: next}", []string{`"next":{"href":"/calls?p=2"}`}, "", 1, "an object at next"},
		{"url that is a list", "{url: next}", []string{`"next":["/calls?p=2"]`}, "", 1, "an array at next"},
		{"url that is a number", "{url: next}", []string{`"next":2`}, "", 1, "a number at next"},
		{"token that is a truth value", "{token: t, query: c}", []string{`"t":true`}, "", 1, "a boolean at t"},
		{"token that is an object", "{token: t, query: c}", []string{`"t":"a"`, `"t":{}`}, "1", 2, "an object at t"},
		{
			"two urls", "{url: meta.next}",
			[]string{`"meta":{"next":null},"meta":{"next":"/calls?p=2"}`},
			"", 1,
			"two members on the way to meta.next",
		},
		{"two tokens", "{token: t, query: c}", []string{`"t":"","t":"a"`}, "", 1, "two members on the way to t"},
		{
			"two arrays", "{url: next}",
			[]string{`"rows":[],"next":null,"rows":[{"id":"1"}]`},
			"", 1,
			"two members on the way to rows",
		},
		{
			"a total that isn't a number", "{page: p}",
			[]string{`"total":"many"`},
			"", 1,
			"total at total isn't a whole number",
		},
		{"a total that is broken", "{page: p}", []string{`"total":2.5`}, "", 1, "total at total isn't a whole number"},
		{"a total below zero", "{page: p}", []string{`"total":-1`}, "", 1, "total at total isn't a whole number"},
		{
			"a total that is an object", "{page: p}",
			[]string{`"total":{"value":1}`},
			"", 1,
			"total at total isn't a whole number",
		},
		{"null where the total says none", "{url: next}", []string{`"rows":null,"total":0`}, "", 1, ""},
		{"null without a total", "{url: next}", []string{`"rows":null,"error":"x"`}, "", 1, "it isn't a page of calls"},
		{"page", "{page: p, from: 1}", []string{`"total":1`, "", `"rows":[]`, ""}, "1 2", 3, ""},
		{"offset", "{offset: o}", []string{"", "", `"rows":[]`}, "1 2", 3, ""},
		{"refused behind the total", "{page: p, from: 1}", []string{`"total":2`, `"total":2`, "!404"}, "1 2", 3, ""},
		{"refused before the total", "{offset: o}", []string{`"total":2`, "!400"}, "1", 2, "no longer good"},
		{"refused without a total", "{page: p}", []string{"", "!404"}, "1", 2, "no longer good"},
		{
			"a token that is refused", "{token: t, query: c}",
			[]string{`"t":"a","total":1`, "!400"},
			"1", 2,
			"no longer good",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) {
				page, header := c.pages[len(f.Asked)-1], http.Header{}
				if strings.HasPrefix(page, "!") {
					return page, header
				}
				if value, is := strings.CutPrefix(page, "link "); is {
					header.Set("Link", value)
					page = ""
				}
				if !strings.Contains(page, `"rows"`) {
					page = strings.Trim(page+`,"rows":`+declaredtest.Rows(len(f.Asked)), ",")
				}
				return "{" + page + "}", header
			}
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    rows: rows\n    "+
				"total: total\n    next: "+c.next+"\n")
			got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
			if strings.Join(got, " ") != c.want || len(f.Asked) != c.asked || (err == nil) != (c.problem == "") ||
				err != nil && !strings.Contains(err.Error(), c.problem) {
				t.Errorf("rows %v of %q, %v; want %s of %d pages, %s", got, f.Asked, err, c.want, c.asked, c.problem)
			}
		})
	}
}

// TestRefusedRequest: the advice names the parts of the definition that its author should check.
func TestRefusedRequest(t *testing.T) {
	for _, c := range []struct{ name, first, what, todo string }{
		{"the first page", "!400", "refuses the request", "check path, query and max_range"},
		{"a page after the last one", `{"rows":` + declaredtest.Rows(1) + `}`, "paging broke off", "set total in the definition"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) {
				if len(f.Asked) > 1 {
					return "!400", nil
				}
				return c.first, nil
			}
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    rows: rows\n    "+
				"next: {page: p, from: 1}\n")
			_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
			if what, todo := f.Source.Advise(err); !strings.Contains(what, c.what) || !strings.Contains(todo, c.todo) {
				t.Errorf("of %v it says %s; %s", err, what, todo)
			}
		})
	}
}

// TestFormats: rows of CSV and of JSON lines. A row that can't be read is set aside, and a cut
// answer is requested again.
func TestFormats(t *testing.T) {
	const row1, row2 = "1,2026-11-23T11:00:00Z\n", "2,2026-11-23T11:01:00Z"
	for _, c := range []struct{ name, format, body, want string }{
		{"csv with names", "csv", "\ufeffid,start\r\n" + row1 + row2, "1 2"},
		{"csv with columns", "csv\n    columns: [id, start]", row1 + row2 + "\n", "1 2"},
		{"csv without a row", "csv\n    columns: [id, start]", "", ""},
		{"csv with a line that is none", "csv", "id,start\n" + row1 + "a\"b,x\n" + row2, "1 ! 2"},
		{"lines", "jsonl", strings.Trim(strings.ReplaceAll(declaredtest.Rows(1, 2), "},{", "}\n\n{"), "[]") + "\n{\n", "1 2 !"},
		{"lines without a row", "jsonl", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return c.body, nil }}
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    format: "+c.format+"\n")
			got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-2*time.Hour), declaredtest.Noon)
			slices.Sort(got)
			want := strings.Fields(c.want)
			slices.Sort(want)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("rows %v, %v; want %v", got, err, want)
			}
		})
	}
}

// TestCutCSV: a quote that isn't closed before the end means that the answer was cut, even if it
// began many lines before. No part of the answer is a page.
func TestCutCSV(t *testing.T) {
	for _, lines := range []int{0, 100} {
		synctest.Test(t, func(t *testing.T) {
			body := "id,start\n1,2026-11-23T11:00:00Z\n2,\"2026-11-23T11:01:00Z" + strings.Repeat("\n3,x", lines)
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return body, nil }}
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    format: csv\n")
			if got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-2*time.Hour), declaredtest.Noon); err == nil ||
				!strings.Contains(err.Error(), "cut") || len(got) > 0 {
				t.Errorf("%d lines later: rows %v, %v", lines, got, err)
			}
		})
	}
}

// TestYoungRows: what is younger than min_age isn't asked for, and a span of such isn't asked for at all.
func TestYoungRows(t *testing.T) {
	f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return declaredtest.Rows(1, 20), nil }}
	info := f.Open(t, "", "    request: {path: /calls, query: {q: '{from|15:04:05}-{to|15:04:05}'}}\n    "+
		"filter: {by: start, min_age: 10m}\n")
	if got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon); err != nil || strings.Join(got, " ") != "1 20" {
		t.Errorf("rows %v, %v", got, err)
	}
	if _, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-5*time.Minute), declaredtest.Noon); err != nil {
		t.Error(err)
	}
	if _, err := info.Probe(t.Context()); err != nil {
		t.Error(err)
	}
	if want := []string{"/calls?q=11:00:00-11:50:00", "/calls?q=11:49:00-11:50:00"}; !slices.Equal(f.Asked, want) {
		t.Errorf("asked for %q, want %q", f.Asked, want)
	}
}

// TestDayTotal: the total of a whole day is compared with the distinct rows read; the total of
// another span isn't.
func TestDayTotal(t *testing.T) {
	f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) {
		return `{"rows":` + declaredtest.Rows(1, 2, 2) + `,"total":4}`, nil
	}}
	info := f.Open(t, "", "    request: {path: /calls, query: {q: '{to|2006-01-02}'}}\n    filter: {by: "+
		"start, grain: 24h}\n    rows: rows\n    total: total\n")
	_, totals, err := declaredtest.ReadIDs(t, info, declaredtest.Noon, declaredtest.Noon.Add(time.Hour))
	want := []collector.ProviderTotal{{Day: declaredtest.Noon.Truncate(24 * time.Hour), Ours: 2, Theirs: 4}}
	if !collector.IsFewerRows(err) || !slices.Equal(totals, want) || f.Asked[0] != "/calls?q=2026-11-24" {
		t.Errorf("totals %v of %s, %v; want %v of the midnight after", totals, f.Asked, err, want)
	}
	if _, totals, _ = declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-24*time.Hour), declaredtest.Noon); totals != nil {
		t.Errorf("two days have the total %v", totals)
	}
}

// TestTotals: the total of a past day is requested once and compared with the records read. If the
// total can't be read, no row is lost.
func TestTotals(t *testing.T) {
	total := ""
	f := new(declaredtest.API)
	f.Answer = func(r *http.Request) (string, http.Header) {
		if r.URL.Path == "/totals" {
			return total, nil
		}
		return declaredtest.Rows(900, 901, 901, 1), nil
	}
	info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    totals: {request: {path: "+
		"/totals, query: {d: '{from|2006-01-02}'}}, calls: days.0.count}\n")
	for _, c := range []struct {
		total string
		want  int
	}{{"!404", 0}, {`{"days":`, 0}, {`{"days":[{"count":"3"}]}`, 1}, {"!404", 1}} {
		total = c.total
		got, totals, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-48*time.Hour), declaredtest.Noon)
		if err != nil || len(got) != 4 || len(totals) != c.want || c.want > 0 &&
			totals[0] != (collector.ProviderTotal{Day: declaredtest.Noon.Add(-36 * time.Hour), Ours: 2, Theirs: 3}) {
			t.Errorf("rows %v, totals %v, %v", got, totals, err)
		}
	}
	if want := []string{
		"/calls", "/totals?d=2026-11-22", "/calls", "/totals?d=2026-11-22", "/calls",
		"/totals?d=2026-11-22", "/calls",
	}; !slices.Equal(f.Asked, want) {
		t.Errorf("asked for %q, want %q", f.Asked, want)
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
	_, totals, err := declaredtest.ReadText(t, info, declaredtest.Yesterday, declaredtest.Yesterday.Add(24*time.Hour))
	if err != nil || len(totals) != 1 || totals[0].Theirs != 1 || site != "berlin" {
		t.Errorf("totals %+v of site %q, error %v", totals, site, err)
	}
}

// TestTotalsOfMoney: a total of money is of the calls that have a price, and asked for again, since prices come late.
func TestTotalsOfMoney(t *testing.T) {
	price := "1.25"
	f := new(declaredtest.API)
	f.Answer = func(r *http.Request) (string, http.Header) {
		if r.URL.Path == "/totals" {
			return `{"days":[{"count":"2","price":"` + price + `","unit":"usd"}]}`, nil
		}
		return declaredtest.Rows(900, 901, 1), nil
	}
	info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n"+
		"    totals: {request: {path: /totals}, calls: days.0.count, charges: days.0.price, currency: days.0.unit}\n")
	for _, price = range []string{"1.25", "1.3"} {
		_, totals, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-48*time.Hour), declaredtest.Noon)
		if err != nil || len(totals) != 1 || totals[0].Ours != 0 || totals[0].Theirs != 2 ||
			totals[0].Charges.String() != price || totals[0].Currency != "USD" {
			t.Errorf("totals %+v, %v", totals, err)
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
		got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
		if len(got) == 0 || err == nil && len(api.Asked) != len(got) {
			t.Errorf("rows %v of %q, %v", got, api.Asked, err)
		}
	})
}
