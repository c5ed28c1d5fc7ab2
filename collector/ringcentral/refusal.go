package ringcentral

import (
	"errors"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// What RingCentral's codes and names look like; anything else isn't printed.
var (
	codeForm       = regexp.MustCompile(`^[A-Z]{2,5}-[0-9]{1,4}$`)
	nameForm       = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{0,39}$`)
	permissionForm = regexp.MustCompile(`^[A-Z][A-Za-z]{2,39}$`)
	// bracketed is the permission in the messages of answers without permissionName.
	bracketed = regexp.MustCompile(`\[([A-Z][A-Za-z]{2,39})\] (?:application )?permission`)
)

// answerOptions are for answers that aren't rows.
var answerOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// refusalError is a refused request with RingCentral's own codes, which say more than the status. Its messages are left out: they are free text.
type refusalError struct {
	error

	// code is such as CMN-408, name such as InsufficientPermissions or invalid_grant.
	code, name string
	// permission is the one that is missing.
	permission string
}

// Error implements error.
func (r *refusalError) Error() string {
	text := r.error.Error() + ", RingCentral says " + strings.TrimSpace(r.code+" "+r.name)
	if r.permission != "" {
		text += " (" + r.permission + ")"
	}
	return text
}

// Unwrap returns the refused request.
func (r *refusalError) Unwrap() error { return r.error }

// withProblem adds RingCentral's codes to an error that holds some in its answer. What
// isn't RingCentral's has none: a gateway's page, an empty answer.
func withProblem(err error) error {
	type problem struct {
		ErrorCode      string `json:"errorCode"`
		Message        string `json:"message"`
		PermissionName string `json:"permissionName"`
		OAuthError     string `json:"error"`
	}
	var body struct {
		problem

		Errors []problem `json:"errors"`
	}
	refused, ok := errors.AsType[*httpclient.Error](err)
	if !ok || json.Unmarshal(refused.Body, &body, answerOptions) != nil {
		return err
	}
	first := problem{}
	if len(body.Errors) > 0 {
		first = body.Errors[0]
	}
	r := &refusalError{
		error:      err,
		code:       firstMatch(codeForm, first.ErrorCode, body.ErrorCode),
		name:       firstMatch(nameForm, body.ErrorCode, body.OAuthError, first.ErrorCode),
		permission: firstMatch(permissionForm, first.PermissionName, body.PermissionName),
	}
	if match := bracketed.FindStringSubmatch(first.Message + "\n" + body.Message); match != nil && r.permission == "" {
		r.permission = match[1]
	}
	if r.code+r.name == "" {
		return err
	}
	return r
}

func firstMatch(form *regexp.Regexp, candidates ...string) string {
	for _, text := range candidates {
		if form.MatchString(text) {
			return text
		}
	}
	return ""
}
