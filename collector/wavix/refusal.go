package wavix

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// knownMessages are the messages that the provider documents, or that were seen: only
// these are printed, for any other may hold anything.
var knownMessages = []string{
	"Unauthorized",
	"Access Denied",
	"The service is not provisioned for your account.",
	"Request failed. The feature is disabled for your account.",
	"Record not found",
	"Service temporary unavailable",
}

// invalidParameter begins a message that ends with the parameter's name.
var invalidParameter = regexp.MustCompile(`^Missing or invalid parameter (\w{1,32})\.?$`)

// refusal is what an answer says besides rows: {"success": false, "message": "..."},
// with a status of an error or with 200.
type refusal struct {
	failed  bool
	message string
}

// errRefused is an answer with status 200 that says that it failed.
type refusedError struct{ message string }

// Error implements error.
func (e *refusedError) Error() string {
	return "the answer says that the request failed" + quoted(e.message)
}

// messageError is a refusal by status with the provider's own message, which says more.
type messageError struct {
	error
	message string
}

// Error implements error.
func (e *messageError) Error() string { return e.error.Error() + quoted(e.message) }

// Unwrap returns the refusal.
func (e *messageError) Unwrap() error { return e.error }

func quoted(message string) string {
	if message == "" {
		return ""
	}
	return `, Wavix says "` + message + `"`
}

// member takes a member of an answer's envelope, and says whether it is one of a
// refusal's.
func (r *refusal) member(name string, raw jsontext.Value) bool {
	switch strings.ToLower(name) {
	case "success":
		r.failed = r.failed || raw.Kind() == 'f'
	case "error":
		r.failed = r.failed || raw.Kind() != 'f' && raw.Kind() != 'n'
	case "message":
		r.message = messageOf(raw)
	default:
		return false
	}
	return true
}

// err is the refusal, nil if there is none.
func (r *refusal) err() error {
	if !r.failed {
		return nil
	}
	return &refusedError{message: r.message}
}

// messageOf is a message that may be printed, else empty.
func messageOf(raw jsontext.Value) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return ""
	}
	text = strings.TrimSpace(text)
	for _, known := range knownMessages {
		if strings.EqualFold(strings.TrimSuffix(text, "."), strings.TrimSuffix(known, ".")) {
			return known
		}
	}
	if match := invalidParameter.FindStringSubmatch(text); match != nil && isParameter(match[1]) {
		return "Missing or invalid parameter " + match[1]
	}
	return ""
}

// isParameter says whether a name is that of a parameter that we send.
func isParameter(name string) bool {
	switch name {
	case "from", "to", "type", "disposition", "page", "per_page", queryKey:
		return true
	}
	return false
}

// withMessage adds the provider's message to an error that holds one in its answer.
func withMessage(err error) error {
	refused, ok := errors.AsType[*httpclient.Error](err)
	if !ok || len(refused.Body) == 0 {
		return err
	}
	var body struct {
		Message jsontext.Value `json:"message"`
	}
	// What isn't the provider's has no message: a gateway's page, an empty answer.
	if json.Unmarshal(refused.Body, &body, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) != nil {
		return err
	}
	if message := messageOf(body.Message); message != "" {
		return &messageError{error: err, message: message}
	}
	return err
}

// says is the provider's message of an error, empty if it has none.
func says(err error) string {
	if e, ok := errors.AsType[*messageError](err); ok {
		return e.message
	}
	if e, ok := errors.AsType[*refusedError](err); ok {
		return e.message
	}
	return ""
}
