// Package advice words what an error of a provider's means and what to do about it, where that is the same for all of them. Each sentence is
// one line of our own words, without secrets: the texts of httpclient's errors have none either.
package advice

import (
	"context"
	"errors"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
)

// Error is an error that brings its own remedy.
type Error struct{ What, Todo string }

// Error implements error.
func (e *Error) Error() string { return e.What }

// UnreadableSecret is a secret whose file can't be read; the text of such an error names the file, never its content.
func UnreadableSecret(err error) *Error {
	return &Error{What: err.Error(), Todo: "make the file readable for the user that the exporter runs as"}
}

// Provider has the names of which the sentences are made.
type Provider struct {
	// Name is such as RingCentral.
	Name string
	// Address is the key of its address, and Default what that is by default.
	Address, Default string
}

// Advise says what an error means and what to do about it.
func (p *Provider) Advise(err error) (what, todo string) {
	if err == nil {
		return "nothing is wrong", "nothing"
	}
	text := err.Error()
	if e, ok := errors.AsType[*Error](err); ok {
		return text, e.Todo
	}
	switch {
	case errors.Is(err, httpclient.ErrLinkExpired), errors.Is(err, httpclient.ErrLinkRepeated):
		return p.Name + "'s paging broke off: " + text, "nothing: the range is read again from its beginning"
	case errors.Is(err, httpclient.ErrTooManyPages), errors.Is(err, wire.ErrTooManyRows):
		return text, "nothing, if it passes: a shorter range is read; else see whether something between the exporter and " + p.Name + " repeats answers"
	case errors.Is(err, wire.ErrHTML), errors.Is(err, wire.ErrCut):
		return p.adviseBody(text)
	}
	if e := lastRequest(err); e != nil {
		return p.adviseRequest(e, text)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return p.Name + " was not asked to the end: " + text, "try again"
	}
	return text, "nothing, if it passes: it is tried again; else see the log"
}

// lastRequest is the request that failed, which is that for a token if none could be had.
func lastRequest(err error) *httpclient.Error {
	e, _ := errors.AsType[*httpclient.Error](err)
	if e != nil && e.Kind == httpclient.KindToken {
		if token, ok := errors.AsType[*httpclient.Error](e.Unwrap()); ok {
			return token
		}
	}
	return e
}

func (p *Provider) adviseBody(text string) (what, todo string) {
	return "something that is no answer of " + p.Name + "'s came, or a piece of one (" + text + ")",
		"nothing, if it passes: " + p.Name + " may be under maintenance; else see what stands between the exporter and " + p.Name +
			": a proxy, a gateway or its sign-in page"
}

func (p *Provider) adviseRequest(e *httpclient.Error, text string) (what, todo string) {
	told := " (" + text + ")"
	switch e.Kind {
	case httpclient.KindThrottled:
		return p.Name + " throttles the exporter's credentials" + told, "nothing: it is asked again when " + p.Name +
			" allows; if it stays so, let no other program use the same credentials, or lower requests_per_minute"
	case httpclient.KindBadRequest, httpclient.KindNotAcceptable:
		return p.Name + " refuses the request" + told, "check the machine's clock and " + p.Address + "; report it if it stays"
	case httpclient.KindNotFound, httpclient.KindGone:
		return "there is no such API at this address" + told, "check " + p.Address + " (by default " + p.Default + ")"
	case httpclient.KindServer:
		return p.Name + " has a fault" + told, "nothing, if it passes: it is asked again; see " + p.Name + "'s service status"
	case httpclient.KindNetwork:
		return p.Name + " can't be reached" + told, "check name resolution, proxy_url, the firewall and tls_config.ca_file, and " + p.Address + " if it is set"
	case httpclient.KindBody:
		return p.adviseBody(text)
	case httpclient.KindHost, httpclient.KindRedirect:
		return "the answer points to another host, which is never followed" + told,
			"check " + p.Address + " (by default " + p.Default + "), and see what stands between the exporter and " + p.Name
	case httpclient.KindToken:
		return p.Name + " gave no token in time" + told, "nothing, if it passes: it is asked again; else check the network, proxy_url and " + p.Address
	case httpclient.KindTooLarge, httpclient.KindStatus, httpclient.KindUnauthorized, httpclient.KindForbidden:
	}
	if e.Status == http.StatusProxyAuthRequired {
		return "the proxy wants credentials" + told, "put user and password into proxy_url"
	}
	return text, "see the log, and quote the request id to " + p.Name + "'s support"
}
