package sim

import (
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// errorDetail is one entry of an error's list.
type errorDetail struct {
	Code       string `json:"errorCode"`
	Message    string `json:"message"`
	Parameter  string `json:"parameterName,omitempty"`
	Permission string `json:"permissionName,omitempty"`
	// Parameters are in OAuth errors.
	Parameters []parameter `json:"parameters,omitempty"`
}

type parameter struct {
	Name  string `json:"parameterName"`
	Value string `json:"parameterValue"`
}

// problem is the body of an error.
type problem struct {
	status      int
	OAuth       string        `json:"error,omitempty"`
	Description string        `json:"error_description,omitempty"`
	Code        string        `json:"errorCode,omitempty"`
	Message     string        `json:"message,omitempty"`
	Errors      []errorDetail `json:"errors"`
	Permission  string        `json:"permissionName,omitempty"`
}

func apiError(status int, code, message string) *problem {
	return &problem{status: status, Code: code, Message: message, Errors: []errorDetail{{Code: code, Message: message}}}
}

// named gives an error a name beside the code in its list.
func (p *problem) named(name string) *problem {
	p.Code = name
	return p
}

func (p *problem) about(name string) *problem {
	p.Errors[0].Parameter = name
	return p
}

func badParameter(name string) *problem {
	return apiError(http.StatusBadRequest, "CMN-101", "Parameter ["+name+"] value is invalid.").named("InvalidParameter").about(name)
}

func notFound(parameter string) *problem {
	return apiError(http.StatusNotFound, "CMN-102", "Resource for parameter ["+parameter+"] is not found").about(parameter)
}

// missingPermission is CMN-401 for the app's, CMN-408 for the user's.
func missingPermission(code, permission string) *problem {
	message := "[" + permission + "] permission required"
	if code == "CMN-401" {
		message = "In order to call this API endpoint, application needs to have [" + permission + "] permission"
	}
	p := apiError(http.StatusForbidden, code, message).named("InsufficientPermissions")
	p.Errors[0].Permission, p.Permission = permission, permission
	return p
}

func lostToken() *problem {
	return apiError(http.StatusUnauthorized, "OAU-213", "Token not found").named("TokenInvalid")
}

func expiredToken() *problem {
	return apiError(http.StatusUnauthorized, "OAU-128", "Access token expired.").named("TokenExpired")
}

func lostSync(code string) *problem {
	return apiError(http.StatusBadRequest, code, "Parameter [syncToken] is invalid [Sync token expired, call log was reset]").
		named("InvalidParameter").about("syncToken")
}

func rateExceeded() *problem {
	return apiError(http.StatusTooManyRequests, "CMN-301", "Request rate exceeded")
}

// errorBody is the body of a fault's status.
func (s *Server) errorBody(status int) []byte {
	switch status {
	case http.StatusTooManyRequests:
		return s.encode(rateExceeded())
	case http.StatusInternalServerError:
		return s.encode(apiError(status, "CMN-203", "Internal Server Error"))
	default:
		return s.encode(apiError(status, "CMN-201", "Service Temporary Unavailable"))
	}
}

func (s *Server) encode(p *problem) []byte {
	if s.settings.BareErrors {
		p = &problem{OAuth: p.OAuth, Description: p.Description, Errors: p.Errors}
	}
	return simulator.JSON(p)
}

// reply is a JSON reply with the headers of the rate limit.
func (s *Server) reply(h http.Header, status int, body []byte) simulator.Reply {
	h.Set("RCRequestId", "5a5a0000-0000-4000-8000-00000000e440")
	h.Set("Cache-Control", "no-cache, no-store, max-age=0")
	return simulator.Reply{Answer: simulator.Answer{Status: status, Header: h, Body: body, Error: s.errorBody}}
}

// refused is the reply of an error.
func (s *Server) refused(h http.Header, p *problem) simulator.Reply {
	if p.status == http.StatusUnauthorized && p.OAuth == "" {
		h.Set("WWW-Authenticate", `Bearer realm="RingCentral REST API", error="invalid_token"`)
	}
	a := s.reply(h, p.status, s.encode(p))
	a.Refused = true
	return a
}
