package msgraph

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// oauthError is the body of a refusal (RFC 6749 5.2, with Entra ID's additions).
type oauthError struct {
	Error         string `json:"error"`
	Codes         []int  `json:"error_codes"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// refusal is the error for an answer other than success. Its text has codes and ids, never a part
// of the answer.
func (x *exchange) refusal() error {
	var body oauthError
	_ = json.Unmarshal(x.body, &body) // without JSON the status has to suffice
	code := 0
	if len(body.Codes) > 0 {
		code = body.Codes[0]
	}
	e, passes := new(advice.Error), x.status == http.StatusTooManyRequests || x.status >= 500 || code == passingFault
	known := slices.IndexFunc(refusals, func(r refusal) bool { return slices.Contains(r.codes, code) })
	switch {
	case known >= 0:
		e.What, e.Todo = refusals[known].what, refusals[known].todo
	case x.endpoint == nil && (x.status == http.StatusBadRequest || x.status == http.StatusNotFound):
		e.What = "this machine doesn't have that managed identity (" + httpclient.StatusText(x.status) + ")"
		e.Todo = "assign the identity to the Azure resource, and set managed_identity.client_id if it is a " +
			"user-assigned one"
	case x.endpoint == nil:
		e.What = "the managed identity endpoint returned no token: " + httpclient.StatusText(x.status)
		e.Todo = "check that the Azure resource has a managed identity and that the exporter may reach its endpoint"
	default:
		e.What = x.host + " refused to issue a token: " + httpclient.StatusText(x.status)
		if plainWord.MatchString(body.Error) {
			e.What += ", " + body.Error
		}
		e.Todo = "look the code up in Microsoft's list of AADSTS errors; check tenant_id, client_id, the " +
			"credential and cloud"
		if passes {
			e.Todo = "nothing, if it passes: the exporter retries; else see Microsoft's service health"
		}
	}
	if code != 0 {
		e.What = fmt.Sprintf("AADSTS%d: %s", code, e.What)
	}
	e.What += body.ids()
	if passes {
		wait := httpclient.ParseRetryAfter(x.header, time.Now()) //nolint:forbidigo // the header may be a date
		return httpclient.RetryableAfter(e, wait)
	}
	return e
}

// ids are what Microsoft's support needs.
func (b *oauthError) ids() string {
	if !plainWord.MatchString(b.TraceID) || !plainWord.MatchString(b.CorrelationID) {
		return ""
	}
	return " (trace_id=" + b.TraceID + " correlation_id=" + b.CorrelationID + ")"
}

// unusableCredential is the error for a credential that the identity library refuses before any
// request; its text is about files and options.
func (x *exchange) unusableCredential(err error) *advice.Error {
	const longest = 200
	text, _, _ := strings.Cut(err.Error(), "\n")
	e := &advice.Error{
		What: "the credential can't be used: " + text[:min(len(text), longest)],
		Todo: "check the keys of the credential and the files that they name; a workload identity needs " +
			"token_file or AZURE_FEDERATED_TOKEN_FILE",
	}
	if x.endpoint == nil {
		e.Todo = "check managed_identity and the kind of Azure resource that the exporter runs on"
	}
	return e
}

func badCertificate(why string) *advice.Error {
	return &advice.Error{
		What: "the client certificate can't be used: " + why,
		Todo: "put certificate and RSA key, not encrypted, into one PEM file, or into a PKCS #12 file made with " +
			"openssl pkcs12 -export -legacy, and name it in client_certificate_file",
	}
}
