package msgraph

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

func TestAdvice(t *testing.T) {
	for _, test := range []struct {
		name       string
		err        error
		what, todo string
	}{
		{
			"permission", &httpclient.Error{Kind: httpclient.KindForbidden}, "lacks the permission",
			"CallRecords.Read.All",
		},
		{
			"permission, consent", &httpclient.Error{Kind: httpclient.KindForbidden}, "or consent to it",
			"grant admin consent",
		},
		{
			"permission, old token", &httpclient.Error{Kind: httpclient.KindForbidden}, "refuses the app",
			"up to another hour",
		},
		{
			"audience", &httpclient.Error{Kind: httpclient.KindUnauthorized}, "another tenant, cloud or audience",
			"check that cloud",
		},
		{"throttled", &httpclient.Error{Kind: httpclient.KindThrottled}, "throttles", "requests_per_minute"},
		{
			"throttled beyond the deadline", fmt.Errorf("%w: %w", httpclient.ErrLimited, context.DeadlineExceeded),
			"throttles", "requests_per_minute",
		},
		{"range, 406", &httpclient.Error{Kind: httpclient.KindNotAcceptable}, "refuses the range", "90 days"},
		{"range, 400", &httpclient.Error{Kind: httpclient.KindBadRequest}, "refuses the range", "clock"},
		{"address", &httpclient.Error{Kind: httpclient.KindNotFound}, "API doesn't exist", "graph_url"},
		{"fault", &httpclient.Error{Kind: httpclient.KindServer}, "Graph has a fault", "service status"},
		{"network", &httpclient.Error{Kind: httpclient.KindNetwork}, "can't be reached", "proxy_url"},
		{"gateway's HTML", &httpclient.Error{Kind: httpclient.KindBody}, "didn't come from Graph", "sign-in page"},
		{"hostile link", &httpclient.Error{Kind: httpclient.KindHost}, "another host", "graph_url"},
		{
			"proxy", &httpclient.Error{Kind: httpclient.KindStatus, Status: http.StatusProxyAuthRequired},
			"proxy requires credentials", "proxy_url",
		},
		{"another status", &httpclient.Error{Kind: httpclient.KindStatus, Status: 418}, "GET", "request id"},
		{
			"expired link",
			fmt.Errorf("%w: %w", httpclient.ErrLinkExpired, &httpclient.Error{Kind: httpclient.KindGone}),
			"paging broke off", "read again",
		},
		{"repeated link", httpclient.ErrLinkRepeated, "paging broke off", "read again"},
		{"endless", httpclient.ErrTooManyPages, "more pages than there can be", "repeats answers"},
		{"token", httpclient.Retryable(&advice.Error{What: "AADSTS7000222: a", Todo: "b"}), "AADSTS7000222: a", "b"},
		{"slow token", &httpclient.Error{Kind: httpclient.KindToken}, "no token in time", "login_url"},
		{"timeout", context.DeadlineExceeded, "was interrupted", "try again"},
		{"anything else", errors.New("odd"), "odd", "log"},
	} {
		t.Run(test.name, func(t *testing.T) {
			what, todo := Advise(fmt.Errorf("read page 2: %w", test.err))
			if !strings.Contains(what, test.what) || !strings.Contains(todo, test.todo) {
				t.Errorf("it says %q and %q, want %q and %q in it", what, todo, test.what, test.todo)
			}
			if strings.Contains(what+todo, "\n") || strings.Contains(what+todo, "555") {
				t.Errorf("the advice isn't a line without numbers of callers: %q, %q", what, todo)
			}
		})
	}
}
