package httpclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

// TestTokenIsRenewedOnce: after 401 and 403 the client sends the request again with a new token, once.
func TestTokenIsRenewedOnce(t *testing.T) {
	for _, test := range []struct {
		name    string
		answers []int // one for each token that is sent
		want    Kind
	}{
		{"accepted", []int{200}, ""},
		{"401 once", []int{401, 200}, ""},
		{"401 twice", []int{401, 401}, KindUnauthorized},
		{"403 once", []int{403, 200}, ""},
		{"403 twice", []int{403, 403}, KindForbidden},
		{"401, then 403", []int{401, 403}, KindForbidden},
		{"404 keeps the token", []int{404}, KindNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			var sent []string
			source := &tokens{}
			client := newTest(t, fakeTransport(func(r *http.Request) (*http.Response, error) {
				sent = append(sent, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
				return answer(test.answers[min(len(sent), len(test.answers))-1], "{}"), nil
			}), func(s *Settings) { s.Token = source })

			var got string
			err := client.Fetch(t.Context(), Request{URL: "/x"}, readAll(&got))
			if KindOf(err) != test.want || (err == nil) != (test.want == "") || IsRetryable(err) {
				t.Errorf("error %v, kind %q, retryable %v; want kind %q", err, KindOf(err), IsRetryable(err), test.want)
			}
			last := len(test.answers)
			if e, ok := errors.AsType[*Error](err); ok && e.Status != test.answers[last-1] {
				t.Errorf("status %d", e.Status)
			}
			all := []string{"token-1", "token-2"}
			if !slices.Equal(sent, all[:last]) || !slices.Equal(source.invalidated, all[:last-1]) {
				t.Errorf("sent %v, invalidated %v", sent, source.invalidated)
			}
		})
	}
}

func TestTokenErrors(t *testing.T) {
	for _, test := range []struct {
		name  string
		err   error
		asked int
		want  string
	}{
		{"permanent", errors.New("invalid_client"), 1, "POST calls: get token: invalid_client"},
		{"may pass", Retryable(errors.New("login is down")), 4, "asked 4 times: POST calls: get token: login is down"},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			transport, rec := script(replies(200, "{}"))
			source := &countedTokens{err: test.err}
			client := newTest(t, transport, func(s *Settings) { s.Token = source })
			err := client.Fetch(t.Context(), Request{Method: http.MethodPost, URL: "/x", Label: "calls"}, nil)
			if err == nil || err.Error() != test.want || KindOf(err) != KindToken || !errors.Is(err, test.err) {
				t.Errorf("error %v (kind %s), want %s", err, KindOf(err), test.want)
			}
			if source.asked != test.asked || len(rec.times()) != 0 {
				t.Errorf("%d tokens wanted, %d requests; want %d, 0", source.asked, len(rec.times()), test.asked)
			}
		})
	}
}

func TestTokenThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		started := time.Now()
		transport, _ := script(replies(200, "{}"))
		client := newTest(t, transport, func(s *Settings) { s.Token = &countedTokens{hang: true} })
		_, err := client.Get(t.Context(), Request{URL: "/x"})
		if KindOf(err) != KindToken || !IsRetryable(err) || time.Since(started) != requestTimeout {
			t.Errorf("error %v (retryable %v) after %v; want a retryable token error after %v", err, IsRetryable(err),
				time.Since(started), requestTimeout)
		}
		if errors.Is(err, context.DeadlineExceeded) {
			t.Error("our own bound looks like the caller's")
		}
	})
}

type countedTokens struct {
	asked int
	err   error
	hang  bool
}

func (s *countedTokens) Token(ctx context.Context) (string, error) {
	s.asked++
	if s.hang {
		<-ctx.Done()
		return "", ctx.Err()
	}
	return "", s.err
}

func (*countedTokens) Invalidate(string) {}

// A token is taken after the wait, so one that expires during it isn't sent.
func TestTokenAfterTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		started := time.Now()
		transport, _ := script(replies(429, "", "Retry-After: 600"), replies(200, "{}"))
		client := newTest(t, transport, func(s *Settings) {
			s.Token = tokenFunc(func() string { at = append(at, time.Since(started)); return "x" })
		})
		var got string
		require.NoError(t, client.Fetch(t.Context(), Request{URL: "/x"}, readAll(&got)))
		if want := []time.Duration{0, 10 * time.Minute}; !slices.Equal(at, want) {
			t.Errorf("tokens were taken at %v, want %v", at, want)
		}
	})
}

type tokenFunc func() string

func (f tokenFunc) Token(context.Context) (string, error) { return f(), nil }
func (tokenFunc) Invalidate(string)                       {}

func TestAuthorize(t *testing.T) {
	var uri, header string
	client := newTest(t, fakeTransport(func(r *http.Request) (*http.Response, error) {
		uri, header = r.URL.RequestURI(), r.Header.Get("Authorization")
		return answer(500, ""), nil
	}), func(s *Settings) {
		s.Token = tokenFunc(func() string { return "key-secret" })
		s.Authorize = func(r *http.Request, token string) {
			query := r.URL.Query()
			query.Set("appid", token)
			r.URL.RawQuery = query.Encode()
		}
	})
	for range 2 { // the second sees what the first has left
		_, err := client.Get(t.Context(), Request{URL: "/v1/cdr?page=2"})
		if uri != "/v1/cdr?appid=key-secret&page=2" || header != "" {
			t.Errorf("sent %s with Authorization %q", uri, header)
		}
		if want := "GET https://api.example/v1/cdr: 500 Internal Server Error"; err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestRequestHeaders(t *testing.T) {
	var got http.Header
	client := newTest(t, fakeTransport(func(r *http.Request) (*http.Response, error) {
		got = r.Header
		return answer(403, "", "Request-Id: 7f\n x\"<secret>", "X-Other: 1"), nil
	}), func(s *Settings) {
		s.UserAgent, s.ClientRequestIDHeader = "cdr-exporter/test", "client-request-id"
		s.RequestIDHeaders = []string{"request-id", "absent"}
	})
	given := http.Header{"Prefer": {"odata.maxpagesize=5"}}
	_, err := client.Get(t.Context(), Request{URL: "/x", Label: "calls", Header: given, ExpectJSON: true})
	id := got.Get("Client-Request-Id")
	if len(id) != len("00000000-0000-4000-8000-000000000000") {
		t.Errorf("the request id is %q, no UUID", id)
	}
	want := http.Header{
		"Prefer": {"odata.maxpagesize=5"}, "User-Agent": {"cdr-exporter/test"},
		"Client-Request-Id": {id}, "Accept": {"application/json"}, "Accept-Encoding": {"gzip"},
	}
	for name := range want {
		if !slices.Equal(got[name], want[name]) {
			t.Errorf("%s is %q, want %q", name, got[name], want[name])
		}
	}
	if len(got) != len(want) || len(given) != 1 {
		t.Errorf("sent %v; given is now %v", got, given)
	}
	if want := "GET calls: 403 Forbidden (client-request-id=" + id + " request-id=7fxsecret)"; err == nil ||
		err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// tokenMaker gives numbered tokens of a life, or errors.
type tokenMaker struct {
	asked int
	life  time.Duration
	err   error
}

func (m *tokenMaker) ask(context.Context) (Token, error) {
	m.asked++
	if m.err != nil {
		return Token{}, m.err
	}
	return Token{Value: fmt.Sprintf("token-%d", m.asked), Expires: time.Now().Add(m.life)}, nil
}

func (m *tokenMaker) want(t *testing.T, tokens *Tokens, want string) {
	t.Helper()
	if got, err := tokens.Token(t.Context()); got != want || err != nil {
		t.Errorf("Token() = %q, %v, want %q", got, err, want)
	}
}

func TestTokenIsKeptAndRenewed(t *testing.T) {
	for _, test := range []struct{ life, keptFor time.Duration }{
		{10 * time.Second, 8 * time.Second},
		{time.Hour, 48 * time.Minute},
		{7199 * time.Second, 5759200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			maker := &tokenMaker{life: test.life}
			tokens := NewTokens(maker.ask, time.Now)
			maker.want(t, tokens, "token-1")
			bubbleSleep(t, test.keptFor-time.Millisecond)
			maker.want(t, tokens, "token-1")
			bubbleSleep(t, time.Millisecond)
			maker.want(t, tokens, "token-2")
		})
	}
}

func TestTokenWhileRenewingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		maker := &tokenMaker{life: time.Hour}
		tokens := NewTokens(maker.ask, time.Now)
		maker.want(t, tokens, "token-1")
		bubbleSleep(t, 56*time.Minute)
		maker.err = errors.New("down")
		maker.want(t, tokens, "token-1") // the renewal failed
		maker.want(t, tokens, "token-1") // not asked again at once
		if maker.asked != 2 {
			t.Errorf("asked %d times, want 2", maker.asked)
		}
		bubbleSleep(t, renewRetry)
		maker.want(t, tokens, "token-1")
		if maker.asked != 3 {
			t.Errorf("asked %d times, want 3", maker.asked)
		}
		bubbleSleep(t, 4*time.Minute)
		if got, err := tokens.Token(t.Context()); got != "" || !errors.Is(err, maker.err) {
			t.Errorf("with an expired token, Token() = %q, %v", got, err)
		}
		maker.err = nil
		maker.want(t, tokens, "token-5")
	})
}

func TestInvalidate(t *testing.T) {
	maker := &tokenMaker{life: time.Hour}
	tokens := NewTokens(maker.ask, time.Now)
	maker.want(t, tokens, "token-1")
	tokens.Invalidate("an older one")
	maker.want(t, tokens, "token-1")
	tokens.Invalidate("token-1")
	maker.want(t, tokens, "token-2")
	tokens.Invalidate("token-1")
	maker.want(t, tokens, "token-2")
}

// TestTake: a token is revoked once, and one that has expired not at all.
func TestTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		maker := &tokenMaker{life: time.Hour}
		tokens := NewTokens(maker.ask, time.Now)
		for _, want := range []string{"", "token-1", ""} {
			if got := tokens.Take(); got != want {
				t.Errorf("Take() = %q, want %q", got, want)
			}
			if want == "" && maker.asked == 0 {
				maker.want(t, tokens, "token-1")
			}
		}
		maker.want(t, tokens, "token-2")
		bubbleSleep(t, time.Hour)
		if got := tokens.Take(); got != "" {
			t.Errorf("Take() = %q of an expired token", got)
		}
	})
}

// TestTokenIsAskedOnce: all who wait get the token of the one request, and one who gives
// up waits no longer.
func TestTokenIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		slow := func(context.Context) (Token, error) {
			asked++
			bubbleSleep(t, 10*time.Second)
			return Token{Value: "token", Expires: time.Now().Add(time.Hour)}, nil
		}
		tokens := NewTokens(slow, time.Now)
		for range 5 {
			go func() {
				if got, err := tokens.Token(t.Context()); got != "token" || err != nil {
					t.Errorf("Token() = %q, %v", got, err)
				}
			}()
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := tokens.Token(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the context's error", err)
		}
		bubbleSleep(t, time.Minute)
		if asked != 1 {
			t.Errorf("asked %d times, want once", asked)
		}
	})
}

func TestTokenIsNotPrinted(t *testing.T) {
	token := Token{Value: "s3cret", Expires: time.Unix(1, 0)}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if text := fmt.Sprintf(format, token); strings.Contains(text, "s3cret") {
			t.Errorf("%s prints %s", format, text)
		}
	}
}

// TestNobodyWaitsForATokenWithoutAContext: a token can be dropped, or taken, while a request for the
// next one runs.
func TestNobodyWaitsForATokenWithoutAContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asking, answer := make(chan struct{}, 2), make(chan struct{})
		tokens := NewTokens(func(context.Context) (Token, error) {
			asking <- struct{}{}
			<-answer
			return Token{Value: "new", Expires: time.Now().Add(time.Hour)}, nil
		}, time.Now)
		go func() { _, _ = tokens.Token(t.Context()) }()
		<-asking
		tokens.Invalidate("old") // it would wait for ever
		if got := tokens.Take(); got != "" {
			t.Errorf("took %q", got)
		}
		close(answer)
		synctest.Wait()
		if got, err := tokens.Token(t.Context()); got != "new" || err != nil {
			t.Errorf("then Token() = %q, %v", got, err)
		}
	})
}
