package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

var errBroken = errors.New("broken")

// TestAnswers: which requests the client repeats, how often, and how the error reads. A POST that may have been
// carried out isn't sent again; one that was refused is.
func TestAnswers(t *testing.T) {
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const onlyOK = ": only 200 is an answer with content"
	ok, page := replies(200, `{"a":1}`), "text/html"
	typed := func(contentType, body string) reply { return replies(200, body, "Content-Type: "+contentType) }
	for _, test := range []struct {
		name, method string
		answers      []reply
		requests     int
		kind         Kind
		text         string // of the error, behind the method
	}{
		{"at once", get, []reply{ok}, 1, "", ""},
		{"500 once", get, []reply{replies(500, ""), ok}, 2, "", ""},
		{"the third repeat", get, []reply{replies(502, ""), replies(503, ""), replies(504, ""), ok}, 4, "", ""},
		{"509, 408, 425", get, []reply{replies(509, ""), replies(408, ""), replies(425, ""), ok}, 4, "", ""},
		{"500 for ever", get, []reply{replies(500, "")}, 4, KindServer, "500 Internal Server Error"},
		{"broken for ever", get, []reply{fails(errBroken)}, 4, KindNetwork, "broken"},
		{"broken once", get, []reply{fails(io.EOF), ok}, 2, "", ""},
		{"400", get, []reply{replies(400, "")}, 1, KindBadRequest, "400 Bad Request"},
		{"404", get, []reply{replies(404, "")}, 1, KindNotFound, "404 Not Found"},
		{"406", get, []reply{replies(406, "")}, 1, KindNotAcceptable, "406 Not Acceptable"},
		{"410", get, []reply{replies(410, "")}, 1, KindGone, "410 Gone"},
		{"418", get, []reply{replies(418, "")}, 1, KindStatus, "418 I'm a teapot"},
		{"501", get, []reply{replies(501, "")}, 1, KindServer, "501 Not Implemented"},
		{"505", get, []reply{replies(505, "")}, 1, KindServer, "505 HTTP Version Not Supported"},
		{"a status that HTTP doesn't have", get, []reply{replies(601, ""), ok}, 2, "", ""},
		{"304", get, []reply{replies(304, "")}, 1, KindRedirect, "304 Not Modified: redirects are not followed"},
		{
			"302 to another host", get,
			[]reply{replies(302, "", "Location: https://evil.example/x?secret")},
			1,
			KindRedirect, `302 Found: redirects are not followed; it goes to "evil.example"`,
		},
		{
			"307 to the same host", get,
			[]reply{replies(307, "", "Location: /y")},
			1,
			KindRedirect, "307 Temporary Redirect: redirects are not followed",
		},
		{
			"307 to the same host by its name", get,
			[]reply{replies(307, "", "Location: https://api.example/y")},
			1,
			KindRedirect, "307 Temporary Redirect: redirects are not followed",
		},
		{"101", get, []reply{replies(101, "")}, 1, KindStatus, "101 Switching Protocols"},
		{"no content", get, []reply{replies(204, "")}, 4, KindBody, "204 No Content" + onlyOK},
		{"a piece", get, []reply{replies(206, `{"a":1}`)}, 4, KindBody, "206 Partial Content" + onlyOK},
		{"not yet", get, []reply{replies(202, `{"a":1}`)}, 4, KindBody, "202 Accepted" + onlyOK},
		{"odd type", get, []reply{typed(";;;", `{"a":1}`)}, 1, "", ""},
		{"text", get, []reply{typed("text/plain", "\r\n\t"+`{"a":1}`)}, 1, "", ""},
		{"byte order mark", get, []reply{replies(200, "\ufeff "+`{"a":1}`)}, 1, "", ""},
		{"JSON as HTML", get, []reply{typed("text/HTML; charset=utf-8", `{"a":1}`)}, 1, "", ""},
		{"HTML by first byte", get, []reply{replies(200, "\n <!doctype html>secret")}, 4, KindBody, gotHTML},
		{"HTML behind a mark", get, []reply{replies(200, "\ufeff<html>")}, 4, KindBody, gotHTML},
		{"empty", get, []reply{replies(200, "")}, 4, KindBody, "got an empty body where JSON was expected"},
		{"blank", get, []reply{replies(200, " \n ")}, 4, KindBody, "got an empty body where JSON was expected"},

		{"POST, a fault", post, []reply{replies(503, ""), ok}, 1, KindServer, "503 Service Unavailable"},
		{"POST, no answer", post, []reply{fails(errBroken), ok}, 1, KindNetwork, "broken"},
		{"POST, HTML", post, []reply{typed(page, "<html>"), ok}, 1, KindBody, gotHTML},
		{"POST, throttled", post, []reply{replies(429, "", "Retry-After: 1"), ok}, 2, "", ""},
		{"POST, an old token", post, []reply{replies(401, ""), ok}, 2, "", ""},
		{"POST, a token without the role", post, []reply{replies(403, ""), ok}, 2, "", ""},
		{"POST, forbidden", post, []reply{replies(403, "")}, 2, KindForbidden, "403 Forbidden"},
		{"PATCH, faults", patch, []reply{replies(500, ""), fails(errBroken), ok}, 3, "", ""},
		{"PATCH, for ever", patch, []reply{replies(500, "")}, 4, KindServer, "500 Internal Server Error"},
		{"PATCH, not found", patch, []reply{replies(404, "")}, 1, KindNotFound, "404 Not Found"},
		{"DELETE, a fault", remove, []reply{replies(502, ""), ok}, 2, "", ""},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			transport, seen, rec := methods(test.answers...)
			request := Request{Method: test.method, URL: "/x", Label: "calls", ExpectJSON: true}
			if test.method != get {
				request.Body = []byte(`{"secret":1}`)
			}
			client := newTest(t, transport, func(s *Settings) { s.Token = &tokens{} })
			var got string
			err := client.Fetch(t.Context(), request, readAll(&got))
			want := test.method + " calls: " + test.text
			if test.requests == 4 {
				want = "asked 4 times: " + want
			}
			if KindOf(err) != test.kind || err != nil && err.Error() != want || err == nil && got != `{"a":1}` {
				t.Errorf("got %q, error %v (kind %s), want %s (kind %s)", got, err, KindOf(err), want, test.kind)
			}
			for _, one := range *seen {
				if one.method != test.method || one.body != string(request.Body) {
					t.Errorf("sent %+v", one)
				}
			}
			if now := test.answers[0].status; now == 401 || now == 403 { // repeated at once
				if len(*seen) != test.requests {
					t.Errorf("%d requests, want %d", len(*seen), test.requests)
				}
				return
			}
			checkSteps(t, rec.times(), test.requests)
		})
	}
}

const gotHTML = "got HTML where JSON was expected"

// checkSteps checks the number of requests: the first retry comes within a second, each further one
// after about twice the time.
func checkSteps(t *testing.T, at []time.Duration, requests int) {
	t.Helper()
	if len(at) != requests {
		t.Fatalf("%d requests, want %d", len(at), requests)
	}
	middle := 800 * time.Millisecond
	for i := 1; i < len(at); i++ {
		if gap := at[i] - at[i-1]; gap < middle*3/4 || gap > middle*5/4 {
			t.Errorf("repeat %d came after %v, want %v to %v", i, gap, middle*3/4, middle*5/4)
		}
		middle *= 2
	}
}

// TestFetchCallback: the client repeats a GET whose answer the caller can't read. It doesn't repeat a POST.
func TestFetchCallback(t *testing.T) {
	again := Retryable(errBroken)
	for _, test := range []struct {
		name, method string
		errs         []error // of each call; then nil
		requests     int
		want         error
		again        bool
	}{
		{"no error", "", nil, 1, nil, false},
		{"permanent", "", []error{errBroken}, 1, errBroken, false},
		{"may pass, once", "", []error{again}, 2, nil, false},
		{"may pass, wrapped", "", []error{errors.Join(again)}, 2, nil, false},
		{"may pass, for ever", "", slices.Repeat([]error{again}, 4), 4, errBroken, true},
		{"may pass, then permanent", "", []error{Retryable(io.ErrNoProgress), errBroken}, 2, errBroken, false},
		{
			"a fault of another request isn't this one's", "",
			[]error{&Error{Kind: KindNetwork, cause: errBroken}},
			1,
			errBroken, true,
		},
		{
			"another request is throttled, and this one's limit isn't", "",
			slices.Repeat([]error{Retryable(&Error{Kind: KindThrottled, cause: errBroken})}, 4),
			4,
			errBroken, true,
		},
		{"of a PATCH", http.MethodPatch, []error{again}, 2, nil, false},
		{"of a POST", http.MethodPost, []error{again}, 1, errBroken, true},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			transport, rec := script(replies(200, "page"))
			calls := 0
			request := Request{Method: test.method, URL: "/x"}
			err := newTest(t, transport, nil).Fetch(t.Context(), request, func([]byte) error {
				if calls++; calls <= len(test.errs) {
					return test.errs[calls-1]
				}
				return nil
			})
			if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || IsRetryable(err) != test.again {
				t.Errorf("error %v, retryable %v; want %v, %v", err, IsRetryable(err), test.want, test.again)
			}
			checkSteps(t, rec.times(), test.requests)
		})
	}
}

func TestFetchHostNeverAsked(t *testing.T) {
	transport, rec := script(replies(200, ""))
	source := &tokens{}
	client := newTest(t, transport, func(s *Settings) { s.Token = source })
	err := client.Fetch(t.Context(), Request{URL: "https://evil.example/x?secret", Label: "calls"}, nil)
	want := `GET calls: refused: the link goes to "evil.example"; only https://api.example is asked`
	if KindOf(err) != KindHost || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if len(rec.times()) != 0 || source.made != 0 {
		t.Errorf("%d requests, %d tokens", len(rec.times()), source.made)
	}
}

func TestCallerEnds(t *testing.T) {
	cause := errors.New("shutting down")
	for _, test := range []struct {
		name string
		run  func(context.Context, *Client) error
	}{
		{"before headers", func(ctx context.Context, c *Client) error {
			_, err := c.Get(ctx, Request{URL: "/hang"})
			return err
		}},
		{"in the body", func(ctx context.Context, c *Client) error {
			return c.Fetch(ctx, Request{URL: "/body"}, readAll(new(string)))
		}},
		{"between repeats", func(ctx context.Context, c *Client) error {
			return c.Fetch(ctx, Request{URL: "/status/500"}, nil)
		}},
		{"while a token is requested", func(ctx context.Context, c *Client) error {
			c.settings.Token = &countedTokens{hang: true}
			return c.Fetch(ctx, Request{URL: "/x"}, nil)
		}},
		{"while throttled", func(ctx context.Context, c *Client) error {
			return c.Fetch(ctx, Request{URL: "/status/429"}, nil)
		}},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			client := newTest(t, fakeTransport(hanging), nil)
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
			started := time.Now()
			err := test.run(ctx, client)
			if !errors.Is(err, cause) || IsRetryable(err) || KindOf(err) != "" {
				t.Errorf("error %v (kind %q), want the cause alone", err, KindOf(err))
			}
			if time.Since(started) != 100*time.Millisecond {
				t.Errorf("after %v", time.Since(started))
			}
		})
	}
}

// hanging never finishes, or answers the status in the path.
func hanging(r *http.Request) (*http.Response, error) {
	switch r.URL.Path {
	case "/hang":
		<-r.Context().Done()
		return nil, r.Context().Err()
	case "/body":
		resp := answer(200, "")
		resp.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
			<-r.Context().Done()
			return 0, r.Context().Err()
		}))
		return resp, nil
	case "/status/500":
		return answer(500, ""), nil
	}
	return answer(429, "", "Retry-After: 60"), nil
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestHeadersInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &observed{}
		client := newTest(t, fakeTransport(hanging), func(s *Settings) { s.Observer = seen })
		started := time.Now()
		_, err := client.Get(t.Context(), Request{Feed: "pstn", URL: "/hang"})
		if want := "GET https://api.example/hang: no answer within 1m0s"; err == nil || err.Error() != want ||
			KindOf(err) != KindNetwork {
			t.Errorf("error %v, want %s", err, want)
		}
		if time.Since(started) != time.Minute || errors.Is(err, context.Canceled) {
			t.Errorf("error %v after %v", err, time.Since(started))
		}
		if got := strings.Join(seen.codes, ","); got != "pstn error" {
			t.Errorf("observed %s", got)
		}
	})
}

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
	const get, post, patch, remove = http.MethodGet, http.MethodPost, http.MethodPatch, http.MethodDelete
	const json = "application/json"
	one, none := []byte(`{"a":1}`), []byte{}
	asked, wanting := Request{Method: post, Body: one, ExpectJSON: true}, Request{Method: remove, ExpectJSON: true}
	for name, test := range map[string]struct {
		request Request
		status  int
		want    sentRequest
	}{
		"GET":                    {Request{ExpectJSON: true}, 200, sentRequest{method: get, accept: json}},
		"POST":                   {asked, 201, sentRequest{post, `{"a":1}`, json, json, 7}},
		"PATCH":                  {Request{Method: patch, Body: one}, 200, sentRequest{patch, `{"a":1}`, json, "", 7}},
		"DELETE":                 {Request{Method: remove}, 204, sentRequest{method: remove}},
		"DELETE that wants JSON": {wanting, 204, sentRequest{method: remove, accept: json}},
		"an empty body":          {Request{Method: post, Body: none}, 200, sentRequest{post, "", json, "", 0}},
	} {
		t.Run(name, func(t *testing.T) {
			transport, seen, _ := methods(replies(test.status, map[int]string{200: "{}", 201: "{}"}[test.status]))
			test.request.URL = "/x"
			var got string
			require.NoError(t, newTest(t, transport, nil).Fetch(t.Context(), test.request, readAll(&got)))
			if !slices.Equal(*seen, []sentRequest{test.want}) {
				t.Errorf("sent %+v, want %+v", *seen, test.want)
			}
		})
	}
}
