package ringcentral

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// TokenError says why RingCentral gave no token. Its text holds codes and ids, never a
// piece of an answer or of a credential.
type TokenError struct {
	// Code is RingCentral's, such as OAU-140; empty if there is none.
	Code string
	// Status is the HTTP status, 0 without an answer.
	Status int

	what, todo string
	id         string // of the request
}

// Error implements error.
func (e *TokenError) Error() string {
	text := e.what
	if e.id != "" {
		text += " (" + headerRequestID + "=" + e.id + ")"
	}
	return text
}

// requestIDForm is what ids of requests look like.
var requestIDForm = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// failed says why an exchange brought nothing. Of the library's error it uses nothing.
func (x *exchange) failed(err error) error {
	switch {
	case !x.Asked:
		return &TokenError{
			what: "a token can't be asked for: the request can't be made", todo: "check base_url, client_id and client_secret",
		}
	case x.Network != nil:
		return httpclient.Retryable(&TokenError{
			what: x.endpoint.Host + " can't be reached: " + x.Unreached(),
			todo: "check name resolution, proxy_url, the firewall and tls_config.ca_file, and base_url if it is set",
		})
	case err != nil && x.Status >= 200 && x.Status <= 299 && readRefusal(x.Body).String() == "":
		return x.noToken()
	}
	return x.refusedToken()
}

// noToken is for an answer that should hold a token and doesn't.
func (x *exchange) noToken() error {
	return httpclient.Retryable(&TokenError{
		Status: x.Status, id: x.requestID(),
		what: x.endpoint.Host + " answered with something that is no token",
		todo: "see what stands between the exporter and RingCentral (a proxy, a gateway or its sign-in page), and base_url",
	})
}

// refusedToken is for an answer that is no success.
func (x *exchange) refusedToken() error {
	said := readRefusal(x.Body)
	e := &TokenError{Code: said.code, Status: x.Status, id: x.requestID()}
	what, todo := meaning(x.Status, said)
	if what == "" {
		what, todo = x.byStatus()
	}
	e.what, e.todo = what+" ("+httpclient.StatusText(x.Status)+saying(said)+")", todo
	switch x.Status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return httpclient.Retryable(e)
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return e
	}
	if x.Status >= 500 {
		return httpclient.Retryable(e)
	}
	return e
}

// saying is what RingCentral says, behind a status.
func saying(said says) string {
	if text := said.String(); text != "" {
		return ", RingCentral says " + text
	}
	return ""
}

// byStatus is the meaning of a refusal without a code that is known.
func (x *exchange) byStatus() (what, todo string) {
	const between = "see what stands between the exporter and RingCentral (a proxy, a gateway or its sign-in page), and base_url"
	switch {
	case x.Status == http.StatusTooManyRequests:
		return "RingCentral throttles the requests for tokens", sessionsTodo
	case x.Status == http.StatusProxyAuthRequired:
		return "the proxy wants credentials", "put user and password into proxy_url"
	case x.Status >= 300 && x.Status <= 399:
		return x.endpoint.Host + " sends requests for tokens elsewhere, which is never followed", "check base_url"
	case isHTML(x.Header, x.Body):
		return x.endpoint.Host + " answered with a page instead of a token", between
	case x.Status == http.StatusNotFound || x.Status == http.StatusMethodNotAllowed:
		return x.endpoint.Host + " gives no tokens: it is not RingCentral's platform",
			"check base_url: " + defaultBaseURL + " is the default, partners of RingCentral have others"
	case x.Status >= 500:
		return "RingCentral has a fault and gives no token", "nothing, if it passes: it is asked again; see RingCentral's service status"
	}
	return "RingCentral refused to give a token",
		"check client_id, client_secret and jwt, and look the code up in RingCentral's list of errors"
}

func (x *exchange) requestID() string {
	if id := x.Header.Get(headerRequestID); requestIDForm.MatchString(id) {
		return id
	}
	return ""
}

func isHTML(header http.Header, body []byte) bool {
	return strings.Contains(header.Get("Content-Type"), "html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

func unreadableSecret(err error) *TokenError {
	return &TokenError{
		what: err.Error(), // names the file, never its content
		todo: "make the file readable for the user that the exporter runs as",
	}
}
