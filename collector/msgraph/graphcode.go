package msgraph

import (
	"encoding/json"
	"errors"
	"regexp"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// graphCode is what Graph's error codes look like; anything else isn't printed.
var graphCode = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.]{0,63}$`)

// graphError is a refusal with Graph's own code, which says more than the status.
// Graph's message is left out: it is free text, and often empty.
type graphError struct {
	error
	code string
}

// Error implements error.
func (e *graphError) Error() string { return e.error.Error() + ", Graph says " + e.code }

// Unwrap returns the refusal.
func (e *graphError) Unwrap() error { return e.error }

// withCode adds Graph's code to an error that holds one in its answer.
func withCode(err error) error {
	refused, ok := errors.AsType[*httpclient.Error](err)
	if !ok || len(refused.Body) == 0 {
		return err
	}
	var body struct {
		Error struct {
			Code string `json:"code"`
		} `json:"error"`
	}
	// What isn't Graph's has no code: a gateway's page, an empty answer.
	if json.Unmarshal(refused.Body, &body) != nil || !graphCode.MatchString(body.Error.Code) {
		return err
	}
	return &graphError{error: err, code: body.Error.Code}
}
