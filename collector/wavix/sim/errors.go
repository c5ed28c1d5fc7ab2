package sim

import (
	"encoding/json"
	"net/http"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// failure is the body of Wavix's errors.
type failure struct {
	Success bool   `json:"success"`
	Error   bool   `json:"error,omitempty"`
	Message string `json:"message"`
}

// texts are what Wavix says with a status where it has no more to say.
var texts = map[int]string{
	http.StatusTooManyRequests:    "Too many requests",
	http.StatusServiceUnavailable: "Service temporary unavailable",
}

// failureOf is the body of an error; 401 alone has a member `error`.
func failureOf(status int, message string) []byte {
	if message == "" {
		message = texts[status]
	}
	if message == "" {
		message = http.StatusText(status)
	}
	return encode(failure{Error: status == http.StatusUnauthorized, Message: message})
}

// refuse is an answer that is an error.
func (s *Server) refuse(status int, message string) *simulator.Answer {
	a := s.answer(failureOf(status, message))
	a.Status = status
	return &a
}

// invalid is an answer to a parameter that is missing or wrong. The document of 2026
// says 400 where others say 422.
func (s *Server) invalid(name string) *simulator.Answer {
	status := http.StatusUnprocessableEntity
	if s.Generation() >= GenerationC {
		status = http.StatusBadRequest
	}
	return s.refuse(status, "Missing or invalid parameter "+name)
}

// answer is an answer of JSON.
func (s *Server) answer(body []byte) simulator.Answer {
	return simulator.Answer{
		Status: http.StatusOK, Body: body, Now: s.timeline.Now(),
		Error: func(status int) []byte { return failureOf(status, "") },
	}
}

// encode makes JSON of what always has a JSON form.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
