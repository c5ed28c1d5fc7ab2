package httpclient

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
