package sim

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// Refusal is why a key that is right is refused.
type Refusal uint8

// The refusals.
const (
	NotRefused Refusal = iota
	// WrongAddress: the key is limited to other IP addresses. It looks like a wrong
	// key.
	WrongAddress
	// NotProvisioned: the account doesn't have the service.
	NotProvisioned
	// FeatureDisabled: it is switched off for the account.
	FeatureDisabled
	// MissingScope: the key lacks calls:read.
	MissingScope
)

// takesAppID says whether the key may come in the query.
func (s *Server) takesAppID() bool {
	return s.Generation() == GenerationA || s.settings.AcceptAppID
}

// authorise checks a request's key; nil is good.
func (s *Server) authorise(r *http.Request, endpoint string, options url.Values) *simulator.Answer {
	key, inHeader := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if s.Generation() == GenerationA {
		key, inHeader = "", false
	}
	if !inHeader && s.takesAppID() {
		key = options.Get(appID)
	}
	s.mu.Lock()
	good := key != "" && subtle.ConstantTimeCompare([]byte(key), []byte(s.key)) == 1
	refusal, ok := s.refusals[endpoint]
	if !ok {
		refusal = s.refusals[""]
	}
	s.mu.Unlock()
	if !good {
		refusal = WrongAddress
	}
	switch refusal {
	case NotRefused:
		return nil
	case WrongAddress:
		return s.refuse(http.StatusUnauthorized, s.unauthorized(endpoint))
	case NotProvisioned:
		return s.refuse(http.StatusForbidden, "The service is not provisioned for your account.")
	case FeatureDisabled:
		return s.refuse(http.StatusForbidden, "Request failed. The feature is disabled for your account.")
	default:
		// Wavix documents the scopes, but not the text for a key without.
		return s.refuse(http.StatusForbidden, "Forbidden")
	}
}

// unauthorized is the text for a wrong key, which call control had another one for.
func (s *Server) unauthorized(endpoint string) string {
	if s.Generation() < GenerationC && (endpoint == EndpointCalls || endpoint == EndpointCall) {
		return "Access Denied"
	}
	return "Unauthorized"
}
