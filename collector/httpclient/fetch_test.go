package httpclient

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

var errBroken = errors.New("broken")

func TestFetchRepeats(t *testing.T) {
	ok := replies(200, "page")
	for _, test := range []struct {
		name     string
		answers  []reply
		requests int
		kind     Kind
		text     string
	}{
		{"at once", []reply{ok}, 1, "", ""},
		{"500 once", []reply{replies(500, ""), ok}, 2, "", ""},
		{"the third repeat succeeds", []reply{replies(502, ""), replies(503, ""), replies(504, ""), ok}, 4, "", ""},
		{"509 and 408 and 425", []reply{replies(509, ""), replies(408, ""), replies(425, ""), ok}, 4, "", ""},
		{
			"500 for ever",
			[]reply{replies(500, "")},
			4, KindServer,
			"asked 4 times: GET calls: 500 Internal Server Error",
		},
		{"network for ever", []reply{fails(errBroken)}, 4, KindNetwork, "asked 4 times: GET calls: broken"},
		{"network once", []reply{fails(io.EOF), ok}, 2, "", ""},
		{"400", []reply{replies(400, "")}, 1, KindBadRequest, "GET calls: 400 Bad Request"},
		{"404", []reply{replies(404, "")}, 1, KindNotFound, "GET calls: 404 Not Found"},
		{"406", []reply{replies(406, "")}, 1, KindNotAcceptable, "GET calls: 406 Not Acceptable"},
		{"410", []reply{replies(410, "")}, 1, KindGone, "GET calls: 410 Gone"},
		{"418", []reply{replies(418, "")}, 1, KindStatus, "GET calls: 418 I'm a teapot"},
		{"501", []reply{replies(501, "")}, 1, KindServer, "GET calls: 501 Not Implemented"},
		{"304", []reply{replies(304, "")}, 1, KindRedirect, "GET calls: 304 Not Modified: redirects are not followed"},
		{
			"302 to another host",
			[]reply{replies(302, "", "Location: https://evil.example/x?secret")},
			1, KindRedirect, `GET calls: 302 Found: redirects are not followed; it goes to "evil.example"`,
		},
		{
			"307 to the same host",
			[]reply{replies(307, "", "Location: /y")},
			1, KindRedirect,
			"GET calls: 307 Temporary Redirect: redirects are not followed",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport, rec := script(test.answers...)
				var got string
				err := newTest(t, transport, nil).Fetch(t.Context(), Request{URL: "/x", Label: "calls"}, readAll(&got))
				if KindOf(err) != test.kind || err != nil && err.Error() != test.text {
					t.Errorf("error %v (kind %s), want %s (kind %s)", err, KindOf(err), test.text, test.kind)
				}
				if err == nil && got != "page" {
					t.Errorf("got %q", got)
				}
				checkSteps(t, rec.times(), test.requests)
			})
		})
	}
}

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

// Guarantee 7: the first retry within 1 s, doubling to 60 s, back to 1 s after a success.
func TestNewBackOff(t *testing.T) {
	steps := NewBackOff()
	for i := range 20 {
		middle := min(800*time.Millisecond<<i, 48*time.Second)
		if got := steps.NextBackOff(); got < middle*3/4 || got > middle*5/4 || i == 0 && got > time.Second ||
			got > time.Minute {
			t.Errorf("step %d is %v", i, got)
		}
	}
	steps.Reset()
	if got := steps.NextBackOff(); got > time.Second {
		t.Errorf("after a success the step is %v", got)
	}
}

func TestFetchCallback(t *testing.T) {
	for _, test := range []struct {
		name     string
		errs     []error // of each call; then nil
		requests int
		want     error
		again    bool
	}{
		{"no error", nil, 1, nil, false},
		{"permanent", []error{errBroken}, 1, errBroken, false},
		{"may pass, once", []error{Retryable(errBroken)}, 2, nil, false},
		{"may pass, wrapped", []error{errors.Join(Retryable(errBroken))}, 2, nil, false},
		{"may pass, for ever", []error{
			Retryable(errBroken), Retryable(errBroken), Retryable(errBroken),
			Retryable(errBroken),
		}, 4, errBroken, true},
		{"may pass, then permanent", []error{Retryable(io.ErrNoProgress), errBroken}, 2, errBroken, false},
		{
			"a fault of another request isn't this one's",
			[]error{&Error{Kind: KindNetwork, cause: errBroken}},
			1,
			errBroken, true,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				transport, rec := script(replies(200, "page"))
				calls := 0
				err := newTest(t, transport, nil).Fetch(t.Context(), Request{URL: "/x"}, func([]byte) error {
					calls++
					if calls <= len(test.errs) {
						return test.errs[calls-1]
					}
					return nil
				})
				if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) || IsRetryable(err) != test.again {
					t.Errorf("error %v, retryable %v; want %v, %v", err, IsRetryable(err), test.want, test.again)
				}
				if calls != test.requests {
					t.Errorf("%d calls, want %d", calls, test.requests)
				}
				checkSteps(t, rec.times(), test.requests)
			})
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
		{"while throttled", func(ctx context.Context, c *Client) error {
			return c.Fetch(ctx, Request{URL: "/status/429"}, nil)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
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
