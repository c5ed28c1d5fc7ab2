package httpclient

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// noted is a transport that notes who asked, and answers as it is told.
type noted struct {
	mu  sync.Mutex
	who []string
	do  func(n int, r *http.Request) (*http.Response, error)
}

func (s *noted) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	n := len(s.who)
	s.who = append(s.who, r.URL.Path)
	s.mu.Unlock()
	return s.do(n, r)
}

func (s *noted) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.who)
}

// get asks for a path and closes the answer.
func get(ctx context.Context, client *Client, path string) error {
	_, err := client.Get(ctx, Request{Feed: path, URL: path})
	return err
}

// slow answers after d.
func slow(d time.Duration) func(int, *http.Request) (*http.Response, error) {
	return func(_ int, r *http.Request) (*http.Response, error) {
		if err := pauseFor(r.Context(), d); err != nil {
			return nil, err
		}
		return answer(200, "page"), nil
	}
}

// inOrder starts requests one after the other and waits until the last is in line or sent.
func inOrder(requests *sync.WaitGroup, all ...func()) {
	for _, ask := range all {
		requests.Go(ask)
		synctest.Wait()
	}
}

// A request repeated with a new token counts twice.
func TestLimitCounts401(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &noted{do: func(n int, _ *http.Request) (*http.Response, error) {
			if n > 0 {
				return answer(200, "page"), nil
			}
			return answer(401, ""), nil
		}}
		client := windowed(t, server, func(s *Settings) { s.Token = &tokens{} })
		if err := get(t.Context(), client, "/a"); err != nil {
			t.Error(err)
		}
		if b := client.Budget(); b.Remaining != 8 || len(server.asked()) != 2 {
			t.Errorf("%d remain after %d requests, want 8", b.Remaining, len(server.asked()))
		}
	})
}

// However a request ends, the next is sent.
func TestQueueGoesOn(t *testing.T) {
	canceled := func(ctx context.Context) context.Context {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		return ctx
	}
	for _, test := range []struct {
		name      string
		do        func(n int, r *http.Request) (*http.Response, error)
		token     error
		ctx       func(context.Context) context.Context
		remaining int // after the first
	}{
		{"refused", func(int, *http.Request) (*http.Response, error) { return answer(500, ""), nil }, nil, nil, 9},
		{"no answer", func(int, *http.Request) (*http.Response, error) { return nil, errors.New("cut") }, nil, nil, 9},
		{"a panic of the transport", func(int, *http.Request) (*http.Response, error) { panic("ouch") }, nil, nil, 9},
		{"HTML", func(int, *http.Request) (*http.Response, error) { return answer(200, "<html>"), nil }, nil, nil, 9},
		{"a body that panics", func(int, *http.Request) (*http.Response, error) {
			resp := answer(200, "")
			resp.Body = panicBody{}
			return resp, nil
		}, nil, nil, 9},
		{"no token", slow(0), errors.New("no token"), nil, 9},
		{"ended before", slow(0), nil, canceled, 10},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			server := &noted{do: test.do}
			source := &tokens{err: test.token}
			client := windowed(t, server, func(s *Settings) { s.Token = source })
			ctx := t.Context()
			if test.ctx != nil {
				ctx = test.ctx(ctx)
			}
			if err := getJSON(ctx, client); err == nil {
				t.Error("no error")
			}
			if b := client.Budget(); b.Remaining != test.remaining {
				t.Errorf("%d remain, want %d", b.Remaining, test.remaining)
			}
			if until := client.ThrottledUntil(); !until.IsZero() {
				t.Errorf("all requests wait until %v", until)
			}
			server.do, source.err = slow(0), nil
			if err := get(t.Context(), client, "/next"); err != nil {
				t.Errorf("the next: %v", err)
			}
		})
	}
}

// getJSON asks and makes a panic an error.
func getJSON(ctx context.Context, client *Client) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("panic")
		}
	}()
	_, err = client.Get(ctx, Request{URL: "/first", ExpectJSON: true})
	return err
}

type panicBody struct{}

func (panicBody) Read([]byte) (int, error) { panic("ouch") }
func (panicBody) Close() error             { return nil }

// A request that stops waiting leaves the queue; those behind it go on.
func TestQueueIsLeft(t *testing.T) {
	for _, test := range []struct {
		name string
		// perMinute is the limit: 1 makes the first of those who wait wait for room.
		limit int
		want  []string
	}{
		{"behind another's request", 10, []string{"/a", "/c"}},
		{"while it waits for room", 1, []string{"/a", "/c"}},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			server := &noted{do: slow(5 * time.Second)}
			client := windowed(t, server, func(s *Settings) { s.Limit.Requests = test.limit })
			ctx, cancel := context.WithCancel(t.Context())
			var requests sync.WaitGroup
			ask := func(ctx context.Context, path string, want error) func() {
				return func() {
					if err := get(ctx, client, path); !errors.Is(err, want) {
						t.Errorf("%s: %v, want %v", path, err, want)
					}
				}
			}
			inOrder(&requests, ask(t.Context(), "/a", nil), ask(ctx, "/b", context.Canceled),
				ask(t.Context(), "/c", nil))
			if test.limit == 1 {
				bubbleSleep(t, 20*time.Second)
			}
			cancel()
			requests.Wait()
			if got := server.asked(); !slices.Equal(got, test.want) {
				t.Errorf("asked %v, want %v", got, test.want)
			}
		})
	}
}

// The time counts as throttled for which the limit stops the request that is next, and not that
// behind it or during a request.
func TestTimeInQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const way, after = 5 * time.Second, time.Minute + windowMargin
		seen := &observed{}
		client := windowed(t, &noted{do: slow(way)}, func(s *Settings) { s.Limit.Requests, s.Observer = 1, seen })
		ask := func(path string) func() {
			return func() {
				if err := get(t.Context(), client, path); err != nil {
					t.Error(err)
				}
			}
		}
		var requests sync.WaitGroup
		inOrder(&requests, ask("/first"), ask("/a"), ask("/b"))
		bubbleSleep(t, way+31*time.Second)
		seen.mu.Lock()
		if got := seen.throttled["/a"]; got != 30*time.Second {
			t.Errorf("after 31 s without room %v were reported", got)
		}
		seen.mu.Unlock()
		requests.Wait()
		for feed, want := range map[string]time.Duration{"/first": 0, "/a": after, "/b": after} {
			if got := seen.throttled[feed]; got != want {
				t.Errorf("%s was throttled for %v, want %v", feed, got, want)
			}
		}
	})
}

// That a deadline can't be met is said at once, whether by the provider's limit or by our own.
func TestLimitAndDeadline(t *testing.T) {
	for what, settings := range map[string]Settings{
		"provider's limit": {Limit: Limit{Requests: 1, Per: time.Minute, Group: "heavy"}},
		"request budget":   {RequestsPerMinute: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			server := &noted{do: slow(0)}
			client := newTest(t, server, func(s *Settings) {
				s.Limit, s.RequestsPerMinute = settings.Limit, settings.RequestsPerMinute
			})
			require.NoError(t, get(t.Context(), client, "/a"))
			began := time.Now()
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			err := client.Fetch(ctx, Request{URL: "/b", Label: "calls"}, nil)
			want := "GET calls: the " + what + " has no room before the deadline: context deadline exceeded"
			if err == nil || err.Error() != want || !errors.Is(err, context.DeadlineExceeded) || IsRetryable(err) {
				t.Errorf("error %v, want %s", err, want)
			}
			if len(server.asked()) != 1 || time.Since(began) != 0 {
				t.Errorf("%d requests after %v, want 1 at once", len(server.asked()), time.Since(began))
			}
			ctx, cancel = context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			require.NoError(t, get(ctx, client, "/c")) // it waits for room
		})
	}
}
