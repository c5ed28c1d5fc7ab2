package wavix

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
	for _, test := range []struct {
		name       string
		err        error
		what, todo string
	}{
		{"wrong key", &httpclient.Error{Kind: httpclient.KindUnauthorized}, "refuses the key", "API Keys"},
		{"address", &httpclient.Error{Kind: httpclient.KindUnauthorized}, "or the exporter's address", "IP addresses"},
		{"older account", &httpclient.Error{Kind: httpclient.KindUnauthorized}, "refuses the key", "auth: query"},
		{"access denied with 200", &failedError{"Access Denied"}, "refuses the key", "API Keys"},
		{"scope", &httpclient.Error{Kind: httpclient.KindForbidden}, "may not read calls", "calls: read"},
		{
			"not provisioned", refusedWith(http.StatusForbidden,
				`{"success":false,"message":"The service is not provisioned for your account."}`),
			"doesn't have this service", "support",
		},
		{
			"disabled", refusedWith(http.StatusForbidden,
				`{"success":false,"message":"Request failed. The feature is disabled for your account."}`),
			"doesn't have this service", "support",
		},
		{"no path", refusedWith(http.StatusNotFound, notFound), "API doesn't exist at this address", "base_url"},
		{
			"no CSV", fmt.Errorf("%w: %w", &httpclient.Error{Kind: httpclient.KindNotFound}, errNoCSV), "no CSV export",
			"set format to json or stream",
		},
		{"parameter", refusedWith(http.StatusBadRequest,
			`{"success":false,"message":"Missing or invalid parameter per_page"}`), "parameter per_page", "report it"},
		{"throttled", &httpclient.Error{Kind: httpclient.KindThrottled}, "throttles", "requests_per_minute"},
		{"unavailable", refusedWith(http.StatusServiceUnavailable,
			`{"success":false,"message":"Service temporary unavailable"}`), "has a fault", "the exporter retries"},
		{"fault", &httpclient.Error{Kind: httpclient.KindServer}, "has a fault", "the exporter retries"},
		{"success false", &failedError{}, "failed, with status 200", "the exporter retries"},
		{"HTML", httpclient.Retryable(wire.ErrHTML), "didn't come from Wavix", "maintenance"},
		{"HTML as JSON", &httpclient.Error{Kind: httpclient.KindBody}, "didn't come from Wavix", "maintenance"},
		{"cut stream", fmt.Errorf("%w at byte 7", wire.ErrCut), "or was cut off", "maintenance"},
		{"network", &httpclient.Error{Kind: httpclient.KindNetwork}, "can't be reached", "proxy_url"},
		{"redirect", &httpclient.Error{Kind: httpclient.KindRedirect}, "another host", "base_url"},
		{"giant", &httpclient.Error{Kind: httpclient.KindTooLarge}, "GET", "support"},
		{
			"proxy", &httpclient.Error{Kind: httpclient.KindStatus, Status: http.StatusProxyAuthRequired},
			"proxy requires credentials", "proxy_url",
		},
		{"another status", &httpclient.Error{Kind: httpclient.KindStatus, Status: 418}, "GET", "support"},
		{"an export without pages", errTooManyRows, "over 10000 rows, but the request was for 1000", "try json"},
		{
			"a day of its own", &dayError{resting: true, text: "the calls placed on 2026-03-02 are too many"},
			"the calls placed on 2026-03-02 are too many", "requests_per_minute",
		},
		{"no key", errKey, "spaces or other invalid characters", "api_key_file"},
		{"timeout", context.DeadlineExceeded, "was interrupted", "try again"},
		{"anything else", errors.New("odd"), "odd", "log"},
	} {
		t.Run(test.name, func(t *testing.T) {
			providertest.Advised(t, Advise, test.err, test.what, test.todo)
		})
	}
}

// refusedWith is the error of an answer with a body.
func refusedWith(status int, body string) error {
	client, err := httpclient.New(httpclient.Settings{
		BaseURL: defaultBaseURL, Quote: quote,
		Transport: &fakeWavix{first: []reply{{status: status, body: body}}},
	})
	if err != nil {
		return err
	}
	_, err = client.Get(context.Background(), httpclient.Request{URL: "/x", Label: "cdrs"})
	return err
}

func TestMessages(t *testing.T) {
	for body, want := range map[string]string{
		`{"success":false,"error":true,"message":"Unauthorized"}`: `GET cdrs: 400 Bad Request, Wavix says "Unauthorized"`,
		`{"message":"unauthorized."}`:                             `GET cdrs: 400 Bad Request, Wavix says "Unauthorized"`,
		`{"message":"Missing or invalid parameter from"}`:         `GET cdrs: 400 Bad Request, Wavix says "Missing or invalid parameter from"`,
		`{"message":"Missing or invalid parameter 12065550100"}`:  `GET cdrs: 400 Bad Request`,
		`{"message":"Missing or invalid parameter s3cr3t"}`:       `GET cdrs: 400 Bad Request`,
		`{"message":"The number 12065550100 is unknown"}`:         `GET cdrs: 400 Bad Request`,
		`{"message":["Unauthorized"]}`:                            `GET cdrs: 400 Bad Request`,
		`{"success":false}`:                                       `GET cdrs: 400 Bad Request`,
		`["x"]`:                                                   `GET cdrs: 400 Bad Request`,
		`<html>`:                                                  `GET cdrs: 400 Bad Request`,
		``:                                                        `GET cdrs: 400 Bad Request`,
	} {
		if got := refusedWith(http.StatusBadRequest, body).Error(); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
