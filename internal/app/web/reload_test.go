package web_test

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

func TestReload(t *testing.T) {
	problems := errors.New("config.yaml:7: sources[0].name: must be unique\nconfig.yaml:9: " +
		"sources[1].msgraph: <missing>")
	for name, test := range map[string]struct {
		method  string
		header  map[string]string
		err     error
		code    int
		body    string
		reloads int
	}{
		"post": {method: "POST", code: 200, body: "The configuration was reloaded.\n", reloads: 1},
		"put":  {method: "PUT", code: 200, body: "The configuration was reloaded.\n", reloads: 1},
		"bad file": {
			method: "POST", err: problems, code: 500,
			body: "The configuration was not changed:\n" + problems.Error() + "\n", reloads: 1,
		},
		"get changes nothing": {method: "GET", code: 405, body: "Method not allowed.\n"},
		"same origin": {
			method: "POST", header: map[string]string{"Sec-Fetch-Site": "same-origin"}, code: 200,
			body: "The configuration was reloaded.\n", reloads: 1,
		},
		"own page by origin": {
			method: "POST", header: map[string]string{"Origin": "http://example.com"}, code: 200,
			body: "The configuration was reloaded.\n", reloads: 1,
		},
		"cross-site":            {method: "POST", header: map[string]string{"Sec-Fetch-Site": "cross-site"}, code: 403},
		"same site, other host": {method: "PUT", header: map[string]string{"Sec-Fetch-Site": "same-site"}, code: 403},
		"cross-site by origin": {
			method: "POST", header: map[string]string{"Origin": "https://evil.example"},
			code: 403,
		},
		"null origin": {method: "POST", header: map[string]string{"Origin": "null"}, code: 403},
	} {
		t.Run(name, func(t *testing.T) {
			reloads := 0
			handler := newHandler(t, &stories.Backend{OnReload: func() error { reloads++; return test.err }})
			request := httptest.NewRequestWithContext(t.Context(), test.method, "/-/reload", nil)
			for key, value := range test.header {
				request.Header.Set(key, value)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code != test.code || reloads != test.reloads {
				t.Errorf("got %d and %d reloads, want %d and %d", answer.Code, reloads, test.code, test.reloads)
			}
			if test.body != "" && answer.Body.String() != test.body {
				t.Errorf("got %q, want %q", answer.Body, test.body)
			}
		})
	}
}
