package sim

import (
	"cmp"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // As below.
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// aad is an error of the identity platform with its AADSTS code: of kind invalid_request unless it is about the client.
func aad(code int) (int, any) {
	const trace = "5a5a0000-0000-4000-8000-00000000aad1"
	status, kind := http.StatusBadRequest, cmp.Or(errorKinds[code], "invalid_request")
	if kind == "invalid_client" {
		status = http.StatusUnauthorized
	}
	return status, simulator.NewObject(
		"error", kind, "error_description", fmt.Sprintf("AADSTS%d: The request is refused. Trace ID: %s", code, trace), "error_codes", []any{code},
		"timestamp", "2026-01-01 00:00:00Z", "trace_id", trace, "correlation_id", "5a5a0000-0000-4000-8000-00000000aad2",
	)
}

// The codes of errors.
const (
	unknownTenant     = 90002
	badForm           = 900144
	unknownGrant      = 70003
	unknownClient     = 700016
	noCredential      = 7000216
	wrongSecret       = 7000215
	expiredSecret     = 7000222
	wrongScope        = 1002012
	wrongResource     = 500011
	unknownAssertion  = 70021
	assertionExpired  = 700024
	assertionUnsigned = 700027
)

var errorKinds = map[int]string{
	unknownGrant: "unsupported_grant_type", unknownClient: "unauthorized_client", noCredential: "invalid_client", wrongSecret: "invalid_client",
	expiredSecret: "invalid_client", wrongScope: "invalid_scope", wrongResource: "invalid_resource", unknownAssertion: "invalid_client",
	assertionExpired: "invalid_client", assertionUnsigned: "invalid_client",
}

// Application is what the tenant knows of the application.
type Application struct {
	Secret        string
	SecretExpired bool
	// Certificates are those whose keys may sign assertions, FederatedTokens a workload identity's subject tokens.
	Certificates    []*x509.Certificate
	FederatedTokens []string
	// Roles are granted to tokens that are issued from now on.
	Roles []string
}

// Application is the application as it is registered.
func (s *Server) Application() Application {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.application
}

// Register changes what is registered of the application.
func (s *Server) Register(change func(*Application)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.application)
}

// ClientSecret is the secret that works.
func (s *Server) ClientSecret() string { return s.Application().Secret }

// ExpireTokens makes all tokens that were issued so far stop working.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, a := range s.tokens {
		a.expires = time.Time{}
		s.tokens[token] = a
	}
}

type access struct {
	roles   []string
	expires time.Time
}

const tokenLifetime = 3599 * time.Second

func (s *Server) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text() + "." + rand.Text()
	s.tokens[token] = access{roles: s.application.Roles, expires: time.Now().Add(tokenLifetime)}
	return token
}

// authorise refuses a request whose token doesn't allow it.
func (s *Server) authorise(r *http.Request) *simulator.Reply {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	a, known := s.tokens[token]
	s.mu.Unlock()
	var message string
	switch {
	case !ok:
		message = "Access token is empty."
	case !known:
		message = "IDX14100: JWT is not well formed."
	case !time.Now().Before(a.expires):
		message = tokenExpired
	case !slices.Contains(a.roles, Role):
		return new(s.forbidden(r))
	default:
		return nil
	}
	return new(s.unauthorized(r, message))
}

const tokenExpired = "Lifetime validation failed, the token is expired."

// isGraph says whether a resource is this Graph: by the name of the public cloud, or by the server's own address.
func (s *Server) isGraph(resource string) bool {
	local := strings.Replace(s.GraphURL(), "127.0.0.1", "localhost", 1)
	return slices.Contains([]string{"https://graph.microsoft.com", s.GraphURL(), local}, strings.TrimSuffix(resource, "/"))
}

// identity answers requests to an endpoint of the identity platform. Its errors meet faults too.
func (s *Server) identity(endpoint string, answer func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.Answer(w, r, endpoint, func() simulator.Reply {
			status, value := answer(r)
			return simulator.Reply{
				Status: status, Body: simulator.JSON(value), Header: http.Header{"Cache-Control": {"no-store"}},
				Error: func(int) []byte { return []byte(`{"error":"temporarily_unavailable"}`) },
			}
		})
	}
}

func (s *Server) openID(r *http.Request) (int, any) {
	if r.PathValue("tenant") != s.settings.TenantID {
		return aad(unknownTenant)
	}
	base := "https://" + r.Host + "/" + s.settings.TenantID
	return http.StatusOK, simulator.NewObject(
		"issuer", base+"/v2.0", "token_endpoint", base+"/oauth2/v2.0/token", "authorization_endpoint", base+"/oauth2/v2.0/authorize")
}

// token is the client credentials grant (RFC 6749 4.4).
func (s *Server) token(r *http.Request) (int, any) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return aad(badForm)
	}
	form := r.PostForm
	switch {
	case r.PathValue("tenant") != s.settings.TenantID:
		return aad(unknownTenant)
	case form.Get("grant_type") != "client_credentials":
		return aad(unknownGrant)
	case form.Get("client_id") != s.settings.ClientID:
		return aad(unknownClient)
	}
	if code := s.authenticate(r); code != 0 {
		return aad(code)
	}
	// OpenID's own scopes may come with the one of the resource.
	scopes := slices.DeleteFunc(strings.Fields(form.Get("scope")), func(x string) bool {
		return x == "openid" || x == "offline_access" || x == "profile"
	})
	resource, ok := strings.CutSuffix(strings.Join(scopes, " "), "/.default")
	switch {
	case !ok:
		return aad(wrongScope)
	case !s.isGraph(resource):
		return aad(wrongResource)
	}
	lifetime := int(tokenLifetime / time.Second)
	return http.StatusOK, simulator.NewObject("token_type", "Bearer", "expires_in", lifetime, "ext_expires_in", lifetime, "access_token", s.issue())
}

// authenticate checks the client by its secret or by its assertion, and returns the code of what is wrong.
func (s *Server) authenticate(r *http.Request) (code int) {
	known, form := s.Application(), r.PostForm
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	switch {
	case secret == "" && assertion == "":
		return noCredential
	case assertion == "" && secret != known.Secret:
		return wrongSecret
	case assertion == "" && known.SecretExpired:
		return expiredSecret
	case assertion == "":
		return 0
	case form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer": // RFC 7523 2.2
		return badForm
	case slices.Contains(known.FederatedTokens, assertion):
		return 0
	}
	return s.checkAssertion(assertion, known.Certificates, "https://"+r.Host+r.URL.Path)
}

// checkAssertion checks a client's signed JWT (RFC 7523): signed by a registered certificate, for this endpoint, by this client, and in its time.
func (s *Server) checkAssertion(text string, known []*x509.Certificate, endpoint string) (code int) {
	var claims jwt.RegisteredClaims
	client := s.settings.ClientID
	_, err := jwt.ParseWithClaims(text, &claims, func(t *jwt.Token) (any, error) {
		for _, c := range known {
			one, two := sha1.Sum(c.Raw), sha256.Sum256(c.Raw) //nolint:gosec // x5t is a SHA-1 thumbprint (RFC 7515 4.1.7).
			if isThumbprint(t.Header["x5t"], one[:]) || isThumbprint(t.Header["x5t#S256"], two[:]) {
				return c.PublicKey, nil
			}
		}
		return nil, errors.New("no such certificate")
	}, jwt.WithValidMethods([]string{"RS256", "PS256"}), jwt.WithAudience(endpoint), jwt.WithIssuer(client), jwt.WithSubject(client),
		jwt.WithExpirationRequired(), jwt.WithLeeway(5*time.Minute))
	switch {
	case errors.Is(err, jwt.ErrTokenMalformed) || err == nil && claims.ID == "":
		return unknownAssertion
	case errors.Is(err, jwt.ErrTokenExpired) || errors.Is(err, jwt.ErrTokenNotValidYet):
		return assertionExpired
	case err != nil:
		return assertionUnsigned
	}
	return 0
}

// isThumbprint compares a header with a hash: RFC 7515 asks for base64url, Microsoft's own libraries send plain base64, and the platform accepts
// both.
func isThumbprint(header any, hash []byte) bool {
	return header == base64.RawURLEncoding.EncodeToString(hash) || header == base64.StdEncoding.EncodeToString(hash)
}

// The path of App Service's endpoint for managed identities, and the header that it requires.
const (
	managedPath   = "/msi/token"
	managedHeader = "5a5a0000-0000-4000-8000-0000000000d1"
)

// ManagedIdentityEnvironment has the variables that make a process use the endpoint for managed identities.
func (s *Server) ManagedIdentityEnvironment() map[string]string {
	return map[string]string{"IDENTITY_ENDPOINT": s.managed + managedPath, "IDENTITY_HEADER": managedHeader}
}

// managedToken is App Service's endpoint for managed identities (api-version 2019-08-01).
func (s *Server) managedToken(r *http.Request) (status int, body any) {
	options := r.URL.Query()
	resource, client := options.Get("resource"), options.Get("client_id")
	switch {
	case r.Method != http.MethodGet || r.URL.Path != managedPath:
		status = http.StatusNotFound
	case r.Header.Get("X-IDENTITY-HEADER") != managedHeader:
		status = http.StatusUnauthorized
	case options.Get("api-version") != "2019-08-01" || !s.isGraph(resource) || client != "" && client != s.settings.ClientID:
		status = http.StatusBadRequest
	default:
		return http.StatusOK, simulator.NewObject(
			"access_token", s.issue(), "token_type", "Bearer", "resource", resource, "client_id", s.settings.ClientID,
			"expires_on", strconv.FormatInt(time.Now().Add(tokenLifetime).Unix(), 10))
	}
	return status, simulator.NewObject("statusCode", status, "message", "The request is refused.")
}
