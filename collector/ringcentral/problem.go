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

// refusal is the body of a refused answer, of the API and of OAuth alike.
type refusal struct {
	ErrorCode      string   `json:"errorCode"`
	Message        string   `json:"message"`
	PermissionName string   `json:"permissionName"`
	Errors         []reject `json:"errors"`
	OAuthError     string   `json:"error"`
}

// reject is one of the errors that an answer lists.
type reject struct {
	ErrorCode      string `json:"errorCode"`
	Message        string `json:"message"`
	PermissionName string `json:"permissionName"`
}

// problem is a refusal with RingCentral's own codes, which say more than the status. Its
// messages are left out: they are free text.
type problem struct {
	error
	says
}

// says is what is believed of a refusal's body.
type says struct {
	// code is such as CMN-408, name such as InsufficientPermissions or invalid_grant.
	code, name string
	// permission is the one that is missing.
	permission string
}

// Error implements error.
func (p *problem) Error() string { return p.error.Error() + ", RingCentral says " + p.String() }

// Unwrap returns the refusal.
func (p *problem) Unwrap() error { return p.error }

// String is the codes and names, with blanks between; empty if there are none.
func (s says) String() string {
	parts := make([]string, 0, 3)
	for _, part := range [...]string{s.code, s.name} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	if s.permission != "" {
		parts = append(parts, "("+s.permission+")")
	}
	return strings.Join(parts, " ")
}

// readRefusal reads a body; what isn't RingCentral's says nothing: a gateway's page, an
// empty answer.
func readRefusal(body []byte) says {
	var r refusal
	options := json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if json.Unmarshal(body, &r, options) != nil {
		return says{}
	}
	first := reject{}
	if len(r.Errors) > 0 {
		first = r.Errors[0]
	}
	s := says{permission: firstMatch(permissionForm, first.PermissionName, r.PermissionName)}
	s.code = firstMatch(codeForm, first.ErrorCode, r.ErrorCode)
	s.name = firstMatch(nameForm, r.ErrorCode, r.OAuthError, first.ErrorCode)
	for _, text := range [...]string{first.Message, r.Message} {
		if match := bracketed.FindStringSubmatch(text); match != nil && s.permission == "" {
			s.permission = match[1]
		}
	}
	return s
}

func firstMatch(form *regexp.Regexp, candidates ...string) string {
	for _, text := range candidates {
		if form.MatchString(text) {
			return text
		}
	}
	return ""
}

// withProblem adds RingCentral's codes to an error that holds some in its answer.
func withProblem(err error) error {
	refused, ok := errors.AsType[*httpclient.Error](err)
	if !ok || len(refused.Body) == 0 {
		return err
	}
	s := readRefusal(refused.Body)
	if s.String() == "" {
		return err
	}
	return &problem{error: err, says: s}
}
