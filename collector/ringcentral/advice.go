package ringcentral

import (
	"cmp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/advice"
	"github.com/cdr-exporter/cdr-exporter/collector/httpclient"
)

// Remedies that several errors share. PERMISSION stands for the missing permission.
const (
	sessionsTodo = "let no other program use the same app and user: RingCentral ends the oldest of about five " +
		"sessions; " +
		"use a separate app for each, and run one exporter with this one"
	clientTodo = "copy client_id and client_secret from the app's credentials in the Developer Console; " +
		"they must be from the environment of base_url"
	grantTodo = "in the Developer Console, open the app's settings and choose JWT auth flow; an app for " +
		"another flow may have to be created again"
	jwtTodo = "create a JWT credential in the Developer Console (Credentials, as the user whose calls are " +
		"read, or as an administrator), " +
		"for all apps or for this one, and put it into jwt or its file"
	appTodo = "in the Developer Console, add PERMISSION to the app's permissions (Settings, Security); it " +
		"takes effect with the next token"
	userTodo = "in the Admin Portal, give the user of the JWT a role with PERMISSION " +
		"(Users, Roles; for the whole account's log, Super Admin includes it), or set scope: extension to " +
		"read this user's calls only"
)

// meaning explains an error, and what to do about it.
type meaning struct{ what, todo string }

var (
	noGrant   = meaning{"the app isn't allowed the JWT grant", grantTodo}
	badClient = meaning{"RingCentral doesn't know the app, or its secret is wrong", clientTodo}
	lostToken = meaning{
		"RingCentral keeps ending our sessions: too many clients use the same app and user",
		sessionsTodo,
	}
)

// meanings are by RingCentral's codes, or by the names of errors without a code (RingCentral,
// "Error codes").
var meanings = map[string]meaning{
	"OAU-112": noGrant, "OAU-125": noGrant, "unauthorized_client": noGrant, "unsupported_grant_type": noGrant,
	"OAU-146": badClient, "OAU-153": badClient, "invalid_client": badClient,
	"OAU-213": lostToken, "TokenInvalid": lostToken, "TokenExpired": lostToken,
	"OAU-147": {
		"RingCentral has locked the user or the app",
		"unlock the user in the Admin Portal, or ask RingCentral's support",
	},
	"OAU-128": {"the JWT has expired", jwtTodo},
	"OAU-129": {"the JWT is malformed", jwtTodo},
	"OAU-149": {"the JWT is malformed", jwtTodo},
	"invalid_grant": {
		"RingCentral doesn't accept the JWT: it has expired, was revoked, or is for other apps or another environment",
		jwtTodo,
	},
	"invalid_scope": {"the app lacks a permission", appTodo},
	"CMN-401":       {"the app lacks the permission PERMISSION", appTodo},
	"CMN-402": {
		"the user of the JWT isn't an administrator",
		"create the JWT as an administrator of the account, or set scope: extension to read this user's calls only",
	},
	"CMN-408": {"the user of the JWT lacks the permission PERMISSION", userTodo},
	"CMN-310": {
		"RingCentral throttles the whole account",
		"nothing: the exporter retries when RingCentral allows it; check what else uses the account's API",
	},
}

var common = advice.Provider{Name: "RingCentral", Address: "base_url", Default: defaultBaseURL +
	", partners of RingCentral have others"}

// Advise explains an error of this package and what to do about it, one line each, without secrets.
func Advise(err error) (what, todo string) {
	m, permission := refusalOf(err)
	if m.what == "" {
		return common.Advise(err)
	}
	fill := strings.NewReplacer("PERMISSION",
		cmp.Or(permission, "ReadCallLog (and FullCompanyCallLog for the whole account)"))
	return fill.Replace(m.what) + " (" + err.Error() + ")", fill.Replace(m.todo)
}

// refusalOf explains a refusal by its code, its name or its status, and returns the permission that
// it requires; both are empty if err isn't a refusal.
func refusalOf(err error) (m meaning, permission string) {
	request, forToken := advice.LastRequest(err)
	if request == nil {
		return meaning{}, ""
	}
	said, kind := readRefusal(request.Body), request.Kind
	first, second := said.name, said.code
	if forToken {
		first, second = second, first // OAuth's names are less specific than codes
	}
	m, ok := meanings[first]
	if !ok {
		m, ok = meanings[second]
	}
	switch {
	case ok:
	case forToken && (kind == httpclient.KindBadRequest || kind == httpclient.KindUnauthorized ||
		kind == httpclient.KindForbidden):
		m = meaning{
			"RingCentral refused to issue a token",
			"check client_id, client_secret and jwt, and look the code up in RingCentral's list of errors; " +
				"without a code, check for something between " +
				"the exporter and RingCentral: a proxy, a gateway or a sign-in page",
		}
	case kind == httpclient.KindForbidden:
		m = meaning{"RingCentral refuses: the app, or the user of the JWT, lacks PERMISSION", userTodo + "; " + appTodo}
	case kind == httpclient.KindUnauthorized:
		m = meaning{
			"RingCentral doesn't accept the token that it issued",
			"check that base_url is the platform that the app belongs to; set the machine's clock",
		}
	}
	return m, said.permission
}
