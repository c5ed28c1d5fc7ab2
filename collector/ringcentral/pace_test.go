package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
)

// credentials asks the fake for tokens.
func (p *platform) credentials() *credentials {
	p.t.Helper()
	base, err := url.Parse(testHost)
	if err != nil {
		p.t.Fatal(err)
	}
	c := new(Config)
	c.SetDefaults()
	c.ClientID, c.ClientSecret, c.JWT = testClient, config.NewSecret(testSecret), config.NewSecret(testJWT(`{}`))
	return &credentials{config: c, base: base, transport: p, now: time.Now, pace: newPace()}
}

func tokenReply(token string, header http.Header) reply {
	return reply{body: fmt.Sprintf(`{"access_token":%q,"token_type":"bearer","expires_in":3600}`, token), header: header}
}

// pass lets the time of a bubble pass.
func pass(d time.Duration) { <-time.After(d) }

// TestAuthLimit: five tokens in a minute and no more, whatever they are asked for.
func TestAuthLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{t: t}
		for i := range 20 {
			p.answers = append(p.answers, tokenReply(fmt.Sprint(i), nil))
		}
		c := p.credentials()
		var asked []time.Duration
		started := time.Now()
		for range 130 {
			_, err := c.token(t.Context())
			if err == nil {
				asked = append(asked, time.Since(started))
			} else if !httpclient.IsRetryable(err) || !strings.Contains(err.Error(), "5 tokens in 1m0s") {
				t.Fatalf("error %v", err)
			}
			pass(time.Second)
		}
		if len(asked) != 15 || len(p.asked) != 15 {
			t.Errorf("%d tokens in 130 s, at %v", len(asked), asked)
		}
		for i := authLimit.Requests; i < len(asked); i++ {
			if asked[i]-asked[i-authLimit.Requests] < authLimit.Per {
				t.Errorf("tokens %d to %d came within %s", i-authLimit.Requests, i, asked[i]-asked[i-authLimit.Requests])
			}
		}
	})
}

// TestAuthLimitIsLearned: an app may have been given another one.
func TestAuthLimitIsLearned(t *testing.T) {
	for _, test := range []struct {
		name, group, limit, window string
		want                       int
		per                        time.Duration
	}{
		{"greater", "auth", "20", "30", 20, 30 * time.Second},
		{"in capitals", "Auth", " 3 ", "60", 3, time.Minute},
		{"no group", "", "2", "", 2, time.Minute},
		{"another group", "heavy", "2", "5", 5, time.Minute},
		{"nonsense", "auth", "-1", "x", 5, time.Minute},
		{"too much", "auth", "1000000", "1000000", 10_000, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{tokenReply("t", http.Header{headerPrefix + "Group": {test.group}, headerPrefix + "Limit": {test.limit}, headerPrefix + "Window": {test.window}})}}
			c := p.credentials()
			_, err := c.token(t.Context())
			if got := c.pace.limiter.Budget(); err != nil || got.Limit != test.want || got.Per != test.per {
				t.Errorf("%d in %s, want %d in %s; error %v", got.Limit, got.Per, test.want, test.per, err)
			}
		})
	}
}

// TestPacesAfterFailures: the vendor's policy, by the distances between requests. What
// was said stands meanwhile.
func TestPacesAfterFailures(t *testing.T) {
	seconds := func(list ...int) (all []time.Duration) {
		for _, n := range list {
			all = append(all, time.Duration(n)*time.Second)
		}
		return all
	}
	refused := reply{status: http.StatusBadRequest, body: `{"error":"invalid_grant"}`}
	for _, test := range []struct {
		name   string
		answer reply
		want   []time.Duration
	}{
		{"refused", refused, seconds(60, 120, 240, 480, 900, 900)},
		{"wrong client", reply{status: http.StatusUnauthorized}, seconds(60, 120)},
		{"throttled", reply{status: http.StatusTooManyRequests}, seconds(60, 60, 60)},
		{"throttled, and for how long", reply{status: http.StatusTooManyRequests, header: http.Header{"Retry-After": {"17"}}}, seconds(17, 17, 17, 20)},
		{"unavailable, and for how long", reply{status: http.StatusServiceUnavailable, header: http.Header{"Retry-After": {"90"}}}, seconds(90, 90)},
		{"fault", reply{status: http.StatusInternalServerError}, seconds(10, 10, 10, 20, 40, 60, 60)},
		{"slow", reply{status: http.StatusRequestTimeout}, seconds(10, 10, 10, 20)},
		{"no token", reply{body: `<html>Sign in</html>`}, seconds(10, 10, 10, 20)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &platform{t: t}
				c := p.credentials()
				var said string
				last := time.Now()
				for i := 0; i <= len(test.want); {
					before := len(p.asked)
					p.answers = []reply{test.answer}
					_, err := c.token(t.Context())
					if err == nil {
						t.Fatal("no error")
					}
					if len(p.asked) > before {
						if i > 0 && time.Since(last) != test.want[i-1] {
							t.Errorf("request %d came after %s, want %s", i+1, time.Since(last), test.want[i-1])
						}
						i, last, said = i+1, time.Now(), err.Error()
					} else if err.Error() != said {
						t.Errorf("meanwhile it says %v, want %s", err, said)
					}
					pass(time.Second)
				}
			})
		})
	}
}

// TestNetworkPace: no answer at all is a fault like others.
func TestNetworkPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &platform{t: t}
		c := p.credentials()
		for want := range 3 {
			for range 10 {
				if _, err := c.token(t.Context()); err == nil || !httpclient.IsRetryable(err) || len(p.asked) != want+1 {
					t.Fatalf("asked %d times, want %d, error %v", len(p.asked), want+1, err)
				}
				pass(time.Second)
			}
		}
		p.answers = []reply{tokenReply("t", nil)}
		if got, err := c.token(t.Context()); err != nil || got.Value != "t" || c.pace.failures != 0 {
			t.Errorf("got %v, %d failures, error %v", got, c.pace.failures, err)
		}
	})
}

// TestAnotherCredentialIsTriedAtOnce: a refusal is of what was asked with, a fault isn't.
func TestAnotherCredentialIsTriedAtOnce(t *testing.T) {
	for _, test := range []struct {
		name   string
		status int
		again  bool
	}{{"refused", http.StatusBadRequest, true}, {"fault", http.StatusInternalServerError, false}, {"throttled", http.StatusTooManyRequests, false}} {
		t.Run(test.name, func(t *testing.T) {
			p := &platform{t: t, answers: []reply{{status: test.status}, tokenReply("t", nil)}}
			c := p.credentials()
			for range 2 { // the same
				if _, err := c.token(t.Context()); err == nil || len(p.asked) != 1 {
					t.Fatalf("asked %d times, error %v", len(p.asked), err)
				}
			}
			c.config.JWT = config.NewSecret(testJWT(`{"sub":"2"}`))
			if _, err := c.token(t.Context()); (err == nil) != test.again {
				t.Errorf("asked %d times, error %v", len(p.asked), err)
			}
		})
	}
}

// TestCancelledTokenRequest: that the caller gave up isn't RingCentral's fault.
func TestCancelledTokenRequest(t *testing.T) {
	p := &platform{t: t}
	c := p.credentials()
	ctx, cancel := context.WithCancel(t.Context())
	c.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		return nil, r.Context().Err()
	})
	if _, err := c.token(ctx); !errors.Is(err, context.Canceled) || c.pace.failures != 0 {
		t.Errorf("%d failures, error %v", c.pace.failures, err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
