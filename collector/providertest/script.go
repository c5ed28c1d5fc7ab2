package providertest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// Script is a fake provider: it answers requests in the order of its answers, without a network.
type Script struct {
	Answers []Answer // those that are still to come
	Asked   []string // the addresses of the requests
	Headers []http.Header
}

// Answer is an answer of JSON, with status 200 unless it has another.
type Answer struct {
	Status int
	Body   string
}

// Refuse is an error in the form of Microsoft Graph's.
func Refuse(status int, code string) Answer {
	return Answer{status, `{"error":{"code":"` + code + `","message":"","innerError":{"date":"2026-11-20T06:00:00"}}}`}
}

// Response is the answer to a request.
func (a Answer) Response(r *http.Request) *http.Response { return Response(r, a.Status, nil, a.Body) }

// RoundTrip implements http.RoundTripper.
func (s *Script) RoundTrip(r *http.Request) (*http.Response, error) {
	s.Asked, s.Headers = append(s.Asked, r.URL.String()), append(s.Headers, r.Header)
	if len(s.Answers) == 0 {
		return nil, errors.New("nothing more was expected to be asked")
	}
	next := s.Answers[0]
	s.Answers = s.Answers[1:]
	return next.Response(r), nil
}

// Client asks the fake at https://graph.example. quote is what errors repeat of its answers; it may be nil.
func (s *Script) Client(t testing.TB, quote func([]byte) string) *httpclient.Client {
	t.Helper()
	client, err := httpclient.New(httpclient.Settings{BaseURL: "https://graph.example", Transport: s, Quote: quote})
	if err != nil {
		t.Fatal(err)
	}
	return client
}
