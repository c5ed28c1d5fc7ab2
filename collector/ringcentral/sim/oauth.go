package sim

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

const (
	// ClientID is the app's id.
	ClientID = "SimulatedClientID0001"

	accountID = "400643090008"
	userID    = "62264425016" // the extension of the user who made the JWT, above 2^31

	tokenLifetime = 3600                  // lifetime of access tokens, in seconds
	tokenPrefix   = "U0pDMTFQMDFQQVMwMHx" // prefix of RingCentral's access tokens
	// maxSessions is how many sessions a user has in one app; one more ends the oldest.
	maxSessions = 5
	jwtGrant    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
)

// JWT is the valid one. It is a secret.
func (s *Server) JWT() string { return s.jwt }

// SetPermissions replaces the user's permissions.
func (s *Server) SetPermissions(permissions ...string) {
	s.change(func() { s.permissions = permissions })
}

// KillSessions ends all sessions, as other logins of the same user do.
func (s *Server) KillSessions() { s.change(func() { s.sessions = nil }) }

// Sessions is the number of open sessions.
func (s *Server) Sessions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sessions)
}

// mintJWT makes a JWT of the user, valid for a year.
func (s *Server) mintJWT() string {
	now := time.Now()
	claims := jwt.MapClaims{
		"aud": s.BaseURL() + "/restapi/oauth/token", "sub": userID, "iss": s.BaseURL(), "iat": now.Unix(),
		"exp": now.AddDate(1, 0, 0).Unix(),
		"jti": "Simulated-Jti-0001",
	}
	text, _ := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString([]byte(rand.Text())) // any key signs
	return text
}

func (s *Server) openSession() string {
	token := tokenPrefix + rand.Text() + rand.Text()
	s.change(func() {
		s.sessions = append(s.sessions, token)
		s.sessions = s.sessions[max(0, len(s.sessions)-maxSessions):]
	})
	time.AfterFunc(tokenLifetime*time.Second, func() { s.closeSession(token) })
	return token
}

func (s *Server) closeSession(token string) {
	s.change(func() { s.sessions = slices.DeleteFunc(s.sessions, func(open string) bool { return open == token }) })
}

// authenticate checks an Authorization header; nil means that it is valid.
func (s *Server) authenticate(header string) *simulator.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	token, bearer := strings.CutPrefix(header, "Bearer ")
	if !bearer || !slices.Contains(s.sessions, token) {
		return lostToken()
	}
	return nil
}

// oauth handles a form that is posted to an OAuth endpoint by a client with its id and secret.
func (s *Server) oauth(endpoint string, serve func(*http.Request) simulator.Reply) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.Answer(w, r, endpoint, func() simulator.Reply {
			refused := s.limit("auth", w.Header())
			if refused == nil {
				refused = s.identify(r)
			}
			if refused != nil {
				return *refused
			}
			return serve(r)
		})
	}
}

func (s *Server) identify(r *http.Request) *simulator.Reply {
	id, secret, _ := r.BasicAuth()
	switch {
	case r.ParseForm() != nil || len(r.PostForm) == 0:
		return oauthError(http.StatusBadRequest, "invalid_request", "OAU-113",
			"The request must be a form that is posted")
	case id != ClientID || secret != s.ClientSecret:
		return oauthError(http.StatusUnauthorized, "invalid_client", "OAU-146", "Invalid client credentials")
	}
	return nil
}

// token is the JWT bearer grant (RFC 7523).
func (s *Server) token(r *http.Request) simulator.Reply {
	if r.PostForm.Get("assertion") != s.jwt || r.PostForm.Get("grant_type") != jwtGrant {
		return *oauthError(http.StatusBadRequest, "invalid_grant", "OAU-140", "Invalid assertion")
	}
	return reply(simulator.JSON(map[string]any{
		"access_token": s.openSession(), "token_type": "bearer", "expires_in": tokenLifetime,
		"scope": "ReadAccounts ReadCallLog ReadCallRecording", "owner_id": userID,
		"endpoint_id": "hGQ1AqmtSnGtyrsVNvI1Ew",
	}))
}

// revoke ends a session (RFC 7009). An unknown token isn't an error.
func (s *Server) revoke(r *http.Request) simulator.Reply {
	s.closeSession(r.PostForm.Get("token"))
	return reply(nil)
}
