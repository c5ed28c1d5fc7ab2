package msgraph

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

var testStart = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)

// tokenText is what errors of refused tokens may look like.
var tokenText = regexp.MustCompile(`^(AADSTS-?\d+: )?[a-zA-Z0-9 ,.':;_()-]+(, [A-Za-z0-9_.-]{1,64})?( \((trace_id=[A-Za-z0-9_.-]+ ?)?(correlation_id=[A-Za-z0-9_.-]+)?\))?$`)

// pass lets the time of a bubble pass.
func pass(d time.Duration) { <-time.After(d) }

// tokenMaker gives numbered tokens of a life, or errors.
type tokenMaker struct {
	asked int
	life  time.Duration
	err   error
}

func (m *tokenMaker) ask(context.Context) (azcore.AccessToken, error) {
	m.asked++
	if m.err != nil {
		return azcore.AccessToken{}, m.err
	}
	return azcore.AccessToken{Token: fmt.Sprintf("token-%d", m.asked), ExpiresOn: time.Now().Add(m.life)}, nil
}

func (m *tokenMaker) want(t *testing.T, tokens *tokens, want string) {
	t.Helper()
	if got, err := tokens.Token(t.Context()); got != want || err != nil {
		t.Errorf("Token() = %q, %v, want %q", got, err, want)
	}
}

func TestTokenIsKeptAndRenewed(t *testing.T) {
	for _, test := range []struct{ life, keptFor time.Duration }{
		{time.Hour, 55 * time.Minute},
		{10 * time.Second, 8 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			maker := &tokenMaker{life: test.life}
			tokens := newTokens(maker.ask, time.Now)
			maker.want(t, tokens, "token-1")
			pass(test.keptFor - time.Millisecond)
			maker.want(t, tokens, "token-1")
			pass(time.Millisecond)
			maker.want(t, tokens, "token-2")
		})
	}
}

func TestTokenWhileRenewingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		maker := &tokenMaker{life: time.Hour}
		tokens := newTokens(maker.ask, time.Now)
		maker.want(t, tokens, "token-1")
		pass(56 * time.Minute)
		maker.err = errors.New("down")
		maker.want(t, tokens, "token-1") // asked in vain
		maker.want(t, tokens, "token-1") // not asked again at once
		if maker.asked != 2 {
			t.Errorf("asked %d times, want 2", maker.asked)
		}
		pass(renewRetry)
		maker.want(t, tokens, "token-1")
		if maker.asked != 3 {
			t.Errorf("asked %d times, want 3", maker.asked)
		}
		pass(4 * time.Minute)
		if got, err := tokens.Token(t.Context()); got != "" || !errors.Is(err, maker.err) {
			t.Errorf("with an expired token, Token() = %q, %v", got, err)
		}
		maker.err = nil
		maker.want(t, tokens, "token-5")
	})
}

func TestInvalidate(t *testing.T) {
	maker := &tokenMaker{life: time.Hour}
	tokens := newTokens(maker.ask, time.Now)
	maker.want(t, tokens, "token-1")
	tokens.Invalidate("an older one")
	maker.want(t, tokens, "token-1")
	tokens.Invalidate("token-1")
	maker.want(t, tokens, "token-2")
	tokens.Invalidate("token-1")
	maker.want(t, tokens, "token-2")
}

// TestTokenIsAskedOnce: all who wait get the token of the one request, and one who gives
// up waits no longer.
func TestTokenIsAskedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		slow := func(context.Context) (azcore.AccessToken, error) {
			asked++
			pass(10 * time.Second)
			return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
		}
		tokens := newTokens(slow, time.Now)
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
			t.Errorf("error %v, want that of the context", err)
		}
		pass(time.Minute)
		if asked != 1 {
			t.Errorf("asked %d times, want once", asked)
		}
	})
}
