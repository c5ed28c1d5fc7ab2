package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// snapshot is a definition of calls in progress.
const snapshot = `provider: acmetel
http: {base_url: https://api.acmetel.example}
feeds:
  active_calls:
    snapshot: true
    request: {path: /live}
    rows: rows
    next: {page: p}
    ignore: {state: ended}
    record:
      id: id
      group: group
      direction: {path: way, table: {in: inbound, out: outbound}}
`

// TestSnapshot: calls in progress are counted by their direction, each once.
func TestSnapshot(t *testing.T) {
	for _, c := range []struct {
		name, feed          string
		pages               []string
		in, out, unknown, n int
		problem, logged     string
	}{
		{"two", "", []string{`{"id":"1","way":"in"},{"id":"2","way":"out"}`}, 1, 1, 0, 2, "", ""},
		{"none", "", nil, 0, 0, 0, 1, "", ""},
		{"an empty answer is none", "", []string{"!"}, 0, 0, 0, 1, "no rows where they should be", ""},
		{"pages that shift", "", []string{
			`{"id":"1","way":"in"},{"id":"2","way":"in"}`,
			`{"id":"2","way":"in"},{"id":"3","way":"out"}`,
		}, 2, 1, 0, 3, "", ""},
		{"an end", "", []string{`{"id":"1","way":"in","state":"ended"},{"id":"2","way":"in"}`}, 1, 0, 0, 2, "", ""},
		{
			"legs of a call", "",
			[]string{`{"id":"1","group":"g","way":"in"},{"id":"2","group":"g","way":"out"}`},
			1, 0,
			0, 2, "", "",
		},
		{
			"a leg whose direction isn't known", "",
			[]string{`{"id":"1","group":"g"},{"id":"2","group":"g","way":"out"}`},
			0, 1, 0, 2, "", "",
		},
		{"an unknown direction", "", []string{`{"id":"1","way":"sideways"}`}, 0, 0, 1, 2, "", ""},
		{
			"a row that can't be read", "",
			[]string{`{"way":"in"},{"id":"2","way":"in"}`},
			1, 0, 0, 2, "",
			"page 1, row 1: id is missing",
		},
		{
			"rows without an id", "      id: id\n",
			[]string{`{"way":"in"},{"way":"in"}`, `{"way":"in"}`},
			3, 0, 0, 3, "",
			"",
		},
		{"refused", "", []string{"!400"}, 0, 0, 0, 1, "400", ""},
		{
			"a list for each value", "path: /live}\n",
			[]string{`{"id":"1","way":"in"}`, "", `{"id":"2","way":"in"}`},
			2,
			0, 0, 4, "", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := new(declaredtest.API)
			f.Answer = func(*http.Request) (string, http.Header) {
				page := ""
				if n := len(f.Asked); n <= len(c.pages) {
					page = c.pages[n-1]
				}
				if page == "!" {
					return `{"error":"x"}`, nil
				} else if strings.HasPrefix(page, "!") {
					return page, nil
				}
				return `{"rows":[` + page + `]}`, nil
			}
			text := snapshot
			switch {
			case strings.HasPrefix(c.feed, "      id"):
				text = strings.Replace(text, c.feed, "", 1)
			case c.feed != "":
				text = strings.Replace(text, c.feed, "path: '/{for.a}'}\n    for: {a: [x, y]}\n", 1)
			}
			info := f.OpenText(t, text, "active_calls: {}")
			got, err := info.ActiveCalls(t.Context(), false)
			if c.problem == "" && err != nil || !strings.Contains(fmt.Sprint(err), c.problem) {
				t.Errorf("%v, want %s", err, c.problem)
			}
			if got[cdr.Inbound] != c.in || got[cdr.Outbound] != c.out || got[cdr.DirectionUnknown] != c.unknown ||
				len(f.Asked) != c.n {
				t.Errorf("%v from %q", got, f.Asked)
			}
			if log := f.Log.String(); !strings.Contains(log, c.logged) || c.logged == "" &&
				strings.Contains(log, "WARN") {
				t.Errorf("logged %s", log)
			}
			if rows, err := info.Probe(t.Context()); c.problem == "" && err != nil || rows > 2 {
				t.Errorf("a probe: %d, %v", rows, err)
			}
		})
	}
}

func TestSnapshotProblems(t *testing.T) {
	for _, c := range []struct{ name, was, is, want string }{
		{
			"another field", "      id: id\n", "      id: id\n      trunk: t\n",
			"feeds.active_calls.record.trunk: isn't used for calls in progress",
		},
		{
			"no direction", "      direction: {path: way, table: {in: inbound, out: outbound}}\n", "",
			"record.direction: is missing",
		},
		{"a filter", "    rows:", "    filter: {by: start}\n    rows:", "filter: is for lists of ended calls"},
		{"final", "    rows:", "    final: {a: b}\n    rows:", "final: is for lists of ended calls"},
		{
			"a span", "path: /live", "path: /live, query: {a: '{from|rfc3339}'}",
			"request.query.a: names an end of the span",
		},
		{
			"of files", "http: {base_url: https://api.acmetel.example}", "files: {read: lines, format: jsonl}",
			"snapshot: only works with http",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := declared.Load("d.yaml",
				[]byte(strings.Replace(snapshot, c.was, c.is, 1))); !strings.Contains(fmt.Sprint(err), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}
