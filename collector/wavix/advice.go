package wavix

import (
	"errors"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// meaning explains an error, and what to do about it.
type meaning struct{ what, todo string }

var (
	wrongKey = meaning{
		"Wavix refuses the key, or the exporter's address",
		"check the key (Administration, API Keys) and, if it is restricted to IP addresses, that the " +
			"exporter's public address is allowed; " +
			"older accounts need auth: query",
	}
	wrongScope = meaning{
		"the key may not read calls",
		"give the key the scope `calls: read` (Administration, API Keys); if it has the scope, the account " +
			"lacks the service",
	}
	noService = meaning{
		"the account doesn't have this service",
		"ask Wavix's support to enable it; remove the feed until then",
	}
	fault = meaning{
		"Wavix has a fault",
		"nothing, if it passes: the exporter retries; else see Wavix's status page",
	}
	refused = meaning{
		"Wavix answers that the request failed, with status 200",
		"nothing, if it passes: the exporter retries; else ask Wavix's support",
	}
)

// messages are the provider's documented messages and those seen in practice. They say more than
// the status, except for those without a meaning.
var messages = map[string]meaning{
	"Unauthorized":  wrongKey,
	"Access Denied": wrongKey,
	"The service is not provisioned for your account.":          noService,
	"Request failed. The feature is disabled for your account.": noService,
	"Service temporary unavailable":                             fault,
	"Record not found":                                          {},
}

var common = advice.Provider{Name: "Wavix", Address: "base_url", Default: defaultBaseURL}

// Advise explains an error of this package and what to do about it, one line each, without secrets.
func Advise(err error) (what, todo string) {
	if _, ok := errors.AsType[*dayError](err); ok {
		return err.Error(), "nothing, if it passes: no call is lost; else raise requests_per_minute, if the " +
			"account's plan allows it"
	}
	var m meaning
	failed, ok := errors.AsType[*failedError](err)
	if request, refused := errors.AsType[*httpclient.Error](err); refused {
		m = messages[readMessage(request.Body)]
	} else if ok {
		m = messages[failed.message]
	}
	switch kind := httpclient.KindOf(err); {
	case m.what != "":
	case kind == httpclient.KindUnauthorized:
		m = wrongKey
	case kind == httpclient.KindForbidden:
		m = wrongScope
	case ok:
		m = refused
	default:
		return common.Advise(err)
	}
	return m.what + " (" + err.Error() + ")", m.todo
}
