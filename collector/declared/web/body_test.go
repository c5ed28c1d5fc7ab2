package web_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

// TestPost: a list that is a POST is read with a body, page by page.
func TestPost(t *testing.T) {
	const span = `"from":"2026-11-23T11:00:00Z"`
	for _, c := range []struct {
		name, body, next string
		more             []string // what the answers have beside their rows
		bodies           []string
		asked            string // the last one
	}{
		{
			"one page", "{from: '{from|rfc3339}', n: 100, on: true, none: null, list: [1, x]}", "",
			[]string{""},
			[]string{`{` + span + `,"list":[1,"x"],"n":100,"none":null,"on":true}`},
			"/calls",
		},
		{"no body", "", "", []string{""}, []string{`{}`}, "/calls"},
		{
			"times in numbers", "{a: '{from|unix}', b: '{to|unix_ms}', c: 'x{from|unix}'}", "",
			[]string{""},
			[]string{`{"a":1795431600,"b":1795435200000,"c":"x1795431600"}`},
			"/calls",
		},
		{
			"a secret", "{auth: {key: 'k {secret}'}}", "",
			[]string{""},
			[]string{`{"auth":{"key":"k cl\"1ent"}}`},
			"/calls",
		},
		{
			"a page in the body", "{paging: {size: 1}}", "    next: {page: paging.number, from: 1, in: body}\n",
			[]string{"", "", "-"},
			[]string{
				`{"paging":{"number":1,"size":1}}`, `{"paging":{"number":2,"size":1}}`,
				`{"paging":{"number":3,"size":1}}`,
			},
			"/calls",
		},
		{
			"an offset in the body", "{}", "    next: {offset: skip, in: body}\n",
			[]string{"", "-"},
			[]string{`{}`, `{"skip":1}`},
			"/calls",
		},
		{
			"a token in the body", "{}", "    next: {token: t, query: a.b, in: body}\n",
			[]string{`,"t":"x"`, ""},
			[]string{`{}`, `{"a":{"b":"x"}}`},
			"/calls",
		},
		{
			"a token in the query", "{a: b}", "    next: {token: t, query: c}\n",
			[]string{`,"t":"x"`, ""},
			[]string{`{"a":"b"}`, `{"a":"b"}`},
			"/calls?c=x",
		},
		{
			"a link", "{a: b}", "    next: {url: n}\n",
			[]string{`,"n":"/more"`, ""},
			[]string{`{"a":"b"}`, `{"a":"b"}`},
			"/more",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &declaredtest.API{Secret: `cl"1ent`}
			f.Answer = func(r *http.Request) (string, http.Header) {
				more := c.more[len(f.Bodies)-1]
				if more == "-" {
					return `{"rows":[]}`, nil
				}
				if got := r.Header.Get("Content-Type"); got != "application/json" {
					t.Errorf("the body is %q", got)
				}
				return `{"rows":` + declaredtest.Rows(len(f.Bodies)) + more + `}`, nil
			}
			body := ""
			if c.body != "" {
				body = ", body: " + c.body
			}
			info := f.Open(t, "", "    request: {path: /calls, method: POST"+body+
				"}\n    filter: {by: start}\n    rows: rows\n"+c.next)
			if _, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon); err != nil || !slices.Equal(f.Bodies, c.bodies) ||
				f.Asked[len(f.Asked)-1] != c.asked {
				t.Errorf("%v, asked %q with %q, want %q with %q", err, f.Asked, f.Bodies, c.asked, c.bodies)
			}
			if strings.Contains(f.Log.String(), "1ent") {
				t.Error("the log has the secret: ", f.Log.String())
			}
		})
	}
}

// TestPostFails: a POST that only reads is repeated, and no error has a secret of its body.
func TestPostFails(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		asked        int
	}{{"busy", "!503", 4}, {"refused", "!400", 1}, {"a part", "!206", 4}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &declaredtest.API{Answer: func(*http.Request) (string, http.Header) {
					return c.answer +
						` {"auth":"cl1ent"}`, nil
				}}
				info := f.Open(t, "", "    request: {path: /calls, method: POST, body: {auth: '{secret}'}}\n  "+
					"  filter: {by: start}\n")
				_, _, err := declaredtest.ReadIDs(t, info, declaredtest.Noon.Add(-time.Hour), declaredtest.Noon)
				what, todo := f.Source.Advise(err)
				if text := fmt.Sprintf("%v %+v %s %s %s", err, err, what, todo, f.Log.String()); err == nil ||
					strings.Contains(text, "cl1ent") {
					t.Errorf("it says %s", text)
				}
				if len(f.Asked) != c.asked {
					t.Errorf("asked %d times, want %d: %v", len(f.Asked), c.asked, err)
				}
				f.Source.Close()
			})
		})
	}
}
