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

// TestTokenIsRenewedInTime: httpclient.Tokens has the tests of the rest.
func TestTokenIsRenewedInTime(t *testing.T) {
	for _, test := range []struct{ life, keptFor time.Duration }{
		{time.Hour, 55 * time.Minute},
		{10 * time.Second, 8 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			tokens := newTokens(func(context.Context) (azcore.AccessToken, error) {
				asked++
				return azcore.AccessToken{Token: fmt.Sprintf("token-%d", asked), ExpiresOn: time.Now().Add(test.life)}, nil
			}, time.Now)
			for _, step := range []struct {
				after time.Duration
				want  string
			}{{0, "token-1"}, {test.keptFor - time.Millisecond, "token-1"}, {time.Millisecond, "token-2"}} {
				pass(step.after)
				if got, err := tokens.Token(t.Context()); got != step.want || err != nil {
					t.Errorf("after %s, Token() = %q, %v, want %q", step.after, got, err, step.want)
				}
			}
		})
	}
}

// TestTokenError: why there is no token is returned as it is.
func TestTokenError(t *testing.T) {
	down := errors.New("down")
	tokens := newTokens(func(context.Context) (azcore.AccessToken, error) { return azcore.AccessToken{}, down }, time.Now)
	if got, err := tokens.Token(t.Context()); got != "" || err != down { //nolint:errorlint // it is to be returned as it is
		t.Errorf("Token() = %q, %v", got, err)
	}
}
