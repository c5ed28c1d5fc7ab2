package ringcentral

import (
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The patterns of RingCentral's codes and names; no other text is printed.
var (
	codeForm       = regexp.MustCompile(`^[A-Z]{2,5}-[0-9]{1,4}$`)
	nameForm       = regexp.MustCompile(`^[A-Za-z][A-Za-z_]{0,39}$`)
	permissionForm = regexp.MustCompile(`^[A-Z][A-Za-z]{2,39}$`)
	// bracketed is the permission in messages of answers without permissionName.
	bracketed = regexp.MustCompile(`\[([A-Z][A-Za-z]{2,39})\] (?:application )?permission`)
)

// answerOptions are for answers other than rows.
var answerOptions = json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// refusal is RingCentral's own reason for a refusal, which says more than the status. Its messages
// are left out: they are free text.
type refusal struct {
	// code is a code such as CMN-408, name a name such as InsufficientPermissions or invalid_grant.
	code, name string
	// permission is the missing one.
	permission string
}

// quote is the httpclient.Settings.Quote of RingCentral: its codes.
func quote(answer []byte) string {
	r := readRefusal(answer)
	if r.code+r.name == "" {
		return ""
	}
	text := "RingCentral says " + strings.TrimSpace(r.code+" "+r.name)
	if r.permission != "" {
		text += " (" + r.permission + ")"
	}
	return text
}

// readRefusal reads a refused answer. An answer that isn't RingCentral's, such as a gateway's page
// or an empty one, gives an empty refusal.
func readRefusal(answer []byte) (r refusal) {
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
	if json.Unmarshal(answer, &body, answerOptions) != nil {
		return r
	}
	first := problem{}
	if len(body.Errors) > 0 {
		first = body.Errors[0]
	}
	r = refusal{
		code:       firstMatch(codeForm, first.ErrorCode, body.ErrorCode),
		name:       firstMatch(nameForm, body.ErrorCode, body.OAuthError, first.ErrorCode),
		permission: firstMatch(permissionForm, first.PermissionName, body.PermissionName),
	}
	if match := bracketed.FindStringSubmatch(first.Message + "\n" + body.Message); match != nil && r.permission == "" {
		r.permission = match[1]
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
