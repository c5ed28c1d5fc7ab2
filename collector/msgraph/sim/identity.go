package sim

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// aad is an error of the identity platform with its AADSTS code.
func aad(code int) (int, any) {
	const trace = "5a5a0000-0000-4000-8000-00000000aad1"
	status, kind := http.StatusBadRequest, "invalid_request"
	switch code {
	case unknownClient:
		kind = "unauthorized_client"
	case wrongSecret, expiredSecret, badAssertion:
		status, kind = http.StatusUnauthorized, "invalid_client"
	}
	return status, simulator.NewObject(
		"error", kind, "error_description", fmt.Sprintf("AADSTS%d: The request is refused. Trace ID: %s", code, trace),
		"error_codes", []any{code},
		"timestamp", "2026-01-01 00:00:00Z", "trace_id", trace, "correlation_id",
		"5a5a0000-0000-4000-8000-00000000aad2",
	)
}

// The error codes of the identity platform.
const (
	unknownTenant = 90002
	badForm       = 900144
	unknownClient = 700016
	wrongSecret   = 7000215
	expiredSecret = 7000222
	badAssertion  = 700027
)

// Application is the tenant's registration of the application.
type Application struct {
	Secret        string
	SecretExpired bool
	// Certificates are those whose keys may sign assertions.
	Certificates []*x509.Certificate
	// Roles are granted to new tokens.
	Roles []string
}

// Register changes the application's registration.
func (s *Server) Register(change func(*Application)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.application)
}

// ExpireTokens invalidates all tokens issued up to now.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

// tokenLifetime is in seconds.
const tokenLifetime = 3599

func (s *Server) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	// strings only, so no error
	claims, _ := json.Marshal(map[string]any{"roles": s.application.Roles, "uti": rand.Text()})
	token := rand.Text() + "." + base64.RawURLEncoding.EncodeToString(claims) + "." + rand.Text()
	s.tokens[token] = s.application.Roles
	time.AfterFunc(tokenLifetime*time.Second, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.tokens, token)
	})
	return token
}

// Trusted answers requests as Transport does, as if each of them came with a new token.
func (s *Server) Trusted() http.RoundTripper { return trusted{s} }

type trusted struct{ *Server }

// RoundTrip implements http.RoundTripper.
func (t trusted) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.issue())
	return t.Transport().RoundTrip(r)
}

func (s *Server) authorise(r *http.Request) *simulator.Reply {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	roles, known := s.tokens[token]
	s.mu.Unlock()
	switch {
	case !bearer || !known:
		return new(s.unauthorized(r))
	case !slices.Contains(roles, Role):
		return new(s.refuse(r, http.StatusForbidden, "Forbidden", ""))
	}
	return nil
}

// serveToken answers token requests. Faults apply to its errors too.
func (s *Server) serveToken(w http.ResponseWriter, r *http.Request) {
	s.Answer(w, r, EndpointToken, func() simulator.Reply {
		status, value := s.token(r)
		return simulator.Reply{
			Status: status, Body: simulator.JSON(value), Header: http.Header{"Cache-Control": {"no-store"}},
			Error: func(int) []byte { return []byte(`{"error":"temporarily_unavailable"}`) },
		}
	})
}

// token is the client credentials grant (RFC 6749 4.4).
func (s *Server) token(r *http.Request) (int, any) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return aad(badForm)
	}
	form := r.PostForm
	scopes := strings.Fields(form.Get("scope")) // OpenID's scopes may be there too
	switch {
	case r.PathValue("tenant") != TenantID:
		return aad(unknownTenant)
	case form.Get("client_id") != ClientID:
		return aad(unknownClient)
	case form.Get("grant_type") != "client_credentials" ||
		!slices.Contains(scopes, "https://graph.microsoft.com/.default"):
		return aad(badForm)
	}
	if code := s.authenticate(r); code != 0 {
		return aad(code)
	}
	return http.StatusOK, simulator.NewObject(
		"token_type", "Bearer", "expires_in", tokenLifetime, "ext_expires_in", tokenLifetime, "access_token", s.issue())
}

// authenticate checks the client by its secret or its assertion, and returns the error's code.
func (s *Server) authenticate(r *http.Request) (code int) {
	s.mu.Lock()
	known, form := s.application, r.PostForm
	s.mu.Unlock()
	assertion := form.Get("client_assertion")
	switch {
	case assertion == "" && form.Get("client_secret") != known.Secret:
		return wrongSecret
	case assertion == "" && known.SecretExpired:
		return expiredSecret
	case assertion == "":
		return 0
	case form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer": // RFC 7523 2.2
		return badForm
	}
	return s.checkAssertion(assertion, known.Certificates, "https://"+r.Host+r.URL.Path)
}

// checkAssertion checks a client's signed JWT (RFC 7523): a registered certificate signed it, it is
// for this endpoint, from this client, and valid now.
func (s *Server) checkAssertion(text string, known []*x509.Certificate, endpoint string) (code int) {
	var claims jwt.RegisteredClaims
	client := ClientID
	_, err := jwt.ParseWithClaims(text, &claims, func(t *jwt.Token) (any, error) {
		for _, c := range known {
			// Microsoft's own libraries send plain base64, where RFC 7515 4.1.8 asks for base64url:
			// the platform accepts both.
			hash := sha256.Sum256(c.Raw)
			if x5t := t.Header["x5t#S256"]; x5t == base64.RawURLEncoding.EncodeToString(hash[:]) ||
				x5t == base64.StdEncoding.EncodeToString(hash[:]) {
				return c.PublicKey, nil
			}
		}
		return nil, errors.New("no such certificate")
	}, jwt.WithValidMethods([]string{"PS256"}), jwt.WithAudience(endpoint), jwt.WithIssuer(client),
		jwt.WithSubject(client),
		jwt.WithExpirationRequired(), jwt.WithLeeway(5*time.Minute))
	if err != nil || claims.ID == "" {
		return badAssertion
	}
	return 0
}
