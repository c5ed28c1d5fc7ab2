package sim

import (
	"cmp"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

func refusal(status int, members ...any) *simulator.Reply {
	return &simulator.Reply{Status: status, Refused: true, Body: simulator.JSON(simulator.NewObject(members...))}
}

// apiError is an error with a code and a text. If the name is empty, it is the code.
func apiError(status int, name, code, message string) *simulator.Reply {
	entry := simulator.NewObject("errorCode", code, "message", message)
	a := refusal(status, "errorCode", cmp.Or(name, code), "message", message, "errors", []any{entry})
	if status == http.StatusUnauthorized {
		a.Header = http.Header{"Www-Authenticate": {`Bearer realm="RingCentral REST API", error="invalid_token"`}}
	}
	return a
}

// oauthError is an error of the OAuth endpoints, in the form of RFC 6749.
func oauthError(status int, kind, code, text string) *simulator.Reply {
	entry := simulator.NewObject("errorCode", code, "message", text)
	return refusal(status, "error", kind, "error_description", text, "errors", []any{entry})
}

func badParameter(name string) *simulator.Reply {
	return apiError(http.StatusBadRequest, "InvalidParameter", "CMN-101", "Parameter ["+name+"] value is invalid.")
}

func notFound(parameter string) *simulator.Reply {
	return apiError(http.StatusNotFound, "", "CMN-102", "Resource for parameter ["+parameter+"] is not found")
}

// missingPermission is CMN-408 for the user's permissions.
func missingPermission(permission string) *simulator.Reply {
	message := "[" + permission + "] permission required"
	entry := simulator.NewObject("errorCode", "CMN-408", "message", message, "permissionName", permission)
	return refusal(http.StatusForbidden, "errorCode", "InsufficientPermissions", "message", message, "errors",
		[]any{entry}, "permissionName", permission)
}

func lostToken() *simulator.Reply {
	return apiError(http.StatusUnauthorized, "TokenInvalid", "OAU-213", "Token not found")
}

func rateExceeded() *simulator.Reply {
	return apiError(http.StatusTooManyRequests, "", "CMN-301", "Request rate exceeded")
}

func errorBody(status int) []byte {
	if status == http.StatusTooManyRequests {
		return rateExceeded().Body
	}
	return apiError(status, "", "CMN-201", "Service Temporary Unavailable").Body
}

func reply(body []byte) simulator.Reply {
	return simulator.Reply{Status: http.StatusOK, Body: body, Error: errorBody}
}
