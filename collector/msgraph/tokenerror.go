package msgraph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// TokenError says why the identity platform gave no token. Its text holds codes and ids, never a piece of an answer or of a credential.
type TokenError struct {
	// Code is the number of the AADSTS error, 0 if there is none.
	Code int

	what, todo string
	ids        string
}

// Error implements error.
func (e *TokenError) Error() string {
	text := e.what
	if e.Code != 0 {
		text = fmt.Sprintf("AADSTS%d: %s", e.Code, text)
	}
	if e.ids != "" {
		text += " (" + e.ids + ")"
	}
	return text
}

// oauthError is the body of a refusal (RFC 6749 5.2, with Entra ID's additions).
type oauthError struct {
	Error         string `json:"error"`
	Codes         []int  `json:"error_codes"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// refusal is the error for an answer other than success.
func (x *exchange) refusal() error {
	var body oauthError
	_ = json.Unmarshal(x.Body, &body) // without JSON the status has to do
	e := &TokenError{ids: body.ids()}
	if len(body.Codes) > 0 {
		e.Code = body.Codes[0]
	}
	known := slices.IndexFunc(refusals, func(r refusal) bool { return slices.Contains(r.codes, e.Code) })
	switch {
	case known >= 0:
		e.what, e.todo = refusals[known].what, refusals[known].todo
	case x.endpoint == nil && (x.Status == http.StatusBadRequest || x.Status == http.StatusNotFound):
		e.what = "this machine doesn't have that managed identity (" + httpclient.StatusText(x.Status) + ")"
		e.todo = "assign the identity to the Azure resource, and give managed_identity.client_id if it is a user-assigned one"
	case x.endpoint == nil:
		e.what = "the managed identity endpoint gave no token: " + httpclient.StatusText(x.Status)
		e.todo = "check that the Azure resource has a managed identity and that the exporter may reach its endpoint"
	default:
		e.what = x.host + " refused to give a token: " + httpclient.StatusText(x.Status)
		if plainWord.MatchString(body.Error) {
			e.what += ", " + body.Error
		}
		e.todo = "look the code up in Microsoft's list of AADSTS errors; check tenant_id, client_id, the credential and cloud"
	}
	if x.Status == http.StatusTooManyRequests || x.Status >= 500 || e.Code == passingFault {
		return httpclient.Retryable(e)
	}
	return e
}

// ids are what Microsoft's support asks for.
func (b *oauthError) ids() string {
	if !plainWord.MatchString(b.TraceID) || !plainWord.MatchString(b.CorrelationID) {
		return ""
	}
	return "trace_id=" + b.TraceID + " correlation_id=" + b.CorrelationID
}

func unreadableSecret(err error) *TokenError {
	return &TokenError{
		what: err.Error(), // names the file, never its content
		todo: "make the file readable for the user that the exporter runs as",
	}
}

// unusableCredential is what the identity library refuses before it asks anybody; its text is then about files and options.
func (x *exchange) unusableCredential(err error) *TokenError {
	const longest = 200
	text, _, _ := strings.Cut(err.Error(), "\n")
	e := &TokenError{
		what: "the credential can't be used: " + text[:min(len(text), longest)],
		todo: "check the keys of the credential and the files that they name; a workload identity needs token_file or AZURE_FEDERATED_TOKEN_FILE",
	}
	if x.endpoint == nil {
		e.todo = "check managed_identity and the kind of Azure resource that the exporter runs on"
	}
	return e
}

func badCertificate(why string) *TokenError {
	return &TokenError{
		what: "the client certificate can't be used: " + why,
		todo: "put certificate and RSA key, not encrypted, into one PEM file, or into a PKCS #12 file made with " +
			"openssl pkcs12 -export -legacy, and name it in client_certificate_file",
	}
}
