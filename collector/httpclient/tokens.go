package httpclient

import (
	"context"
	"sync"
	"time"
)

// renewRetry is the pause after a failed renewal while the old token still holds.
const renewRetry = 30 * time.Second

// Token is what a provider gave.
type Token struct {
	// Value goes into requests. It is a secret.
	Value string
	// Expires is when it ends, by the clock of TokensSettings.
	Expires time.Time
}

// GoString and String keep the token out of texts.
func (Token) GoString() string { return "<token>" }

func (Token) String() string { return "<token>" }

// TokensSettings is what NewTokens needs.
type TokensSettings struct {
	// Ask gets a new token. One call is under way at a time. Its errors are returned as
	// they are, so what TokenSource says of errors is theirs to keep.
	Ask func(context.Context) (Token, error)
	// RenewBefore is how long before its end a token is replaced at the earliest; a
	// token is kept for at least four fifths of its life. 0: for just that long.
	RenewBefore time.Duration
	// Now is the local clock; nil: time.Now.
	Now func() time.Time
}

// Tokens is a TokenSource that keeps one token and asks for the next when it is due.
// While renewing fails, the old one is given as long as it holds. It is safe for
// concurrent use: whoever needs a token while one is asked for waits for that one.
type Tokens struct {
	settings TokensSettings
	// turn is held by whoever asks.
	turn chan struct{}

	mu      sync.Mutex
	cached  Token     // guarded by mu
	renewAt time.Time // guarded by mu
}

// NewTokens makes a source of tokens; it asks nothing yet.
func NewTokens(settings TokensSettings) *Tokens {
	if settings.Now == nil {
		settings.Now = time.Now
	}
	return &Tokens{settings: settings, turn: make(chan struct{}, 1)}
}

// Token implements TokenSource.
func (t *Tokens) Token(ctx context.Context) (string, error) {
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
	if token, due := t.current(); token != "" && !due {
		return token, nil
	}
	asked := t.settings.Now()
	got, err := t.settings.Ask(ctx)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err != nil {
		if t.holds() {
			t.renewAt = t.settings.Now().Add(renewRetry)
			return t.cached.Value, nil
		}
		return "", err
	}
	margin := got.Expires.Sub(asked) / 5
	if most := t.settings.RenewBefore; most > 0 {
		margin = min(margin, most)
	}
	t.cached, t.renewAt = got, got.Expires.Add(-margin)
	return got.Value, nil
}

// current is the token that is kept, and whether it is time for the next.
func (t *Tokens) current() (token string, due bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.cached.Value, !t.settings.Now().Before(t.renewAt)
}

// holds says whether the token that is kept has not expired; the lock is held.
func (t *Tokens) holds() bool {
	return t.cached.Value != "" && t.settings.Now().Before(t.cached.Expires)
}

// Invalidate implements TokenSource.
func (t *Tokens) Invalidate(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if token == t.cached.Value {
		t.cached, t.renewAt = Token{}, time.Time{}
	}
}

// Take forgets the token and returns it, so that it can be revoked; empty if there is
// none that holds.
func (t *Tokens) Take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var token string
	if t.holds() {
		token = t.cached.Value
	}
	t.cached, t.renewAt = Token{}, time.Time{}
	return token
}
