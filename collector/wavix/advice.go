package wavix

import (
	"context"
	"errors"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Advise says what an error of this package means and what to do about it, each in a
// line, without secrets.
func Advise(err error) (what, todo string) {
	if err == nil {
		return "nothing is wrong", "nothing"
	}
	text := err.Error()
	if _, ok := errors.AsType[*keyError](err); ok {
		return "there is no key to send (" + text + ")",
			"see that api_key or the file of api_key_file holds the key and nothing else, and that the exporter may read it"
	}
	if _, ok := errors.AsType[*dayError](err); ok {
		return text, "nothing, if it passes: no call is lost; else raise requests_per_minute, if the plan of the account allows it"
	}
	switch {
	case errors.Is(err, errNoCSV):
		return "the account has no CSV export (" + text + ")", "set format to json or stream"
	case errors.Is(err, errSamePage), errors.Is(err, errTooManyRows):
		return "the answers aren't the pages that are asked for (" + text + ")", "see what stands in between, such as a cache; with format: stream try json"
	case errors.Is(err, wire.ErrHTML):
		return adviseBody(text)
	}
	if what, todo := adviseMessage(says(err), text); what != "" {
		return what, todo
	}
	if e, ok := errors.AsType[*httpclient.Error](err); ok {
		return adviseRequest(e, err)
	}
	if errors.Is(err, errRefused) {
		return "Wavix answers that the request failed, with status 200 (" + text + ")",
			"nothing, if it passes: it is asked again; else ask Wavix's support"
	}
	switch {
	case errors.Is(err, wire.ErrCut):
		return "an answer broke off (" + text + ")", "nothing, if it passes: it is read again from its beginning; else set format to json, for shorter answers"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "Wavix was not asked to the end: " + text, "try again"
	}
	return text, "nothing, if it passes: it is tried again; else see the log"
}

// adviseMessage knows the provider's own messages, which say more than the status.
func adviseMessage(message, text string) (what, todo string) {
	switch message {
	case "Unauthorized", "Access Denied":
		return adviseKey(text)
	case "The service is not provisioned for your account.", "Request failed. The feature is disabled for your account.":
		return "the account doesn't have this service (" + text + ")", "ask Wavix's support to enable it; leave the feed out until then"
	case "Service temporary unavailable":
		return "Wavix has a fault (" + text + ")", "nothing, if it passes: it is asked again; else see Wavix's status page"
	}
	return "", ""
}

func adviseKey(text string) (what, todo string) {
	return "Wavix refuses the key, or the address that it comes from (" + text + ")",
		"check the key (Administration, API Keys) and, if it is restricted to IP addresses, that the exporter's public one is among them; " +
			"older accounts need auth: query"
}

func adviseBody(text string) (what, todo string) {
	return "something that is no answer of Wavix's came, or a piece of one (" + text + ")",
		"nothing, if it passes: Wavix may be under maintenance; else see what stands between the exporter and Wavix, such as a proxy or its sign-in page"
}

func adviseRequest(e *httpclient.Error, err error) (what, todo string) {
	text := err.Error()
	switch e.Kind {
	case httpclient.KindUnauthorized:
		return adviseKey(text)
	case httpclient.KindForbidden:
		return "the key may not read calls (" + text + ")",
			"give the key the scope `calls: read` (Administration, API Keys); if it has it, the account lacks the service"
	case httpclient.KindNotFound:
		if errors.Is(err, errNoPath) {
			return "neither the newer nor the older path is there (" + text + ")", "check base_url: scheme and host only, such as " + defaultBaseURL
		}
		return "the path that the account has answers that there is nothing (" + text + ")",
			"nothing, if it passes; if Wavix has moved the account to another version of the API, restart the exporter; with format: stream try json"
	case httpclient.KindBadRequest:
		return "Wavix refuses the request (" + text + ")", "report it: the API may have changed; try another format"
	case httpclient.KindThrottled:
		return "Wavix throttles the key (" + text + ")", "nothing: it is asked again when Wavix allows; lower requests_per_minute if it stays so"
	case httpclient.KindServer:
		return "Wavix has a fault (" + text + ")", "nothing, if it passes: it is asked again; else see Wavix's status page"
	case httpclient.KindNetwork:
		return "Wavix can't be reached (" + text + ")",
			"check name resolution, proxy_url, the firewall and tls_config.ca_file, and base_url if it is set"
	case httpclient.KindBody:
		return adviseBody(text)
	case httpclient.KindTooLarge:
		return "an answer is too large (" + text + ")", "set format to json, and report it"
	case httpclient.KindHost, httpclient.KindRedirect:
		return "the answer points to another place, which is never followed (" + text + ")", "check base_url"
	case httpclient.KindToken, httpclient.KindNotAcceptable, httpclient.KindGone, httpclient.KindStatus:
	}
	if e.Status == http.StatusProxyAuthRequired {
		return "the proxy wants credentials (" + text + ")", "put user and password into proxy_url"
	}
	return text, "see the log, and ask Wavix's support"
}
