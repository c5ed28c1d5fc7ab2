package web_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/declared"
	"github.com/cdr-exporter/cdr-exporter/collector/declared/declaredtest"
)

const refusing = `provider: acmetel
title: AcmeTel
http:
  base_url: https://api.acmetel.example
  request_id: X-Request
  errors:
    code: {path: problems.0.code, match: '^([A-Z]+-[0-9]+)$'}
    name: error
    detail: problems.0.right
    meanings:
      ACM-1: {what: "the key lacks the right {detail|to read}", todo: "add the right {detail|to read}"}
      locked: {what: the key is locked, todo: unlock it}
      "403": {what: AcmeTel refuses, todo: ask AcmeTel}
feeds:
  calls: {request: {path: /calls}, filter: {by: start}, rows: rows, record: {id: id, start: {path: start, time: rfc3339}, outcome: {is: answered}}}
`

// refusals answer with a status and a body.
type refusals struct {
	status int
	body   string
}

func (f refusals) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: f.status, Header: http.Header{"X-Request": {"id-7"}}, Body: io.NopCloser(strings.NewReader(f.body)),
	}, nil
}

// TestErrors: the provider's own reason is shown and explained, and nothing else of its answer.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		name, body string
		status     int
		what, todo string
		hidden     string
	}{
		{
			"a code with a detail", `{"problems":[{"code":"ACM-1","right":"ReadCalls"}]}`, 403,
			"lacks the right ReadCalls (", "add the right ReadCalls", "",
		},
		{"a code without one", `{"problems":[{"code":"ACM-1"}]}`, 403, "lacks the right to read (", "the right to read", ""},
		{"a name", `{"error":"locked","problems":[{"code":"ACM-1"}]}`, 403, "the key is locked", "unlock it", ""},
		{"a status", `{"error":"unheard_of"}`, 403, "AcmeTel refuses (", "ask AcmeTel", ""},
		{"no meaning", `{"error":"odd"}`, 400, "AcmeTel says odd", "check path", ""},
		{"the request's id", `{}`, 403, "id-7", "ask AcmeTel", ""},
		{"a sentence", `{"error":"call +4930901820 now"}`, 403, "AcmeTel refuses (", "ask", "4930901820"},
		{"a number", `{"error":"4930901820"}`, 403, "AcmeTel refuses (", "ask", "4930901820"},
		{"a page", `<html>4930901820</html>`, 403, "AcmeTel refuses (", "ask", "4930901820"},
	} {
		t.Run(c.name, func(t *testing.T) {
			source, err := declaredtest.OpenWith(t.TempDir(), refusing, "calls: ", declaredtest.SourceSettings(refusals{c.status, c.body}))
			if err != nil {
				t.Fatal(err)
			}
			_, _, err = declaredtest.ReadIDs(t, &source.Feeds[0], declaredtest.Noon, declaredtest.Noon.Add(1))
			what, todo := source.Advise(err)
			if !strings.Contains(what, c.what) || !strings.Contains(todo, c.todo) ||
				c.hidden != "" && strings.Contains(what+todo, c.hidden) {
				t.Errorf("%q, %q", what, todo)
			}
		})
	}
	_, err := declared.Load("acmetel.yaml", []byte(strings.Replace(refusing, "todo: unlock it", "todo: ''", 1)))
	if err == nil || !strings.Contains(err.Error(), "locked: needs what") {
		t.Errorf("a meaning without a remedy: %v", err)
	}
}
