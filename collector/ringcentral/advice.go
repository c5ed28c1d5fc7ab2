package ringcentral

import (
	"context"
	"errors"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Advise says what an error of this package means and what to do about it, each in a
// line, without secrets.
func Advise(err error) (what, todo string) {
	if err == nil {
		return "nothing is wrong", "nothing"
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e.Error(), e.todo
	}
	text := err.Error()
	switch {
	case errors.Is(err, collector.ErrTokenLost):
		return "RingCentral no longer knows the sync token (" + text + ")", "nothing: reading begins anew, further back"
	case errors.Is(err, collector.ErrNoSync):
		return "this account doesn't offer to read the call log by changes (" + text + ")", "nothing: it is read by ranges of time"
	case errors.Is(err, httpclient.ErrLinkExpired), errors.Is(err, httpclient.ErrLinkRepeated):
		return "RingCentral's paging broke off: " + text, "nothing: the range is read again from its beginning"
	case errors.Is(err, httpclient.ErrTooManyPages), errors.Is(err, wire.ErrTooManyRows):
		return text, "nothing, if it passes: a shorter range is read; else see whether something between the exporter and RingCentral repeats answers"
	case errors.Is(err, errRecordingID):
		return text, "nothing: such a recording can't be asked for"
	}
	if e, ok := errors.AsType[*httpclient.Error](err); ok {
		return adviseRequest(e, text, saidBy(err))
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "RingCentral was not asked to the end: " + text, "try again"
	}
	return text, "nothing, if it passes: it is tried again; else see the log"
}

// saidBy is what RingCentral said in a refusal.
func saidBy(err error) says {
	if p, ok := errors.AsType[*problem](err); ok {
		return p.says
	}
	return says{}
}

func adviseRequest(e *httpclient.Error, text string, said says) (what, todo string) {
	switch e.Kind {
	case httpclient.KindForbidden:
		return adviseForbidden(text, said)
	case httpclient.KindUnauthorized:
		return adviseUnauthorized(text, said)
	case httpclient.KindThrottled:
		return adviseThrottled(text, said)
	case httpclient.KindBadRequest, httpclient.KindNotAcceptable:
		return "RingCentral refuses the request (" + text + ")", "check the machine's clock and base_url; report it if it stays"
	case httpclient.KindNotFound, httpclient.KindGone:
		return "there is no call log at this address (" + text + ")",
			"check base_url: " + defaultBaseURL + " is the default, partners of RingCentral have others"
	case httpclient.KindServer:
		return "RingCentral has a fault (" + text + ")", "nothing, if it passes: it is asked again; see RingCentral's service status"
	case httpclient.KindNetwork:
		return "RingCentral can't be reached (" + text + ")",
			"check name resolution, proxy_url, the firewall and tls_config.ca_file, and base_url if it is set"
	case httpclient.KindBody:
		return "something that is no answer of RingCentral's came, or a piece of one (" + text + ")",
			"see what stands between the exporter and RingCentral: a proxy, a gateway or its sign-in page"
	case httpclient.KindHost, httpclient.KindRedirect:
		return "the answer points to another host, which is never followed (" + text + ")",
			"set base_url to the host that RingCentral's own links name; see what stands between"
	case httpclient.KindToken: // without a TokenError: it took too long
		return "RingCentral gave no token in time (" + text + ")", "nothing, if it passes: it is asked again; else check the network, proxy_url and base_url"
	case httpclient.KindTooLarge, httpclient.KindStatus:
	}
	if e.Status == http.StatusProxyAuthRequired {
		return "the proxy wants credentials (" + text + ")", "put user and password into proxy_url"
	}
	return text, "see the log, and quote the request id to RingCentral's support"
}

// adviseForbidden tells a permission that the app lacks from one that its user lacks.
func adviseForbidden(text string, said says) (what, todo string) {
	permission := said.permission
	if permission == "" {
		permission = "a permission for the call log (ReadCallLog, and FullCompanyCallLog for the whole account)"
	}
	switch said.code {
	case "CMN-401":
		return "the app lacks the permission " + permission + " (" + text + ")", appPermissionTodo(permission)
	case "CMN-402":
		return "the user of the JWT is no administrator (" + text + ")",
			"make the JWT as an administrator of the account, or set scope: extension to read this user's calls only"
	case "CMN-408":
		return "the user of the JWT lacks the permission " + permission + " (" + text + ")", userPermissionTodo(permission)
	}
	return "RingCentral refuses: the app, or the user of the JWT, lacks " + permission + " (" + text + ")",
		userPermissionTodo(permission) + "; " + appPermissionTodo("ReadCallLog")
}

// adviseUnauthorized is for a token that was new and yet refused.
func adviseUnauthorized(text string, said says) (what, todo string) {
	if said.code == "OAU-213" || said.name == "TokenInvalid" {
		return "RingCentral ends our sessions again and again: too many use the same app and user (" + text + ")", sessionsTodo
	}
	return "RingCentral doesn't take the token that it gave (" + text + ")",
		"check that base_url is the platform that the app belongs to; set the machine's clock"
}

func adviseThrottled(text string, said says) (what, todo string) {
	if said.code == "CMN-310" {
		return "RingCentral throttles the whole account (" + text + ")", "nothing: it is asked again when RingCentral allows; see what else uses the account's API"
	}
	return "RingCentral throttles this app and user (" + text + ")",
		"nothing: it is asked again when RingCentral allows; if it stays so, let no other program use the same app and user, or lower requests_per_minute"
}
