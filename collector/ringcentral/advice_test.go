package ringcentral

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/providertest"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

func TestAdvice(t *testing.T) {
	said := func(status int, name, code, permission string) error {
		return refusedWith(t, status, refuses(status, name, code, permission).body)
	}
	kind := func(k httpclient.Kind) error { return &httpclient.Error{Kind: k} }
	for _, test := range []struct {
		name       string
		err        error
		what, todo string
	}{
		{
			"user's permission", said(403, "InsufficientPermissions", "CMN-408", "FullCompanyCallLog"),
			"the user of the JWT lacks the permission FullCompanyCallLog",
			"in the Admin Portal, give the user of the JWT a role with FullCompanyCallLog",
		},
		{
			"user's permission, of old", said(403, "InsufficientPermissions", "CMN-408", "ReadCompanyCallLog"),
			"lacks the permission ReadCompanyCallLog", "scope: extension",
		},
		{
			"app's permission", said(403, "InsufficientPermissions", "CMN-401", "ReadCallLog"),
			"the app lacks the permission ReadCallLog", "in the Developer Console, add ReadCallLog",
		},
		{
			"administrator", said(403, "InsufficientPermissions", "CMN-402", ""), "isn't an administrator",
			"administrator of the account",
		},
		{
			"a permission, whose isn't said", said(403, "InsufficientPermissions", "CMN-999", "ReadCallLog"),
			"lacks ReadCallLog", "Developer Console",
		},
		{
			"forbidden, nothing said", kind(httpclient.KindForbidden), "FullCompanyCallLog for the whole account",
			"Admin Portal",
		},
		{
			"sessions", said(401, "TokenInvalid", "OAU-213", ""), "keeps ending our sessions",
			"let no other program use the same app",
		},
		{"token refused", said(401, "TokenInvalid", "OAU-149", ""), "keeps ending our sessions", "app"},
		{"token refused, nothing said", kind(httpclient.KindUnauthorized), "doesn't accept the token", "base_url"},
		{
			"throttled", said(429, "CMN-301", "CMN-301", ""), "throttles the exporter's credentials",
			"requests_per_minute",
		},
		{"throttled as a whole", said(429, "CMN-310", "CMN-310", ""), "throttles the whole account", "nothing"},
		{"bad request", said(400, "InvalidParameter", "CMN-101", ""), "refuses the request", "clock"},
		{"wrong host", said(404, "CMN-102", "CMN-102", ""), "API doesn't exist at this address", "base_url"},
		{"fault", kind(httpclient.KindServer), "RingCentral has a fault", "service status"},
		{"network", kind(httpclient.KindNetwork), "can't be reached", "proxy_url"},
		{"gateway's HTML", kind(httpclient.KindBody), "didn't come from RingCentral", "sign-in page"},
		{"hostile link", kind(httpclient.KindHost), "another host", "base_url"},
		{"redirect", kind(httpclient.KindRedirect), "another host", "base_url"},
		{
			"proxy", &httpclient.Error{Kind: httpclient.KindStatus, Status: http.StatusProxyAuthRequired},
			"proxy requires credentials", "proxy_url",
		},
		{"another status", &httpclient.Error{Kind: httpclient.KindStatus, Status: 418}, "GET", "request id"},
		{
			"expired link", fmt.Errorf("%w: %w", httpclient.ErrLinkExpired, kind(httpclient.KindGone)), "paging broke off",
			"read again",
		},
		{"repeated link", httpclient.ErrLinkRepeated, "paging broke off", "read again"},
		{"endless", httpclient.ErrTooManyPages, "more pages than there can be", "repeats answers"},
		{"too many rows", wire.ErrTooManyRows, "more rows than", "repeats answers"},
		{"recording", errRecordingID, "not a number", "nothing"},
		{"token", errOtherUser, "the JWT now belongs to another user", "account: same"},
		{"slow token", kind(httpclient.KindToken), "no token in time", "base_url"},
		{"timeout", context.DeadlineExceeded, "was interrupted", "try again"},
		{"anything else", errors.New("odd"), "odd", "log"},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Advised(t, Advise, test.err, test.what, test.todo)
		})
	}
}
