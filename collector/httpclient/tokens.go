package httpclient

import (
	"context"
	"sync"
	"time"
)

// renewRetry is the pause after a failed renewal while the old token is still valid.
const renewRetry = 30 * time.Second

// Token is what a provider issued.
type Token struct {
	// Value goes into requests. It is a secret.
	Value string
	// Expires is by the local clock.
	Expires time.Time
}

// GoString and String keep the token out of texts.
func (Token) GoString() string { return "<token>" }

func (Token) String() string { return "<token>" }

// Tokens is a TokenSource that caches one token, and asks for the next when it has a fifth of its life left, so that none ends on its way. While
// renewing fails, the old one is returned as long as it is valid. It is safe for concurrent use: those who need a token while one is asked for wait for that one.
type Tokens struct {
	ask  func(context.Context) (Token, error)
	now  func() time.Time
	held chan struct{} // a lock for which a wait can be ended; it is held during a call of ask

	mu      sync.Mutex // for moments only: nobody who has no context waits for ask
	cached  Token      // guarded by mu, as renewAt
	renewAt time.Time
}

// NewTokens makes a source of tokens; it asks nothing yet. Ask gets a new token, in one call at a time; TokenSource says what its errors must not
// hold. Now is the local clock.
func NewTokens(ask func(context.Context) (Token, error), now func() time.Time) *Tokens {
	return &Tokens{ask: ask, now: now, held: make(chan struct{}, 1)}
}

// valid returns the cached token, empty if there is none or it has expired, and when to renew it.
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

// Take forgets the token and returns it, so that it can be revoked; empty if there is no valid one.
func (t *Tokens) Take() string {
	token, _ := t.valid()
	t.set(Token{}, time.Time{})
	return token
}
