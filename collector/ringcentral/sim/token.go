package sim

import (
	"crypto/subtle"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// oauthError is the body of the token endpoint's errors.
type oauthError struct {
	Error       string        `json:"error"`
	Description string        `json:"error_description"`
	Errors      []oauthDetail `json:"errors"`
}

type oauthDetail struct {
	Code       string           `json:"errorCode"`
	Message    string           `json:"message"`
	Parameters []oauthParameter `json:"parameters,omitempty"`
}

type oauthParameter struct {
	Name  string `json:"parameterName"`
	Value string `json:"parameterValue"`
}

// oauth answers a request to one of the OAuth endpoints, which share a limit.
func (s *Server) oauth(w http.ResponseWriter, r *http.Request, endpoint string, reply func(*http.Request) (int, any)) {
	number := s.recorder.Begin(endpoint)
	seen := simulator.Seen{Endpoint: endpoint, At: s.timeline.Now()}
	defer func() { s.recorder.End(seen) }()
	h := http.Header{}
	if !s.within(GroupAuth, h) {
		a := s.refused(h, refuse(http.StatusTooManyRequests, "CMN-301", "Request rate exceeded"))
		seen.Status = a.Status
		s.faults.Write(w, r, simulator.NoFault, a)
		return
	}
	status, body := reply(r)
	var text []byte
	if body != nil {
		text = encode(body)
	}
	fault := s.faults.Next(simulator.Request{Endpoint: endpoint, Number: number}, isGeneric)
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, status)
	s.faults.Write(w, r, fault, s.answer(h, status, text))
}

// within counts a request to a group, and says whether it is answered.
func (s *Server) within(group string, h http.Header) bool {
	ok := s.limits[group].take(s.wall.Now(), h)
	if s.settings.NoRetryAfter {
		h.Del("Retry-After")
	}
	return ok
}

// isGeneric refuses the faults that only the API has.
func isGeneric(f simulator.Fault) bool {
	switch f {
	case LostToken, KilledSession, ExpiredToken, Forbidden, HostileNext, RepeatedNext, LostSyncToken, NoRecords, EmptyPage, CutPage, OddPaging:
		return false
	default:
		return true
	}
}

func oauthRefusal(status int, kind, code, text string) (int, any) {
	return status, oauthError{Error: kind, Description: text, Errors: []oauthDetail{{Code: code, Message: text}}}
}

// The grant, and the kinds of errors of RFC 6749.
const (
	jwtGrant       = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	invalidClient  = "invalid_client"
	invalidRequest = "invalid_request"
	invalidGrant   = "invalid_grant"
)

// identify checks the client's id and secret.
func (s *Server) identify(r *http.Request) (int, any) {
	id, secret, ok := r.BasicAuth()
	switch {
	case !ok:
		return oauthRefusal(http.StatusBadRequest, invalidClient, "OAU-123", "Client authentication is required")
	case id != s.settings.ClientID:
		text := "Invalid client: " + id
		return http.StatusBadRequest, oauthError{Error: invalidClient, Description: text, Errors: []oauthDetail{{
			Code: "OAU-153", Message: text, Parameters: []oauthParameter{{"client_id", id}},
		}}}
	case subtle.ConstantTimeCompare([]byte(secret), []byte(s.registered().secret)) != 1:
		return oauthRefusal(http.StatusUnauthorized, invalidClient, "OAU-146", "Invalid client credentials")
	}
	return http.StatusOK, nil
}

// isForm says whether a request posts a form, and reads it.
func isForm(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && err == nil && kind == "application/x-www-form-urlencoded" && r.ParseForm() == nil
}

// token is the JWT bearer grant (RFC 7523).
func (s *Server) token(r *http.Request) (int, any) {
	if !isForm(r) {
		return oauthRefusal(http.StatusBadRequest, invalidRequest, "OAU-113", "The request must be a form that is posted")
	}
	if status, body := s.identify(r); status != http.StatusOK {
		return status, body
	}
	grant, known := r.PostForm.Get("grant_type"), s.registered()
	switch {
	case grant != jwtGrant || known.grantless:
		return oauthRefusal(http.StatusForbidden, "unauthorized_client", "OAU-112",
			"The client is unauthorized for the required grant type: ["+grant+"]")
	case known.locked:
		return oauthRefusal(http.StatusBadRequest, invalidGrant, "OAU-147",
			"The account is locked out due to multiple unsuccessful logon attempts.")
	}
	if wrong := s.verify(r.PostForm.Get("assertion")); wrong != "" {
		return oauthRefusal(http.StatusBadRequest, invalidGrant, "OAU-140", wrong)
	}
	lifetime, ok := s.lifetime(r.PostForm.Get("access_token_ttl"))
	if !ok {
		return oauthRefusal(http.StatusBadRequest, invalidRequest, "OAU-111", "Parameter [access_token_ttl] is invalid")
	}
	endpoint := r.PostForm.Get("endpoint_id")
	set(&endpoint, "hGQ1AqmtSnGtyrsVNvI1Ew")
	return http.StatusOK, map[string]any{
		"access_token": s.begin(lifetime), "token_type": "bearer", "expires_in": int(lifetime / time.Second),
		"scope": strings.Join(known.scopes, " "), "owner_id": userID, "endpoint_id": endpoint,
	}
}

// lifetime is how long an access token works that was asked for with access_token_ttl.
func (s *Server) lifetime(text string) (time.Duration, bool) {
	if text == "" {
		return s.settings.TokenLifetime, true
	}
	seconds, err := strconv.Atoi(text)
	return time.Duration(seconds) * time.Second, err == nil && 600 <= seconds && seconds <= 3600
}

// revoke ends a session (RFC 7009). A token that isn't known is no error.
func (s *Server) revoke(r *http.Request) (int, any) {
	if !isForm(r) || r.PostForm.Get("token") == "" {
		return oauthRefusal(http.StatusBadRequest, invalidRequest, "OAU-113", "Parameter [token] is needed, in a form that is posted")
	}
	if status, body := s.identify(r); status != http.StatusOK {
		return status, body
	}
	if s.end(r.PostForm.Get("token")) {
		s.mu.Lock()
		s.sessions.revoked++
		s.mu.Unlock()
	}
	return http.StatusOK, nil
}
