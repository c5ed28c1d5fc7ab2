package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestFor: a list is read with each value, and a span is complete once each of these lists was
// read.
func TestFor(t *testing.T) {
	for _, c := range []struct {
		name, feed string
		answer     func(r *http.Request) string
		asked      []string
		ids        string
		theirs     int // the day's total
		problem    string
	}{
		{
			"two values", "    for: {type: [a, b]}\n    request: {path: '/{for.type}', query: {t: 'x{for.type}'}}\n",
			func(r *http.Request) string { return declaredtest.Rows(800, 800+int(r.URL.Path[1])) },
			[]string{"/a?t=xa", "/b?t=xb"},
			"800 897 800 898", 0, "",
		},
		{
			"in a body", "    for: {type: [a, b]}\n    request: {path: /calls, method: POST, body: {t: " +
				"['{for.type}']}}\n",
			func(*http.Request) string { return `[]` },
			[]string{"/calls", "/calls"},
			"", 0, "",
		},
		{
			"combinations", "    for: {b: [x, y], a: one}\n    request: {path: '/{for.a}/{for.b}'}\n",
			func(*http.Request) string { return `[]` },
			[]string{"/one/x", "/one/y"},
			"", 0, "",
		},
		{
			"pages of each", "    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n    next: {page: p}\n",
			func(r *http.Request) string {
				if r.URL.Query().Get("p") == "1" {
					return `[]`
				}
				return declaredtest.Rows(800 + int(r.URL.Path[1]))
			},
			[]string{"/a?p=0", "/a?p=1", "/b?p=0", "/b?p=1"},
			"897 898", 0, "",
		},
		{
			"totals are added up", "    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n    rows: rows\n   " +
				" total: n\n",
			func(*http.Request) string { return `{"n":1,"rows":` + declaredtest.Rows(800) + `}` },
			[]string{"/a", "/b"},
			"800 800", 2, "",
		},
		{
			"fewer rows in the first list",
			"    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n    rows: rows\n    total: n\n",
			func(r *http.Request) string {
				return fmt.Sprintf(`{"n":%d,"rows":%s}`, 'b'-r.URL.Path[1]+1, declaredtest.Rows(800))
			},
			[]string{"/a", "/b"},
			"800 800", 3, "1 rows",
		},
		{
			"an error in the second list", "    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n",
			func(r *http.Request) string {
				if r.URL.Path == "/b" {
					return "!400"
				}
				return declaredtest.Rows(800)
			},
			[]string{"/a", "/b"},
			"800", 0, "400",
		},
		{
			"ignored by a value", "    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n    ignore: {for.t: b}\n",
			func(*http.Request) string { return declaredtest.Rows(800) },
			[]string{"/a", "/b"},
			"800", 0, "",
		},
		{
			"ignored by an expression",
			"    for: {t: [a, b]}\n    request: {path: '/{for.t}'}\n    ignore: 'for.t == \"b\"'\n",
			func(*http.Request) string { return declaredtest.Rows(800) },
			[]string{"/a", "/b"},
			"800", 0, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(r *http.Request) (string, http.Header) { return c.answer(r), nil }
			info := f.Open(t, "", c.feed+"    filter: {by: start}\n")
			got, totals, err := declaredtest.ReadText(t, info, declaredtest.Yesterday, declaredtest.Yesterday.Add(24*time.Hour))
			if got != c.ids || !slices.Equal(f.Asked, c.asked) {
				t.Errorf("%s from %q, want %s from %q", got, f.Asked, c.ids, c.asked)
			}
			if c.problem == "" && err != nil || !strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("%v, want %s", err, c.problem)
			}
			if c.theirs == 0 && len(totals) > 0 || c.theirs > 0 &&
				(len(totals) != 1 || totals[0].Theirs != c.theirs || totals[0].Ours != 2) {
				t.Errorf("totals %+v", totals)
			}
		})
	}
}

// TestForParameter: a list parameter stands for each of its values, and an empty one is an error.
func TestForParameter(t *testing.T) {
	const text = `provider: acmetel
parameters: {sites: {list: true}}
http: {base_url: https://api.acmetel.example}
feeds:
  calls:
    for: {site: ["0", "{sites}"]}
    request: {path: '/{for.site}'}
    filter: {by: start}
    record:
      id: id
      start: {path: start, time: rfc3339}
      outcome: {is: answered}
      trunk: {join: [for.site, id]}
`
	for sites, want := range map[string]string{"[a, b]": "0/1 a/1 b/1", "[a]": "0/1 a/1"} {
		t.Run(sites, func(t *testing.T) {
			f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return declaredtest.Rows(1), nil }}
			info := f.OpenText(t, text, "calls: {}, sites: "+sites)
			var trunks []string
			for page, err := range info.Reader.Pages(t.Context(), declaredtest.Noon.Add(-time.Hour), declaredtest.Noon) {
				if err != nil {
					t.Fatal(err)
				}
				for _, r := range page.Records {
					trunks = append(trunks, r.Trunk)
				}
			}
			if got := strings.Join(trunks, " "); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		})
	}
	f := new(declaredtest.API)
	info := f.OpenText(t, strings.Replace(text, `["0", "{sites}"]`, `"{sites}"`, 1), "calls: {}, sites: []")
	if _, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon); !strings.Contains(fmt.Sprint(err),
		"a list parameter in the feed's for is empty") {
		t.Errorf("of an empty list it says %v", err)
	}
}

// TestMaxRows: a span with the most rows that the provider gives is read in halves.
func TestMaxRows(t *testing.T) {
	for _, c := range []struct {
		name, feed string
		calls      []int // minutes before noon
		asked      int
		problem    string
	}{
		{"fewer", "", []int{1, 2}, 1, ""},
		{"as many", "", []int{1, 31, 59}, 3, ""},
		{"more", "", []int{1, 2, 3, 4, 5, 31, 40, 45, 59}, 0, ""},
		{"a total says it", "    total: n\n", []int{1, 2, 31, 40, 59}, 5, ""},
		{"as many in a grain", "", []int{1, 1, 1}, 0, "have 3 rows, the limit max_rows, so there may be more"},
		{"pages", "    next: {offset: o}\n", []int{1, 2, 31, 32, 40}, 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(r *http.Request) (string, http.Header) {
				from, _ := time.Parse(time.RFC3339, r.URL.Query().Get("from"))
				to, _ := time.Parse(time.RFC3339, r.URL.Query().Get("to"))
				var in []int
				for _, n := range c.calls {
					if at := declaredtest.Noon.Add(-time.Duration(n) * time.Minute); !at.Before(from) && at.Before(to) {
						in = append(in, n)
					}
				}
				given, skip := in[:min(len(in), 3)], 0
				if strings.Contains(c.feed, "offset") {
					_, _ = fmt.Sscan(r.URL.Query().Get("o"), &skip)
					given = given[min(len(given), skip):min(len(given), skip+2)]
				}
				return fmt.Sprintf(`{"n":%d,"rows":%s}`, len(in), declaredtest.Rows(given...)), nil
			}
			info := f.Open(t, "", "    request: {path: /calls, query: {from: '{from|rfc3339}', to: "+
				"'{to|rfc3339}'}}\n    filter: {by: start}\n"+
				"    rows: rows\n    max_rows: 3\n"+c.feed)
			all, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
			if c.problem == "" && err != nil || !strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("%v, want %s", err, c.problem)
			}
			for _, n := range c.calls {
				if !slices.Contains(all, fmt.Sprint(n)) {
					t.Errorf("the call of minute %d is missing", n)
				}
			}
			if c.asked > 0 && len(f.Asked) != c.asked {
				t.Errorf("asked %d times, want %d: %q", len(f.Asked), c.asked, f.Asked)
			}
		})
	}
}
