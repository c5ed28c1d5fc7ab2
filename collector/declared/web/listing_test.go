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
	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestPaths: of several paths the one that the provider has is used and remembered, until the
// provider has another one.
func TestPaths(t *testing.T) {
	f, has := new(declaredtest.API), "/old"
	f.Answer = func(r *http.Request) (string, http.Header) {
		if r.URL.Path != has {
			return "!404", nil
		}
		return declaredtest.Rows(1), nil
	}
	info := f.Open(t, "", "    request: {path: [/new, /old]}\n    filter: {by: start}\n")
	for _, c := range []struct {
		has, asked string
	}{{"/old", "/new /old"}, {"/old", "/old"}, {"/new", "/old /new"}, {"/new", "/new"}, {"/none", "/new /old"}} {
		f.Asked, has = nil, c.has
		got, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
		if (err == nil) != (c.has != "/none") || strings.Join(f.Asked, " ") != c.asked {
			t.Errorf("%s: %s, %v; asked %v, want %s", c.has, got, err, f.Asked, c.asked)
		}
	}
}

const choice = `
provider: acmetel
parameters:
  key: {secret: true}
  auth: {default: bearer, values: [bearer, query]}
http:
  base_url: https://api.acmetel.example
  auth:
    - {when: {parameter.auth: query}, query: {appid: "{key}"}}
    - {bearer: "{key}"}
feeds:
  calls:
    request: {path: /calls, query: {a: b}}
    filter: {by: start}
    record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}
`

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
		info := f.OpenText(t, choice, c.block+", calls: ")
		_, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
		if err != nil || header != c.header || !slices.Equal(f.Asked, []string{c.query}) {
			t.Errorf("%s: %v; %q with %q, want %s with %q", c.block, err, f.Asked, header, c.query, c.header)
		}
	}
	for _, c := range []struct{ old, replacement, want string }{
		{"when: {parameter.auth: query}, ", "", "http.auth[0]: has no when"},
		{"parameter.auth", "auth", "http.auth[0].when: must compare the source's parameters"},
		{"parameter.auth", "parameter.way", "http.auth[0].when: names the parameter way"},
		{`bearer: "{key}"`, "oauth2: {token_url: /t}", "http.auth[1].oauth2: can't be one of several"},
	} {
		text := strings.Replace(choice, c.old, c.replacement, 1)
		if _, err := declared.Load("d.yaml", []byte(text)); !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

// TestSteps: each day is a separate list, with a separate total, and so is the day on either side. A
// list that fails delays the others only once.
func TestSteps(t *testing.T) {
	f, bad := new(declaredtest.API), ""
	f.Answer = func(r *http.Request) (string, http.Header) {
		switch r.URL.Query().Get("day") {
		case bad:
			return "!403", nil
		case "2026-11-23":
			return `{"rows":` + declaredtest.Rows(1) + `,"total":1}`, nil
		}
		return `{"rows":[],"total":0}`, nil
	}
	info := f.Open(t, "", "    request: {path: /calls, query: {day: '{from|2006-01-02}'}}\n    rows: rows\n"+
		"    total: total\n    filter: {by: start, grain: 24h, step: 24h, margin: 24h}\n")
	days := func() string { return strings.ReplaceAll(strings.Join(f.Asked, " "), "/calls?day=2026-11-", "") }
	got, totals, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
	if got != "1" || err != nil || days() != "22 23 24" || len(totals) != 3 || totals[1].Ours != 1 ||
		totals[1].Theirs != 1 {
		t.Errorf("%s, %v of %s, %+v", got, err, days(), totals)
	}
	for i, want := range []string{"22", "23 24 22"} {
		f.Asked, bad = nil, "2026-11-22"
		if got, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon); err == nil || days() != want ||
			got != []string{"", "1"}[i] {
			t.Errorf("%q, %v of %s, want %s", got, err, days(), want)
		}
	}
}

// TestRefused: if an answer says that the request failed, the request is repeated, whatever the status
// is. A stream may say so in the middle.
func TestRefused(t *testing.T) {
	good := strings.Trim(declaredtest.Rows(1), "[]") + "\n"
	for _, c := range []struct{ name, feed, bad, good string }{
		{"JSON", "rows: rows", `{"rows":[],"success":false}`, `{"rows":` + declaredtest.Rows(1) + `}`},
		{"without rows", "rows: rows", `{"success":false}`, `{"rows":` + declaredtest.Rows(1) + `}`},
		{"lines", "format: jsonl", good + `{"success":false}` + "\n", good},
		{"CSV", "format: csv", `{"success":false}`, "id,start\n1,2026-11-23T11:59:59Z\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := new(declaredtest.API)
				f.Answer = func(*http.Request) (string, http.Header) {
					if len(f.Asked) == 1 {
						return c.bad, nil
					}
					return c.good, nil
				}
				info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    "+c.feed+
					"\n    refused: {success: 'false'}\n")
				if got, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon); got != "1" || err != nil || len(f.Asked) != 2 {
					t.Errorf("%s, %v after %d requests", got, err, len(f.Asked))
				}
				f.Source.Close()
			})
		})
	}
}

// TestEmpty: an answer without rows is a list without rows only if the definition says by what.
func TestEmpty(t *testing.T) {
	for _, c := range []struct{ name, more, answer, ids, problem string }{
		{"it says so", "", `{"status":"none"}`, "", ""},
		{"with null", "", `{"status":"none","rows":null}`, "", ""},
		{"rows are read", "", `{"status":"none","rows":` + declaredtest.Rows(1) + `}`, "1", ""},
		{"another status", "", `{"status":"failed"}`, "", "no rows where they should be"},
		{"refused", "    refused: {status: none}\n", `{"status":"none"}`, "", "the request failed"},
		{"a total says otherwise", "    total: total\n", `{"status":"none","total":2}`, "", "0 rows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) { return c.answer, nil }}
				info := f.Open(t, "", "    request: {path: /calls}\n    filter: {by: start}\n    rows: rows\n"+
					"    empty: {status: none}\n"+c.more)
				got, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
				if got != c.ids || (err == nil) != (c.problem == "") || !strings.Contains(fmt.Sprint(err), c.problem) {
					t.Errorf("%q, %v; want %q, %s", got, err, c.ids, c.problem)
				}
				f.Source.Close()
			})
		})
	}
	for key, text := range map[string]string{
		"empty: is a condition on a page of JSON": strings.Replace(exports, "    rows: rows\n    total: total\n",
			"    format: csv\n    empty: {status: none}\n", 1),
		"names the parameter x": strings.Replace(exports, "    rows: rows\n", "    rows: rows\n    empty: {status: '{x}'}\n", 1),
	} {
		if _, err := declared.Load("d.yaml", []byte(text)); !strings.Contains(fmt.Sprint(err), key) {
			t.Errorf("got %v, want %s", err, key)
		}
	}
}

const exports = `
provider: acmetel
parameters:
  format: {default: json, values: [json, stream, csv]}
http: {base_url: "https://api.acmetel.example"}
feeds:
  calls:
    request: {path: /calls, query: {size: "100"}}
    exports:
      stream: {path: /calls.jsonl, format: jsonl, headers: {Accept: application/x-ndjson}}
      csv: {path: [/none, /calls.csv], format: csv, headers: {Accept: text/csv}}
    filter: {by: start}
    rows: rows
    total: total
    total_query: {size: "1"}
    complete: total
    next: {page: p, from: 1}
    record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}
`

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
	} {
		f, accept := new(declaredtest.API), ""
		f.Answer = func(r *http.Request) (string, http.Header) {
			switch {
			case r.URL.Path == "/none":
				return "!404", nil
			case r.URL.Path == "/calls":
				return fmt.Sprintf(`{"rows":%s,"total":%d}`, declaredtest.Rows(1), c.total), nil
			case r.URL.Query().Get("p") != "1":
				return "", nil
			}
			accept = r.Header.Get("Accept")
			return c.answer, nil
		}
		info := f.OpenText(t, exports, "format: "+c.format+", calls: ")
		got, _, err := declaredtest.ReadText(t, info, declaredtest.Noon.Add(-time.Minute), declaredtest.Noon)
		if got != "1" || (err == nil) != (c.problem == "") || !strings.Contains(fmt.Sprint(err), c.problem) ||
			accept != c.accept || !slices.Equal(f.Asked, c.asked) {
			t.Errorf("%s: %s, %v; asked %q with %q, want %q with %q", c.format, got, err, f.Asked, accept, c.asked,
				c.accept)
		}
		if c.problem != "" && !collector.IsFewerRows(err) {
			t.Errorf("%v isn't about missing rows", err)
		}
	}
	for _, c := range []struct{ old, replacement, want string }{
		{"values: [json, stream, csv]", "values: [json, csv]", "exports.stream: isn't one of the values"},
		{"format: jsonl", "format: xml", "exports.stream.format: must be"},
		{"path: /calls.jsonl, ", "", "exports.stream.path: is missing"},
		{"path: /calls.jsonl, ", "path: '/{kay}', ", "exports.stream.path: names the parameter kay"},
		{`total_query: {size: "1"}`, `total_query: {size: "{kay}"}`, "total_query.size: names the parameter kay"},
		{"    next: {page: p, from: 1}\n", "", "feeds.calls.exports: need a feed of JSON with total"},
	} {
		text := strings.Replace(exports, c.old, c.replacement, 1)
		if _, err := declared.Load("d.yaml", []byte(text)); !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}
