package ringcentral

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// The Auth group's limit, until an answer says otherwise (RingCentral, "Rate limits").
const (
	authGroup = "auth"
	authLimit = 5
	authPer   = time.Minute
)

// How long to wait after a failure (RingCentral, "Error handling": three tries at ten
// seconds' distance, Retry-After, or none). That nothing should be repeated can't hold
// for ever, since the app or the user may be mended where nothing here changes.
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

// pace keeps to how often RingCentral lets an app ask for tokens, and for how long it may not after a failure. It outlives reloads. It is
// safe for concurrent use.
type pace struct {
	mu    sync.Mutex // guards all below
	limit int
	per   time.Duration
	asked []time.Time // within the window, in order

	failures int
	failed   error // until when it stands, with what it was asked for
	until    time.Time
	key      credentialKey
	refused  bool // by what was asked with: another credential may do better
}

func newPace() *pace { return &pace{limit: authLimit, per: authPer} }

// check says why a token can't be asked for now.
func (p *pace) check(now time.Time, key credentialKey) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil && now.Before(p.until) && (!p.refused || key == p.key) {
		return p.failed
	}
	for len(p.asked) > 0 && !now.Before(p.asked[0].Add(p.per)) {
		p.asked = p.asked[1:]
	}
	if len(p.asked) >= p.limit {
		return httpclient.Retryable(&TokenError{
			what: fmt.Sprintf("RingCentral lets an app ask for %d tokens in %s, and so many were used up", p.limit, p.per),
			todo: sessionsTodo,
		})
	}
	return nil
}

// began notes that a token is asked for.
func (p *pace) began(now time.Time, key credentialKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, now)
	p.key = key
}

// learn takes the group's limit from an answer.
func (p *pace) learn(header http.Header) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if group := folded(header.Get(headerGroup)); group != "" && group != authGroup {
		return
	}
	if n, err := strconv.Atoi(strings.TrimSpace(header.Get(headerLimit))); err == nil && n > 0 && n <= 10_000 {
		p.limit = n
	}
	if n, err := strconv.Atoi(strings.TrimSpace(header.Get(headerWindow))); err == nil && n > 0 && n <= 3600 {
		p.per = time.Duration(n) * time.Second
	}
}

// succeeded forgets failures.
func (p *pace) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failed, p.failures, p.until = nil, 0, time.Time{}
}

// fail keeps an error until a token may be asked for again.
func (p *pace) fail(now time.Time, err error, status int, after time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failures++
	p.failed, p.refused = err, !httpclient.IsRetryable(err)
	var wait time.Duration
	switch {
	case p.refused:
		wait = doubled(refusalPause, p.failures-1, longestRefuse)
	case status == http.StatusTooManyRequests && after == 0:
		wait = throttlePause
	default:
		wait = doubled(faultPause, p.failures-faultTries, longestFault)
	}
	p.until = now.Add(max(wait, after))
}

// doubled is d, doubled so many times, and at most longest.
func doubled(d time.Duration, times int, longest time.Duration) time.Duration {
	for range times {
		if d >= longest {
			break
		}
		d *= 2
	}
	return min(d, longest)
}

// retryAfter reads Retry-After (RFC 9110 10.2.3): seconds or a date.
func retryAfter(header http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil {
		return min(max(time.Duration(seconds)*time.Second, 0), httpclient.MaxRetryAfter)
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		now = date
	}
	return min(max(until.Sub(now), 0), httpclient.MaxRetryAfter)
}
