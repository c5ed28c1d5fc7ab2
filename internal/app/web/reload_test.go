package web_test

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/tools/storybook/stories"
)

func TestReload(t *testing.T) {
	problems := errors.New("config.yaml:7: sources[0].name: must be unique\nconfig.yaml:9: " +
		"sources[1].msgraph: <missing>")
	const done = "The configuration was reloaded.\n"
	refused := "The configuration was not changed:\n" + problems.Error() + "\n"
	for name, test := range map[string]struct {
		method, header string
		err            error
		code           int
		body           string // if it isn't for browsers
		reloads        int
	}{
		"post":                  {"POST", "", nil, 200, done, 1},
		"put":                   {"PUT", "", nil, 200, done, 1},
		"bad file":              {"POST", "", problems, 500, refused, 1},
		"get changes nothing":   {"GET", "", nil, 405, "Method not allowed.\n", 0},
		"same origin":           {"POST", "Sec-Fetch-Site: same-origin", nil, 200, done, 1},
		"own page by origin":    {"POST", "Origin: http://example.com", nil, 200, done, 1},
		"cross-site":            {"POST", "Sec-Fetch-Site: cross-site", nil, 403, "", 0},
		"same site, other host": {"PUT", "Sec-Fetch-Site: same-site", nil, 403, "", 0},
		"cross-site by origin":  {"POST", "Origin: https://evil.example", nil, 403, "", 0},
		"null origin":           {"POST", "Origin: null", nil, 403, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			reloads := 0
			handler := newHandler(t, &stories.Backend{OnReload: func() error { reloads++; return test.err }})
			request := httptest.NewRequestWithContext(t.Context(), test.method, "/-/reload", nil)
			if key, value, ok := strings.Cut(test.header, ": "); ok {
				request.Header.Set(key, value)
			}
			answer := httptest.NewRecorder()
			handler.ServeHTTP(answer, request)
			if answer.Code != test.code || reloads != test.reloads ||
				test.body != "" && answer.Body.String() != test.body {
				t.Errorf("got %d %q and %d reloads, want %d %q and %d", answer.Code, answer.Body, reloads, test.code,
					test.body, test.reloads)
			}
		})
	}
}
