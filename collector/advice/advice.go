// Package advice explains errors of a provider and what to do about them, for errors that mean the
// same with every provider. Its sentences contain no secrets, and neither do the texts of
// httpclient's errors.
package advice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Error is an error with its remedy. In this package's sentences PROVIDER, ADDRESS and DEFAULT
// stand for the provider's names.
type Error struct{ What, Todo string }

func (e *Error) Error() string { return e.What }

// UnreadableSecret is the error for a secret whose file can't be read. Its text names the file,
// never its content.
func UnreadableSecret(err error) *Error {
	return &Error{What: err.Error(), Todo: "make the file readable for the user that the exporter runs as"}
}

// NoneReadable is the error for rows of which none can be read, with the problem of the first row.
func NoneReadable(rows int, problem string) *Error {
	return &Error{
		What: fmt.Sprintf("none of %d rows can be read; the first one: %s", rows, problem),
		Todo: "compare the definition with the rows: cdr-exporter provider try shows the mapping of each",
	}
}

// Provider has the names that replace PROVIDER, ADDRESS and DEFAULT in the sentences.
type Provider struct {
	// Name is the provider's name, such as RingCentral.
	Name string
	// Address is the configuration key of the provider's address, and Default its default value.
	Address, Default string
}

var (
	badBody = Error{
		"the response didn't come from PROVIDER, or was cut off",
		"nothing, if it passes: PROVIDER may be under maintenance; else check for something between the " +
			"exporter and PROVIDER: a proxy, a gateway or a sign-in page",
	}
	badRequest = Error{"PROVIDER refuses the request", "check the machine's clock and ADDRESS; report it if it stays"}
	notFound   = Error{"the API doesn't exist at this address", "check ADDRESS (by default DEFAULT)"}
	otherHost  = Error{
		"the answer links to another host, which the exporter never follows",
		"check ADDRESS (by default DEFAULT), and for something between the exporter and PROVIDER",
	}
)

var ofRequests = map[httpclient.Kind]Error{
	httpclient.KindThrottled: {
		"PROVIDER throttles the exporter's credentials",
		"nothing: the exporter retries when PROVIDER allows it; if it persists, let no other program use the " +
			"same credentials, or lower requests_per_minute",
	},
	httpclient.KindBadRequest:    badRequest,
	httpclient.KindNotAcceptable: badRequest,
	httpclient.KindNotFound:      notFound,
	httpclient.KindGone:          notFound,
	httpclient.KindServer: {
		"PROVIDER has a fault",
		"nothing, if it passes: the exporter retries; see PROVIDER's service status",
	},
	httpclient.KindNetwork: {
		"PROVIDER can't be reached",
		"check name resolution, proxy_url, the firewall and tls_config.ca_file, and ADDRESS if it is set",
	},
	httpclient.KindBody:     badBody,
	httpclient.KindHost:     otherHost,
	httpclient.KindRedirect: otherHost,
	httpclient.KindToken: {
		"PROVIDER issued no token in time",
		"nothing, if it passes: the exporter retries; else check the network, proxy_url and ADDRESS",
	},
}

// Advise returns what an error means and what to do about it.
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
			"PROVIDER's answer never ends",
			"nothing, if it passes: a shorter range is read; else see whether something between the exporter " +
				"and PROVIDER repeats answers",
		}
	case errors.Is(err, wire.ErrHTML), errors.Is(err, wire.ErrCut):
		return badBody
	case errors.Is(err, httpclient.ErrLimited):
		return ofRequests[httpclient.KindThrottled]
	case request == nil && (errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)):
		return Error{"the request to PROVIDER was interrupted", "try again"}
	case request == nil:
		return Error{Todo: "nothing, if it passes: the exporter retries; else see the log"}
	case request.Status == http.StatusProxyAuthRequired:
		return Error{"the proxy requires credentials", "put user and password into proxy_url"}
	}
	if m, ok := ofRequests[request.Kind]; ok {
		return m
	}
	return Error{Todo: "see the log, and quote the request id to PROVIDER's support"}
}

// LastRequest returns the request that failed, or nil, and whether it was a request for a token.
func LastRequest(err error) (request *httpclient.Error, forToken bool) {
	request, _ = errors.AsType[*httpclient.Error](err)
	if request != nil && request.Kind == httpclient.KindToken {
		if token, ok := errors.AsType[*httpclient.Error](request.Unwrap()); ok {
			return token, true
		}
	}
	return request, false
}
