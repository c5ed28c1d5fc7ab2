// Package advice words what an error of a provider's means and what to do about it, where that is the same for all of them. Each sentence is
// one line of our own words, without secrets: the texts of httpclient's errors have none either.
package advice

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Error is an error that brings its own remedy. In the sentences of this package PROVIDER, ADDRESS and DEFAULT stand for the provider's names.
type Error struct{ What, Todo string }

func (e *Error) Error() string { return e.What }

// UnreadableSecret is a secret whose file can't be read; the text of such an error names the file, never its content.
func UnreadableSecret(err error) *Error {
	return &Error{What: err.Error(), Todo: "make the file readable for the user that the exporter runs as"}
}

// Provider has the names that the sentences are filled with.
type Provider struct {
	// Name is such as RingCentral.
	Name string
	// Address is the key of its address, and Default what that is by default.
	Address, Default string
}

var (
	badBody = Error{
		"something that is no answer of PROVIDER's came, or a piece of one",
		"nothing, if it passes: PROVIDER may be under maintenance; else see what stands between the exporter and PROVIDER: " +
			"a proxy, a gateway or its sign-in page",
	}
	badRequest = Error{"PROVIDER refuses the request", "check the machine's clock and ADDRESS; report it if it stays"}
	notFound   = Error{"there is no such API at this address", "check ADDRESS (by default DEFAULT)"}
	otherHost  = Error{
		"the answer points to another host, which is never followed",
		"check ADDRESS (by default DEFAULT), and see what stands between the exporter and PROVIDER",
	}
)

var ofRequests = map[httpclient.Kind]Error{
	httpclient.KindThrottled: {
		"PROVIDER throttles the exporter's credentials",
		"nothing: it is asked again when PROVIDER allows; if it stays so, let no other program use the same credentials, or lower requests_per_minute",
	},
	httpclient.KindBadRequest:    badRequest,
	httpclient.KindNotAcceptable: badRequest,
	httpclient.KindNotFound:      notFound,
	httpclient.KindGone:          notFound,
	httpclient.KindServer:        {"PROVIDER has a fault", "nothing, if it passes: it is asked again; see PROVIDER's service status"},
	httpclient.KindNetwork: {
		"PROVIDER can't be reached", "check name resolution, proxy_url, the firewall and tls_config.ca_file, and ADDRESS if it is set",
	},
	httpclient.KindBody:     badBody,
	httpclient.KindHost:     otherHost,
	httpclient.KindRedirect: otherHost,
	httpclient.KindToken: {
		"PROVIDER gave no token in time", "nothing, if it passes: it is asked again; else check the network, proxy_url and ADDRESS",
	},
}

// Advise says what an error means and what to do about it.
func (p *Provider) Advise(err error) (what, todo string) {
	if e, ok := errors.AsType[*Error](err); ok {
		return err.Error(), e.Todo
	}
	m := meaningOf(err)
	fill := strings.NewReplacer("PROVIDER", p.Name, "ADDRESS", p.Address, "DEFAULT", p.Default).Replace
	if m.What == "" {
		return err.Error(), fill(m.Todo)
	}
	return fill(m.What) + " (" + err.Error() + ")", fill(m.Todo)
}

func meaningOf(err error) Error {
	request, _ := LastRequest(err)
	switch {
	case errors.Is(err, httpclient.ErrLinkExpired), errors.Is(err, httpclient.ErrLinkRepeated):
		return Error{"PROVIDER's paging broke off", "nothing: the range is read again from its beginning"}
	case errors.Is(err, httpclient.ErrTooManyPages), errors.Is(err, wire.ErrTooManyRows):
		return Error{
			"PROVIDER's answer has no end",
			"nothing, if it passes: a shorter range is read; else see whether something between the exporter and PROVIDER repeats answers",
		}
	case errors.Is(err, wire.ErrHTML), errors.Is(err, wire.ErrCut):
		return badBody
	case errors.Is(err, httpclient.ErrLimited):
		return ofRequests[httpclient.KindThrottled]
	case request == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return Error{"PROVIDER was not asked to the end", "try again"}
	case request == nil:
		return Error{Todo: "nothing, if it passes: it is tried again; else see the log"}
	case request.Status == http.StatusProxyAuthRequired:
		return Error{"the proxy wants credentials", "put user and password into proxy_url"}
	}
	if m, ok := ofRequests[request.Kind]; ok {
		return m
	}
	return Error{Todo: "see the log, and quote the request id to PROVIDER's support"}
}

// LastRequest is the request that failed, nil if none did, and whether it is that for a token.
func LastRequest(err error) (request *httpclient.Error, forToken bool) {
	request, _ = errors.AsType[*httpclient.Error](err)
	if request != nil && request.Kind == httpclient.KindToken {
		if token, ok := errors.AsType[*httpclient.Error](request.Unwrap()); ok {
			return token, true
		}
	}
	return request, false
}
