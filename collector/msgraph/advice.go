package msgraph

import (
	"errors"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/msgraph/subscriptions"
)

var common = advice.Provider{
	Name: "Graph", Address: "graph_url, login_url and cloud",
	Default: "https://graph.microsoft.com",
}

// Advise explains an error of this package and what to do about it, one line each, without secrets.
func Advise(err error) (what, todo string) {
	if e, ok := errors.AsType[*advice.Error](err); ok {
		return e.What, e.Todo
	}
	if e, ok := errors.AsType[*subscriptions.Error](err); ok {
		return adviseSubscription(e)
	}
	return adviseRequest(err)
}

// adviseSubscription explains why no notifications come. Call records are still read from the list.
func adviseSubscription(err error) (what, todo string) {
	const meanwhile = "; meanwhile the exporter reads call records from the list"
	text := err.Error()
	e, asked := errors.AsType[*httpclient.Error](err)
	switch {
	case !asked:
		return text, "nothing, if it passes: the exporter retries" + meanwhile
	case e.Kind == httpclient.KindBadRequest:
		return "Graph doesn't create the subscription, mostly because nothing answers at public_url (" + text + ")",
			"check that Graph can reach public_url from the internet: a publicly trusted certificate, TLS " +
				"1.2, no sign-in, and a proxy that forwards " +
				"its path and query to --webhook.listen-address" + meanwhile
	case e.Kind == httpclient.KindForbidden:
		return "Graph refuses the subscription: the app lacks the permission, or the tenant already has the " +
				"maximum of 100 subscriptions to call records (" + text + ")",
			"check that the app has CallRecords.Read.All with admin consent, and delete subscriptions that " +
				"other programs have left" + meanwhile
	}
	what, todo = adviseRequest(e)
	return what, todo + meanwhile
}

func adviseRequest(err error) (what, todo string) {
	kind := httpclient.KindOf(err)
	paging := errors.Is(err, httpclient.ErrLinkExpired) || errors.Is(err, httpclient.ErrLinkRepeated)
	switch {
	case errors.Is(err, collector.ErrNoneFetched) && kind.RefusesLink():
		return "Graph refuses every call record that it lists or notifies of (" + err.Error() + ")",
			"nothing, if it passes: the exporter retries all of them and skips none; see Microsoft's service " +
				"health, and quote the request ids to its support"
	case kind == httpclient.KindForbidden:
		return "Graph refuses the app: it lacks the permission, or consent to it (" + err.Error() + ")",
			"give the app registration the application permission CallRecords.Read.All of Microsoft Graph and " +
				"grant admin consent; Graph may refuse a token that was issued before for up to another hour"
	case kind == httpclient.KindUnauthorized:
		return "Graph doesn't accept the token: it is for another tenant, cloud or audience (" + err.Error() + ")",
			"check that cloud is the tenant's (usgov_l4 is GCC High, usgov_l5 is DoD), and graph_url and " +
				"login_url if they are set; set the machine's clock"
	case !paging && (kind == httpclient.KindNotAcceptable || kind == httpclient.KindBadRequest):
		return "Graph refuses the range of time (" + err.Error() + ")",
			"check the machine's clock; Graph returns at most 90 days at once, and keeps Direct Routing calls " +
				"for 150 days and call records for 30"
	}
	return common.Advise(err)
}
