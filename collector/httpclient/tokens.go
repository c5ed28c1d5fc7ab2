package httpclient

import (
	"context"
	"sync"
	"time"
)

// renewRetry is the pause after a failed renewal while the old token is still valid.
const renewRetry = 30 * time.Second

// Token is an access token.
type Token struct {
	// Value is sent with requests. It is a secret.
	Value string
	// Expires is by the local clock.
	Expires time.Time
}

// GoString and String keep the token out of texts.
func (Token) GoString() string { return "<token>" }

func (Token) String() string { return "<token>" }

// Tokens is a TokenSource that caches one token. It requests the next one when a fifth of the
// token's life is left, so that no token expires in flight. If the renewal fails, it returns the
// old token while that is valid. It is safe for concurrent use: concurrent callers share one
// request for a token.
type Tokens struct {
	ask  func(context.Context) (Token, error)
	now  func() time.Time
	held chan struct{} // a lock whose wait a context can end; held during ask

	mu      sync.Mutex // held briefly: a caller without a context never waits for ask
	cached  Token      // guarded by mu, like renewAt
	renewAt time.Time
}

// NewTokens makes a source of tokens; it sends no request. ask requests a new token, one call at a
// time; TokenSource says what its errors must not contain. now is the local clock.
func NewTokens(ask func(context.Context) (Token, error), now func() time.Time) *Tokens {
	return &Tokens{ask: ask, now: now, held: make(chan struct{}, 1)}
}

// valid returns the cached token, or an empty one, and when to renew it.
func (t *Tokens) valid() (token string, renewAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.now().Before(t.cached.Expires) {
		token = t.cached.Value
	}
	return token, t.renewAt
}

func (t *Tokens) set(token Token, renewAt time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cached, t.renewAt = token, renewAt
}

// Token implements TokenSource.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	select {
	case t.held <- struct{}{}:
		defer func() { <-t.held }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	asked := t.now()
	if token, renewAt := t.valid(); token != "" && asked.Before(renewAt) {
		return token, nil
	}
	got, err := t.ask(ctx)
	if err != nil {
		token, _ := t.valid()
		if token == "" {
			return "", err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		t.renewAt = t.now().Add(renewRetry)
		return token, nil
	}
	t.set(got, got.Expires.Add(-got.Expires.Sub(asked)/5))
	return got.Value, nil
}

// Invalidate implements TokenSource.
func (t *Tokens) Invalidate(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.cached.Value {
		t.cached = Token{}
	}
}

// Take removes the token from the cache and returns it, so that it can be revoked. It returns an
// empty string if the cache has no valid token.
func (t *Tokens) Take() string {
	token, _ := t.valid()
	t.set(Token{}, time.Time{})
	return token
}
