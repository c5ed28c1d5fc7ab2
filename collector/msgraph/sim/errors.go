package sim

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// graphError is the body of Graph's errors.
func graphError(code, message string, r *http.Request, now time.Time) []byte {
	return encode(map[string]any{"error": map[string]any{
		"code": code, "message": message,
		"innerError": map[string]any{
			"date":              now.Format("2006-01-02T15:04:05"),
			"request-id":        "5a5a0000-0000-4000-8000-00000000e440",
			"client-request-id": r.Header.Get("client-request-id"),
		},
	}})
}

// statusCodes are the codes that Graph gives with a status.
var statusCodes = map[int]string{
	http.StatusTooManyRequests:     "TooManyRequests",
	http.StatusInternalServerError: "UnknownError",
	http.StatusBadGateway:          "BadGateway",
	http.StatusServiceUnavailable:  "ServiceNotAvailable",
	http.StatusGatewayTimeout:      "GatewayTimeout",
}

// refusal is an answer that isn't rows.
func (s *Server) refusal(r *http.Request, status int, code, message string) simulator.Answer {
	now := s.timeline.Now()
	a := s.answer(r, status, graphError(code, message, r, now))
	if status == http.StatusUnauthorized {
		a.Header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+s.LoginURL()+`/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"`)
	}
	return a
}

// answer is a JSON answer of Graph's.
func (s *Server) answer(r *http.Request, status int, body []byte) simulator.Answer {
	now := s.timeline.Now()
	return simulator.Answer{
		Status: status, Body: body, Now: now,
		Header: http.Header{"Request-Id": {"5a5a0000-0000-4000-8000-00000000e440"}, "Cache-Control": {"no-cache"}},
		Error: func(status int) []byte {
			return graphError(statusCodes[status], "", r, now)
		},
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
