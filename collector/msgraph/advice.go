package msgraph

import (
	"context"
	"errors"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Advise says what an error of this package means and what to do about it, each in a line, without secrets.
func Advise(err error) (what, todo string) {
	if err == nil {
		return "nothing is wrong", "nothing"
	}
	if e, ok := errors.AsType[*TokenError](err); ok {
		return e.Error(), e.todo
	}
	text := err.Error()
	switch {
	case errors.Is(err, httpclient.ErrLinkExpired), errors.Is(err, httpclient.ErrLinkRepeated):
		return "Graph's paging broke off: " + text, "nothing: the range is read again from its beginning"
	case errors.Is(err, httpclient.ErrTooManyPages), errors.Is(err, wire.ErrTooManyRows):
		return text, "see whether something between the exporter and Graph repeats answers"
	case errors.Is(err, collector.ErrNoneFetched) && httpclient.KindOf(err).RefusesLink():
		return "Graph refuses every call record that its list or its notifications name (" + text + ")",
			"nothing, if it passes: all are asked for again, and no position moves past them; see Microsoft's service health, and quote the request ids to its support"
	}
	if e, ok := errors.AsType[*subscriptions.Error](err); ok {
		return adviseSubscription(e)
	}
	if e, ok := errors.AsType[*httpclient.Error](err); ok {
		return adviseRequest(e, text)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "Graph was not asked to the end: " + text, "try again"
	}
	return text, "nothing, if it passes: it is tried again; else see the log"
}

// adviseSubscription says what keeps notifications from coming. Call records are read from the list all the same.
func adviseSubscription(err error) (what, todo string) {
	const meanwhile = "; meanwhile call records are read from the list"
	text := err.Error()
	e, asked := errors.AsType[*httpclient.Error](err)
	switch {
	case errors.Is(err, subscriptions.ErrNoSecret):
		return text, "start with a ledger, which keeps the secret"
	case !asked:
		return text, "nothing, if it passes: it is tried again" + meanwhile
	case e.Kind == httpclient.KindBadRequest:
		return "Graph makes no subscription, mostly because nothing answers at public_url (" + text + ")",
			"see that Graph can reach public_url from the internet: a certificate that is publicly trusted, TLS 1.2, no sign-in, and a proxy that passes " +
				"its path and query on to --webhook.listen-address" + meanwhile
	case e.Kind == httpclient.KindForbidden:
		return "Graph refuses the subscription: the app lacks the permission, or the tenant has its hundred subscriptions to call records (" + text + ")",
			"see that the app has CallRecords.Read.All with admin consent, and delete subscriptions that other programs have left" + meanwhile
	}
	what, todo = adviseRequest(e, text)
	return what, todo + meanwhile
}

func adviseRequest(e *httpclient.Error, text string) (what, todo string) {
	switch e.Kind {
	case httpclient.KindForbidden:
		return "Graph refuses the app: it lacks the permission, or the consent to it (" + text + ")",
			"give the app registration the application permission CallRecords.Read.All of Microsoft Graph and grant admin consent; " +
				"a token that was issued before may be refused for up to an hour more"
	case httpclient.KindUnauthorized:
		return "Graph doesn't take the token: it is for another tenant, cloud or audience (" + text + ")",
			"check that cloud is the tenant's (usgov_l4 is GCC High, usgov_l5 is DoD), and graph_url and login_url if they are set; " +
				"set the machine's clock"
	case httpclient.KindThrottled:
		return "Graph throttles this app or the tenant (" + text + ")",
			"nothing: it is asked again when Graph allows; lower requests_per_minute if it stays so"
	case httpclient.KindNotAcceptable, httpclient.KindBadRequest:
		return "Graph refuses the range of time (" + text + ")",
			"check the machine's clock; Graph gives at most 90 days at once, and keeps Direct Routing calls for 150 days and call records for 30"
	case httpclient.KindNotFound, httpclient.KindGone:
		return "there is no call log at this address (" + text + ")", "check graph_url and cloud"
	case httpclient.KindServer:
		return "Graph has a fault (" + text + ")", "nothing, if it passes: it is asked again; see Microsoft's service health"
	case httpclient.KindNetwork:
		return "Graph can't be reached (" + text + ")",
			"check name resolution, proxy_url, the firewall and tls_config.ca_file, and graph_url if it is set"
	case httpclient.KindBody:
		return "something that is no answer of Graph's came, or a piece of one (" + text + ")",
			"see what stands between the exporter and Graph: a proxy, a gateway or its sign-in page"
	case httpclient.KindHost, httpclient.KindRedirect:
		return "the answer points to another host, which is never followed (" + text + ")",
			"see what stands between the exporter and Graph; check graph_url and cloud"
	case httpclient.KindToken: // without a TokenError: it took too long
		return "the identity platform gave no token in time (" + text + ")",
			"nothing, if it passes: it is asked again; else check the network, proxy_url and login_url"
	case httpclient.KindTooLarge, httpclient.KindStatus:
	}
	if e.Status == http.StatusProxyAuthRequired {
		return "the proxy wants credentials (" + text + ")", "put user and password into proxy_url"
	}
	return text, "see the log, and quote the request ids to Microsoft's support"
}
