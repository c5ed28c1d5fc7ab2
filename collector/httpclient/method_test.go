package httpclient

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// sentRequest is what a transport saw of a request.
type sentRequest struct {
	method, body, contentType, accept string
	length                            int64
}

// methods notes requests with their bodies and answers with a script.
func methods(answers ...reply) (fakeTransport, *[]sentRequest, *recorder) {
	inner, rec := script(answers...)
	var seen []sentRequest
	return func(r *http.Request) (*http.Response, error) {
		one := sentRequest{
			method: r.Method, contentType: r.Header.Get("Content-Type"), accept: r.Header.Get("Accept"),
			length: r.ContentLength,
		}
		if r.Body != nil {
			content, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			one.body = string(content)
			again, err := r.GetBody() // as http.Transport does where the connection was closed meanwhile
			if err != nil {
				return nil, err
			}
			if second, err := io.ReadAll(again); err != nil || string(second) != one.body {
				return nil, errors.New("the body isn't the same again")
			}
		}
		seen = append(seen, one)
		return inner(r)
	}, &seen, rec
}

func TestRequestMethods(t *testing.T) {
	for _, test := range []struct {
		name    string
		request Request
		answer  reply
		want    sentRequest
	}{
		{"GET", Request{ExpectJSON: true}, replies(200, "{}"), sentRequest{method: "GET", accept: "application/json"}},
		{
			"POST",
			Request{Method: http.MethodPost, Body: []byte(`{"a":1}`), ExpectJSON: true},
			replies(201, "{}"),
			sentRequest{"POST", `{"a":1}`, "application/json", "application/json", 7},
		},
		{
			"PATCH",
			Request{Method: http.MethodPatch, Body: []byte(`{}`)},
			replies(200, ""),
			sentRequest{"PATCH", "{}", "application/json", "", 2},
		},
		{"DELETE", Request{Method: http.MethodDelete}, replies(204, ""), sentRequest{method: "DELETE"}},
		{
			"DELETE that wants JSON",
			Request{Method: http.MethodDelete, ExpectJSON: true},
			replies(204, ""),
			sentRequest{method: "DELETE", accept: "application/json"},
		},
		{
			"an empty body",
			Request{Method: http.MethodPost, Body: []byte{}},
			replies(200, ""),
			sentRequest{"POST", "", "application/json", "", 0},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			transport, seen, _ := methods(test.answer)
			test.request.URL = "/x"
			var got string
			if err := newTest(t, transport, nil).Fetch(t.Context(), test.request, readAll(&got)); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(*seen, []sentRequest{test.want}) {
				t.Errorf("sent %+v, want %+v", *seen, test.want)
			}
		})
	}
}

// A POST that may have been carried out isn't sent again; one that was refused is, and
// what can be repeated is, each time with its body.
func TestMethodsAreRepeated(t *testing.T) {
	ok := replies(200, "{}")
	for _, test := range []struct {
		name     string
		method   string
		answers  []reply
		requests int
		text     string
	}{
		{
			"POST, a fault", http.MethodPost,
			[]reply{replies(503, ""), ok},
			1,
			"POST subscriptions: 503 Service Unavailable",
		},
		{"POST, no answer", http.MethodPost, []reply{fails(errBroken), ok}, 1, "POST subscriptions: broken"},
		{
			"POST, HTML", http.MethodPost,
			[]reply{replies(200, "<html>", "Content-Type: text/html"), ok},
			1,
			"POST subscriptions: got HTML where JSON was expected",
		},
		{"POST, throttled", http.MethodPost, []reply{replies(429, "", "Retry-After: 7"), ok}, 2, ""},
		{"POST, an old token", http.MethodPost, []reply{replies(401, ""), ok}, 2, ""},
		{"POST, a token without the role", http.MethodPost, []reply{replies(403, ""), ok}, 2, ""},
		{"POST, forbidden", http.MethodPost, []reply{replies(403, "")}, 2, "POST subscriptions: 403 Forbidden"},
		{"PATCH, faults", http.MethodPatch, []reply{replies(500, ""), fails(errBroken), ok}, 3, ""},
		{"PATCH, for ever", http.MethodPatch, []reply{replies(500, "")}, 4, "asked 4 times: PATCH subscriptions: 500"},
		{"DELETE, a fault", http.MethodDelete, []reply{replies(502, ""), ok}, 2, ""},
		{"PATCH, not found", http.MethodPatch, []reply{replies(404, "")}, 1, "PATCH subscriptions: 404 Not Found"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport, seen, rec := methods(test.answers...)
				client := newTest(t, transport, func(s *Settings) { s.Token = &tokens{} })
				var got string
				err := client.Fetch(t.Context(), Request{
					Method: test.method, URL: "/x", Label: "subscriptions", Body: []byte(`{"secret":1}`),
					ExpectJSON: true,
				}, readAll(&got))
				switch {
				case test.text == "" && (err != nil || got != "{}"):
					t.Errorf("%v, %q", err, got)
				case test.text != "" && (err == nil || !strings.HasPrefix(err.Error(), test.text) ||
					strings.Contains(err.Error(), "secret")):
					t.Errorf("the error is %v, want %q", err, test.text)
				}
				if len(*seen) != test.requests || len(rec.times()) != test.requests {
					t.Errorf("%d requests, want %d", len(*seen), test.requests)
				}
				for _, one := range *seen {
					if one.method != test.method || one.body != `{"secret":1}` {
						t.Errorf("sent %+v", one)
					}
				}
			})
		})
	}
}

// An answer of a POST that the caller can't read isn't asked for again either.
func TestPostWhoseAnswerCantBeRead(t *testing.T) {
	for _, method := range []string{http.MethodPost, http.MethodPatch} {
		synctest.Test(t, func(t *testing.T) {
			transport, seen, _ := methods(replies(201, "{}"))
			err := newTest(t, transport, nil).Fetch(t.Context(), Request{Method: method, URL: "/x"},
				func([]byte) error {
					return Retryable(errBroken)
				})
			want := 4
			if method == http.MethodPost {
				want = 1
			}
			if !errors.Is(err, errBroken) || len(*seen) != want {
				t.Errorf("%s: %v after %d requests, want %d", method, err, len(*seen), want)
			}
		})
	}
}
