package sim

import (
	"encoding/json"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// errorDetail is one entry of an error's list.
type errorDetail struct {
	Code       string `json:"errorCode"`
	Message    string `json:"message"`
	Parameter  string `json:"parameterName,omitempty"`
	Permission string `json:"permissionName,omitempty"`
}

// problem is the body of the API's errors.
type problem struct {
	Code       string        `json:"errorCode,omitempty"`
	Message    string        `json:"message,omitempty"`
	Errors     []errorDetail `json:"errors"`
	Permission string        `json:"permissionName,omitempty"`
}

// refusal is an answer that isn't what was asked for.
type refusal struct {
	status int
	body   problem
}

// refuse makes a refusal whose own code is that of its list.
func refuse(status int, code, message string) *refusal {
	return &refusal{status, problem{Code: code, Message: message, Errors: []errorDetail{{Code: code, Message: message}}}}
}

// named makes a refusal with a name beside the code of its list.
func named(status int, name, code, message string) *refusal {
	r := refuse(status, code, message)
	r.body.Code = name
	return r
}

// badParameter is CMN-101.
func badParameter(name string) *refusal {
	r := named(http.StatusBadRequest, "InvalidParameter", "CMN-101", "Parameter ["+name+"] value is invalid.")
	r.body.Errors[0].Parameter = name
	return r
}

// notFound is CMN-102.
func notFound(parameter string) *refusal {
	r := refuse(http.StatusNotFound, "CMN-102", "Resource for parameter ["+parameter+"] is not found")
	r.body.Errors[0].Parameter = parameter
	return r
}

// lacking is what is said when a permission lacks: CMN-401 if it is the app's, CMN-408
// if it is the user's.
func lacking(code, permission string) *refusal {
	message := "[" + permission + "] permission required"
	if code == "CMN-401" {
		message = "In order to call this API endpoint, application needs to have [" + permission + "] permission"
	}
	r := named(http.StatusForbidden, "InsufficientPermissions", code, message)
	r.body.Errors[0].Permission, r.body.Permission = permission, permission
	return r
}

// statusCodes are the codes that come with a status.
var statusCodes = map[int]errorDetail{
	http.StatusTooManyRequests:     {Code: "CMN-301", Message: "Request rate exceeded"},
	http.StatusInternalServerError: {Code: "CMN-203", Message: "Internal Server Error"},
	http.StatusServiceUnavailable:  {Code: "CMN-201", Message: "Service Temporary Unavailable"},
	http.StatusBadGateway:          {Code: "CMN-201", Message: "Service Temporary Unavailable"},
	http.StatusGatewayTimeout:      {Code: "CMN-201", Message: "Service Temporary Unavailable"},
}

// bodyOf is the body of an error status.
func (s *Server) bodyOf(status int) []byte {
	d := statusCodes[status]
	return s.written(refuse(status, d.Code, d.Message))
}

func (s *Server) written(r *refusal) []byte {
	body := r.body
	if s.settings.BareErrors {
		body = problem{Errors: body.Errors}
	}
	return encode(body)
}

// answer is a JSON answer with the headers that came of the limit.
func (s *Server) answer(h http.Header, status int, body []byte) simulator.Answer {
	h.Set("RCRequestId", "5a5a0000-0000-4000-8000-00000000e440")
	h.Set("Cache-Control", "no-cache, no-store, max-age=0")
	return simulator.Answer{Status: status, Header: h, Body: body, Error: s.bodyOf, Now: s.timeline.Now()}
}

// refused is the answer of a refusal.
func (s *Server) refused(h http.Header, r *refusal) simulator.Answer {
	if r.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="RingCentral REST API", error="invalid_token"`)
	}
	return s.answer(h, r.status, s.written(r))
}

// encode makes JSON of what always has a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
