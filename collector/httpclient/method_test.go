package httpclient

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"testing"
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
