package sim

import (
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

type problem struct {
	status int
	oauth  bool
	body   simulator.Object
}

// apiError is an error with a code and a text. An empty name is the code; details are further members of the only entry of its list.
func apiError(status int, name, code, message string, details ...any) *problem {
	if name == "" {
		name = code
	}
	entry := simulator.NewObject(append([]any{"errorCode", code, "message", message}, details...)...)
	return &problem{status: status, body: simulator.NewObject("errorCode", name, "message", message, "errors", []any{entry})}
}

// oauthError is an error of the OAuth endpoints, whose form is that of RFC 6749.
func oauthError(status int, kind, code, text string, details ...any) *problem {
	entry := simulator.NewObject(append([]any{"errorCode", code, "message", text}, details...)...)
	return &problem{status: status, oauth: true, body: simulator.NewObject("error", kind, "error_description", text, "errors", []any{entry})}
}

func badParameter(name string) *problem {
	return apiError(http.StatusBadRequest, "InvalidParameter", "CMN-101", "Parameter ["+name+"] value is invalid.", "parameterName", name)
}

func notFound(parameter string) *problem {
	return apiError(http.StatusNotFound, "", "CMN-102", "Resource for parameter ["+parameter+"] is not found", "parameterName", parameter)
}

// missingPermission is CMN-401 for the app's, CMN-408 for the user's.
func missingPermission(code, permission string) *problem {
	message := "[" + permission + "] permission required"
	if code == "CMN-401" {
		message = "In order to call this API endpoint, application needs to have [" + permission + "] permission"
	}
	p := apiError(http.StatusForbidden, "InsufficientPermissions", code, message, "permissionName", permission)
	p.body.Set("permissionName", permission)
	return p
}

func lostToken() *problem {
	return apiError(http.StatusUnauthorized, "TokenInvalid", "OAU-213", "Token not found")
}

func expiredToken() *problem {
	return apiError(http.StatusUnauthorized, "TokenExpired", "OAU-128", "Access token expired.")
}

func lostSync(code string) *problem {
	const message = "Parameter [syncToken] is invalid [Sync token expired, call log was reset]"
	return apiError(http.StatusBadRequest, "InvalidParameter", code, message, "parameterName", "syncToken")
}

func rateExceeded() *problem {
	return apiError(http.StatusTooManyRequests, "", "CMN-301", "Request rate exceeded")
}

// errorBody is the body of a fault's status.
func errorBody(status int) []byte {
	p := apiError(status, "", "CMN-201", "Service Temporary Unavailable")
	switch status {
	case http.StatusTooManyRequests:
		p = rateExceeded()
	case http.StatusInternalServerError:
		p = apiError(status, "", "CMN-203", "Internal Server Error")
	}
	return simulator.JSON(p.body)
}

// reply is a JSON reply with the headers of the rate limit.
func reply(h http.Header, status int, body []byte) simulator.Reply {
	h.Set("RCRequestId", "5a5a0000-0000-4000-8000-00000000e440")
	h.Set("Cache-Control", "no-cache, no-store, max-age=0")
	return simulator.Reply{Status: status, Header: h, Body: body, Error: errorBody}
}

func refused(h http.Header, p *problem) simulator.Reply {
	if p.status == http.StatusUnauthorized && !p.oauth {
		h.Set("WWW-Authenticate", `Bearer realm="RingCentral REST API", error="invalid_token"`)
	}
	a := reply(h, p.status, simulator.JSON(p.body))
	a.Refused = true
	return a
}
