package ringcentral

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// authLimit is the Auth group's, until an answer says otherwise (RingCentral, "Rate limits").
var authLimit = httpclient.Limit{Requests: 5, Per: time.Minute, HeaderPrefix: headerPrefix, Group: "auth"}

// How long to wait after a failure (RingCentral, "Error handling": three tries at ten seconds' distance, Retry-After, or none). A refusal is
// repeated too, since the app or the user may be repaired where nothing here changes.
const (
	faultTries    = 3
	faultPause    = 10 * time.Second
	longestFault  = time.Minute
	throttlePause = time.Minute
	refusalPause  = time.Minute
	longestRefuse = 15 * time.Minute
)

// credentialKey is a hash of what a token was asked for with.
type credentialKey [sha256.Size]byte

func keyOf(secret, jwt string) credentialKey { return sha256.Sum256([]byte(secret + "\x00" + jwt)) }

// pace limits how often an app asks for tokens, and for how long it doesn't after a failure. It outlives reloads. It is safe for concurrent use.
type pace struct {
	limiter *httpclient.Limiter

	mu       sync.Mutex // guards all below
	failures int        // in succession
	failed   error      // the latest, returned until then, if the key is the same or it wasn't a refusal
	until    time.Time
	key      credentialKey
}

func newPace() *pace { return &pace{limiter: httpclient.NewLimiter(authLimit)} }

// admit counts a request for a token, or says why none can be sent now.
func (p *pace) admit(now time.Time, key credentialKey) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil && now.Before(p.until) && (httpclient.IsRetryable(p.failed) || key == p.key) {
		return p.failed
	}
	if p.limiter.Take() > 0 {
		limit := p.limiter.Budget()
		return httpclient.Retryable(&TokenError{
			what: fmt.Sprintf("RingCentral lets an app ask for %d tokens in %s, and so many were used up", limit.Limit, limit.Per),
			todo: sessionsTodo,
		})
	}
	p.key = key
	return nil
}

// answered notes what a request came to, and keeps an error until a token may be asked for again.
func (p *pace) answered(now time.Time, err error, status int, header http.Header) {
	p.limiter.Learn(status, header)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed = err; err == nil {
		p.failures = 0
		return
	}
	p.failures++
	after := httpclient.ParseRetryAfter(header, now)
	wait := doubled(faultPause, p.failures-faultTries, longestFault)
	switch {
	case !httpclient.IsRetryable(err):
		wait = doubled(refusalPause, p.failures-1, longestRefuse)
	case status == http.StatusTooManyRequests && after == 0:
		wait = throttlePause
	}
	p.until = now.Add(max(wait, after))
}

// doubled doubles a time so often, up to the longest.
func doubled(d time.Duration, times int, longest time.Duration) time.Duration {
	return min(d<<min(max(times, 0), 10), longest)
}
