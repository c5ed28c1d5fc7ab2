package msgraph

import (
	"context"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

const (
	// renewBefore is how long before its end a token is replaced, so that none ends on
	// its way; short-lived ones are kept for four fifths of their life.
	renewBefore = 5 * time.Minute
	// renewRetry is the pause after a failed renewal while the old token still holds.
	renewRetry = 30 * time.Second
)

// tokens is the httpclient.TokenSource of a source: it keeps one token and asks for
// the next when it is due. One request is under way at a time.
type tokens struct {
	ask func(context.Context) (azcore.AccessToken, error)
	now func() time.Time
	// turn is held by whoever asks.
	turn chan struct{}

	mu      sync.Mutex
	cached  azcore.AccessToken // guarded by mu
	renewAt time.Time          // guarded by mu
}

func newTokens(ask func(context.Context) (azcore.AccessToken, error), now func() time.Time) *tokens {
	return &tokens{ask: ask, now: now, turn: make(chan struct{}, 1)}
}

// Token implements httpclient.TokenSource. While renewing fails, the old token is
// given as long as it holds.
func (t *tokens) Token(ctx context.Context) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if token, due := t.current(); token != "" && !due {
		return token, nil
	}
	asked := t.now()
	got, err := t.ask(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.cached.Token != "" && t.now().Before(t.cached.ExpiresOn) {
			t.renewAt = t.now().Add(renewRetry)
			return t.cached.Token, nil
		}
		return "", err
	}
	life := got.ExpiresOn.Sub(asked)
	t.cached, t.renewAt = got, got.ExpiresOn.Add(-min(renewBefore, life/5))
	return got.Token, nil
}

// current is the token that is kept, and whether it is time for the next.
func (t *tokens) current() (token string, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cached.Token, !t.now().Before(t.renewAt)
}

// Invalidate implements httpclient.TokenSource.
func (t *tokens) Invalidate(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.cached.Token {
		t.cached, t.renewAt = azcore.AccessToken{}, time.Time{}
	}
}
