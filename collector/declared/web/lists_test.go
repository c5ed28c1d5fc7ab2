package web_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestMisspeltNext: a full page fails while no answer has had what next names; else an answer
// without it is the last page.
func TestMisspeltNext(t *testing.T) {
	page := func(rows, more string) string { return `{"rows":` + rows + more + `}` }
	fifty := declaredtest.Rows(slices.Repeat([]int{5}, 50)...)
	for _, c := range []struct {
		name, query, next string
		answers           []string // one a read; a link is in the header
		want              string   // which reads fail
	}{
		{"a page that isn't full", "limit: '3'", "{url: nxt}", []string{page(declaredtest.Rows(1, 2), "")}, "[false]"},
		{"as many as the limit", "limit: '2', type: '7'", "{url: nxt}", []string{page(declaredtest.Rows(1, 2), "")}, "[true]"},
		{
			"more than the limit", "page_size: '1'", "{token: meta.t, query: c}",
			[]string{page(declaredtest.Rows(1, 2), `,"meta":{}`)},
			"[true]",
		},
		{"another number", "type: '2'", "{url: nxt}", []string{page(declaredtest.Rows(1, 2), "")}, "[false]"},
		{"a round number", "type: '2'", "{url: nxt}", []string{page(fifty, "")}, "[true]"},
		{"a round number below the limit", "limit: '100'", "{url: nxt}", []string{page(fifty, "")}, "[false]"},
		{
			"it was there before", "limit: '2'", "{url: nxt}",
			[]string{page(declaredtest.Rows(1), `,"nxt":null`), page(declaredtest.Rows(1, 2), "")},
			"[false false]",
		},
		{
			"the total says that these are all", "limit: '2'", "{url: nxt}",
			[]string{page(declaredtest.Rows(1, 2), `,"total":2`)},
			"[false]",
		},
		{"another relation", "type: '2'", "{link: weiter}", []string{page(declaredtest.Rows(1, 2), "")}, "[true]"},
		{
			"another name", "type: '2'", "{url: nxt}",
			[]string{page(declaredtest.Rows(1, 2), `,"meta":{"next_page":"/calls?p=2"}`)},
			"[true]",
		},
		{
			"another name of an object", "type: '2'", "{url: _links.nxt.href}",
			[]string{page(declaredtest.Rows(1, 2), `,"_links":{"next":{"href":"/calls?p=2"}}`)},
			"[true]",
		},
		{
			"another name that says that there is none", "type: '2'", "{url: nxt}",
			[]string{page(declaredtest.Rows(1, 2), `,"next":null,"hasMore":false,"next_page":{"href":""}`)},
			"[false]",
		},
		{
			"something else that is next", "type: '2'", "{url: nxt}",
			[]string{page(declaredtest.Rows(1, 2), `,"nextSyncToken":"x","next_update":"y"`)},
			"[false]",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &declaredtest.API{}
			f.Answer = func(*http.Request) (string, http.Header) {
				header := http.Header{}
				if c.name == "another relation" {
					header.Set("Link", `</calls?p=2>; rel="next"`)
				}
				return c.answers[len(f.Asked)-1], header
			}
			info := f.Open(t, "",
				"    request: {path: /calls, query: {"+c.query+"}}\n    filter: {by: start}\n    rows: rows\n"+
					"    total: total\n    next: "+c.next+"\n")
			var failed []bool
			for range c.answers {
				_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
				if failed = append(failed, err != nil); err != nil &&
					!strings.Contains(err.Error(), "may be misspelt") {
					t.Error(err)
				}
			}
			if got := fmt.Sprint(failed); got != c.want {
				t.Errorf("failed %s, want %s", got, c.want)
			}
		})
	}
}

// TestBadRows: a row that can't be read is set aside and costs its page nothing else.
func TestBadRows(t *testing.T) {
	const one, two = `{"id":"1","start":"2026-11-23T11:00:00Z"}`, `{"id":"2","start":"2026-11-23T11:00:00Z"}`
	for _, c := range []struct{ name, at, body string }{
		{"no colon", "rows", `{"rows":[` + one + `,{"id" "3"},` + two + `],"next":null}`},
		{
			"a raw line break, deeper", "a.rows",
			"{\"n\":[{}],\"a\":{\"rows\":[" + one + ",{\"id\":\"3\n\"}," + two + "]},\"next\":null}",
		},
		{
			"no number, in a list", "a.1.rows",
			`{"a":[{"rows":[]},{"x":[1],"rows":[` + one + `,{"id":NaN},` + two + `]}]}`,
		},
		{"the page itself", ".", `[` + one + `,{"id":01},` + two + `] `},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return c.body, nil }}
			got, _, err := declaredtest.ReadIDs(t,
				f.Open(t, "",
					"    request: {path: /calls}\n    filter: {by: start}\n    rows: "+c.at+"\n"+
						"    next: {url: next}\n"), declaredtest.Noon.Add(-2*time.Hour), declaredtest.Noon)
			if err != nil || strings.Join(got, " ") != "1 2 !" {
				t.Errorf("rows %v, %v", got, err)
			}
		})
	}
}

// TestQuerySecret: each request has the secret in its query, even if the link to the next page
// repeats it, lacks it or has another one. No error and no log contains it.
func TestQuerySecret(t *testing.T) {
	const first, second = "/calls?appid=cl1ent&limit=9", "p=2"
	for _, c := range []struct {
		name, next, more, link string
		asked                  string // the second request
	}{
		{
			"url that repeats it", "{url: next}", `,"next":"https://api.acmetel.example/calls?a=1&appid=cl1ent&p=2"`,
			"", "/calls?a=1&p=2&appid=cl1ent",
		},
		{"url without it", "{url: next}", `,"next":"/calls?p=2&x=a%2Cb"`, "", "/calls?p=2&x=a,b&appid=cl1ent"},
		{"url without a query", "{url: next}", `,"next":"/calls/2"`, "", "/calls/2?appid=cl1ent"},
		{"url with another one", "{url: next}", `,"next":"?appid=0ld&p=2"`, "", "/?p=2&appid=cl1ent"},
		{"link", "{link: next}", "", `<?appid=cl1ent&p=2>; rel=next`, "/calls?p=2&appid=cl1ent"},
		{"token", "{token: t, query: c}", `,"t":"x"`, "", "/calls?appid=cl1ent&c=x&limit=9"},
		{"page", "{page: p}", "", "", "/calls?appid=cl1ent&limit=9&p=1"},
		{"offset", "{offset: o}", "", "", "/calls?appid=cl1ent&limit=9&o=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) {
				if len(f.Asked) > 1 {
					return "!302", http.Header{"Location": {"https://evil.example/calls?appid=cl1ent"}}
				}
				return `{"rows":` + declaredtest.Rows(1) + c.more + `}`, http.Header{"Link": {c.link}}
			}
			info := f.Open(t, "",
				"    request: {path: /calls, query: {appid: '{secret}', limit: '9'}}\n"+
					"    filter: {by: start}\n    rows: rows\n    next: "+c.next+"\n")
			_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
			if len(f.Asked) != 2 || strings.TrimSuffix(f.Asked[0], "&p=0") != first || f.Asked[1] != c.asked {
				t.Errorf("asked for %q, want %s and %s", f.Asked, first, c.asked)
			}
			what, todo := f.Source.Advise(err)
			if text := fmt.Sprintf("%v %+v %s %s %s", err, err, what, todo, f.Log.String()); err == nil ||
				strings.Contains(text, "cl1ent") || strings.Contains(text, "0ld") {
				t.Errorf("it says %s", text)
			}
		})
	}
}

// TestQuerySecretOfTotals: totals may want it too.
func TestQuerySecretOfTotals(t *testing.T) {
	f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return `[]`, nil }}
	info := f.Open(t, "",
		"    request: {path: /calls}\n    filter: {by: start}\n"+
			"    totals: {request: {path: /totals, query: {auth: 'k {secret}'}}, calls: n}\n")
	if _, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-48*time.Hour), declaredtest.Noon); err != nil ||
		!slices.Equal(f.Asked, []string{"/calls", "/totals?auth=k cl1ent"}) {
		t.Errorf("asked for %q, %v", f.Asked, err)
	}
}

// TestProbe: check sources refuses what a read would refuse.
func TestProbe(t *testing.T) {
	for _, c := range []struct {
		name, filter string
		pages        []string
		rows         int
		problem      string
	}{
		{"one page", "by: start", []string{`"rows":[]`}, 0, ""},
		{
			"two pages of three", "by: start",
			[]string{`"rows":` + declaredtest.Rows(1) + `,"next":"/a"`, `"rows":[],"next":"/b"`},
			1, "",
		},
		{"by insertion", "by: inserted", []string{`"rows":` + declaredtest.Rows(1)}, 1, ""},
		{
			"the next page is on another host", "by: start",
			[]string{`"rows":[],"next":"https://evil.example/"`},
			0,
			"only https://api.acmetel.example is asked",
		},
		{
			"the second page is refused", "by: start",
			[]string{`"rows":[],"next":"/a"`, `"next":"/b"`},
			0,
			"it isn't a page of calls",
		},
		{
			"rows are missing", "by: start", slices.Repeat([]string{`"rows":` + declaredtest.Rows(1) + `,"total":2`}, 5), 0,
			"total says 2",
		},
		{
			"rows are there at last", "by: start",
			[]string{`"rows":[],"total":1`, `"rows":` + declaredtest.Rows(1) + `,"total":1`},
			1, "",
		},
		{
			"no row can be read", "by: start",
			[]string{`"rows":[{"id":"1"},{"id":"2"}]`},
			0,
			"none of the page's 2 rows can be read; the first one: start is missing",
		},
		{
			"one row can't be read", "by: start",
			[]string{`"rows":[{"id":"1"},{"id":"2","start":"2026-11-20T11:59:59Z"}]`},
			2, "",
		},
		{
			"whole days that are old enough", "by: start, grain: 24h, min_age: 1h",
			[]string{`"rows":{}`},
			0,
			"it isn't a page of calls",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) { return "{" + c.pages[len(f.Asked)-1] + "}", nil }
			info := f.Open(t, "",
				"    request: {path: /calls}\n    filter: {"+c.filter+"}\n    rows: rows\n    total: total\n"+
					"    next: {url: next}\n")
			n, err := info.Probe(t.Context())
			if n != c.rows && c.problem == "" || (err == nil) != (c.problem == "") || err != nil &&
				!strings.Contains(err.Error(), c.problem) || len(f.Asked) != len(c.pages) {
				t.Errorf("%d rows of %q, %v; want %d of %d pages, %s", n, f.Asked, err, c.rows, len(c.pages), c.problem)
			}
		})
	}
}

// nameless is a page of rows without ids.
func nameless(total int, callers ...string) string {
	all := make([]string, len(callers))
	for i, caller := range callers {
		all[i] = `{"from":"` + caller + `","start":"2026-11-23T11:59:59Z"}`
	}
	return fmt.Sprintf(`"total":%d,"rows":[%s]`, total, strings.Join(all, ","))
}

// TestRowsAndTotals (counting.md 13, 18): a read with fewer distinct rows than the provider's newest total isn't
// complete. Rows that others push to the next page count once, even without an id; equal rows that didn't move are
// several. With complete, a read ends when it has as many rows as the total says.
func TestRowsAndTotals(t *testing.T) {
	ids := declaredtest.Rows
	listed := func(total int, minutes ...int) string {
		return fmt.Sprintf(`"total":%d,"rows":%s`, total, ids(minutes...))
	}
	const complete = "    complete: total\n"
	moved := func(name string, rows int, problem string, pages ...string) rowsAndTotal {
		return rowsAndTotal{name, complete + "    without_id: true\n", "", pages, rows, problem}
	}
	for _, c := range []rowsAndTotal{
		{"all", "", "", []string{listed(2, 1, 2), `"rows":[],"total":2`}, 2, ""},
		{"more", "", "", []string{listed(1, 1, 2), `"rows":[]`}, 2, ""},
		{"fewer", "", "", []string{listed(5, 1, 2), `"rows":[],"total":5`}, 2, "gave 2 rows"},
		{"a text", "", "", []string{`"rows":` + ids(1, 2) + `,"total":"5"`, `"rows":[]`}, 2, "total says 5"},
		{"a row twice", "", "", []string{listed(3, 1, 2), `"rows":` + ids(2), `"rows":[]`}, 3, "gave 2 rows"},
		{"it grew", "", "", []string{listed(1, 1), listed(3, 2), `"rows":[]`}, 2, "gave 2 rows"},
		{"it shrank", "", "", []string{listed(3, 1), listed(2, 2), `"rows":[]`}, 2, ""},
		{"ignored rows count", "    ignore: {id: '2'}\n", "", []string{listed(2, 1, 2), `"rows":[]`}, 1, ""},
		{"damaged rows count", "", "", []string{`"rows":[{"id":"1"},{"id":01}],"total":2`, `"rows":[]`}, 2, ""},
		{"a total of null", "", "", []string{`"rows":` + ids(1) + `,"total":null`, `"rows":[]`}, 1, ""},
		moved("none moved", 4, "", nameless(4, "a", "b"), nameless(4, "c", "d")),
		moved("equal rows", 4, "", nameless(4, "a", "a"), nameless(4, "a", "b")),
		moved("one came in", 4, "", nameless(4, "a", "b"), nameless(5, "b", "c"), nameless(5, "d"), nameless(5)),
		moved("some came in", 2, "2 rows", nameless(3, "a", "b"), nameless(5, "a", "b"), nameless(5, "c")),
		moved("more came in than a page has", 2, "2 rows", nameless(4, "a", "b"), nameless(7, "x", "b")),
		moved("the last page is repeated", 2, "total says 3", nameless(3, "a", "b"), nameless(3, "a", "b")),
		moved("a row twice, and another one is missing", 3, "2 rows of", listed(3, 1, 2, 2), nameless(3)),
		moved("a row on two pages, one is missing", 4, "3 rows of", listed(4, 1, 2), listed(4, 2, 3), nameless(4)),
		{"a row on two pages", complete, "", []string{listed(3, 1, 2), listed(3, 2, 3)}, 4, ""},
		{
			"a next page that goes on for ever", complete, "{url: next}",
			[]string{`"next":"/2",` + listed(2, 1), `"next":"/3",` + listed(2, 2)},
			2, "",
		},
		{"pages", complete, "", []string{listed(2, 1), listed(2, 2)}, 2, ""},
		{"a total that grows", complete, "", []string{`"total":1,"rows":[]`, ""}, 0, "0 rows"},
		{"a total of the first page only", complete, "", []string{listed(2, 1), `"rows":` + ids(2)}, 2, ""},
		{"no rows", complete, "", []string{`"total":0,"rows":[]`}, 0, ""},
		{"a page without rows too early", complete, "", []string{listed(2, 1), `"total":2,"rows":[]`}, 1, "1 rows"},
		{
			"no next page too early", complete, "{url: next}",
			[]string{`"next":"/2",` + listed(2, 1), `"next":null,` + listed(3, 2)},
			2, "2 rows",
		},
		{"no total", complete, "", []string{`"rows":` + ids(1)}, 0, "no total at total, which decides"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) { return "{" + c.pages[len(f.Asked)-1] + "}", nil }
			info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    rows: rows\n"+
				"    total: total\n    next: "+cmp.Or(c.next, "{page: p}")+"\n"+c.more)
			got, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
			if len(got) != c.rows || (err == nil) != (c.problem == "") ||
				!strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("rows %v, %v; want %d, %s", got, err, c.rows, c.problem)
			}
			if !collector.IsFewerRows(err) {
				return
			}
			what, todo := f.Source.Advise(err)
			if !strings.Contains(what, "11:00:00Z/2026-11-23T12:00:00Z") || !strings.Contains(todo, "total") {
				t.Errorf("it says %s; %s", what, todo)
			}
		})
	}
}

// rowsAndTotal is a list by pages: how many rows are handed on, and what the error says.
type rowsAndTotal struct {
	name, more, next string
	pages            []string
	rows             int
	problem          string
}
