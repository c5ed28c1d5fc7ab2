package sim

import (
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // As below.
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The kinds of errors that occur more than once.
const (
	invalidClient  = "invalid_client"
	invalidRequest = "invalid_request"
)

// aad is an error of the identity platform with its AADSTS code.
func aad(status int, kind string, code int, text string) (int, any) {
	const trace = "5a5a0000-0000-4000-8000-00000000aad1"
	return status, object{
		"error": kind, "error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s", code, text, trace), "error_codes": []int{code},
		"timestamp": "2026-01-01 00:00:00Z", "trace_id": trace, "correlation_id": "5a5a0000-0000-4000-8000-00000000aad2",
	}
}

// registration is what the tenant knows of the application.
type registration struct {
	secret        string
	secretExpired bool
	certificates  []*x509.Certificate
	federated     []string
	roles         []string
}

func (s *Server) registered() registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.client
}

func (s *Server) register(change func(*registration)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.client)
}

// ClientSecret is the secret that works.
func (s *Server) ClientSecret() string { return s.registered().secret }

// SetSecret replaces the client secret.
func (s *Server) SetSecret(secret string) {
	s.register(func(c *registration) { c.secret, c.secretExpired = secret, false })
}

// ExpireSecret makes the client secret expire.
func (s *Server) ExpireSecret() { s.register(func(c *registration) { c.secretExpired = true }) }

// SetRoles grants these roles, and no others, to tokens issued from now on.
func (s *Server) SetRoles(roles ...string) {
	s.register(func(c *registration) { c.roles = slices.Clone(roles) })
}

// AddCertificate registers a certificate whose key may sign assertions.
func (s *Server) AddCertificate(x *x509.Certificate) {
	s.register(func(c *registration) { c.certificates = append(slices.Clip(c.certificates), x) })
}

// AddFederatedToken registers a workload identity's subject token.
func (s *Server) AddFederatedToken(token string) {
	s.register(func(c *registration) { c.federated = append(slices.Clip(c.federated), token) })
}

// ExpireTokens makes all tokens that were issued so far stop working.
func (s *Server) ExpireTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, a := range s.tokens {
		a.expires = time.Time{}
		s.tokens[token] = a
	}
}

// access is what an access token is good for.
type access struct {
	roles   []string
	expires time.Time
}

const tokenLifetime = 3599 * time.Second

// issue makes an access token for Graph.
func (s *Server) issue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := rand.Text() + "." + rand.Text()
	s.tokens[token] = access{roles: s.client.roles, expires: time.Now().Add(tokenLifetime)}
	return token
}

// authorise refuses a request whose token doesn't allow it.
func (s *Server) authorise(r *http.Request) *simulator.Answer {
	refuse := func(message string) *simulator.Answer {
		return s.refuse(r, http.StatusUnauthorized, "InvalidAuthenticationToken", message)
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return refuse("Access token is empty.")
	}
	s.mu.Lock()
	a, ok := s.tokens[token]
	s.mu.Unlock()
	switch {
	case !ok:
		return refuse("IDX14100: JWT is not well formed.")
	case !time.Now().Before(a.expires):
		return refuse(tokenExpired)
	case !slices.Contains(a.roles, Role):
		return s.refuse(r, http.StatusForbidden, "Forbidden", "")
	}
	return nil
}

const tokenExpired = "Lifetime validation failed, the token is expired."

// isGraph says whether a resource is this Graph: by the name of the public cloud, or by the server's own address.
func (s *Server) isGraph(resource string) bool {
	resource = strings.TrimSuffix(resource, "/")
	asked, err := url.Parse(resource)
	own, err2 := url.Parse(s.GraphURL())
	if err != nil || err2 != nil {
		return false
	}
	return resource == "https://graph.microsoft.com" ||
		asked.Scheme == "https" && asked.Port() == own.Port() && (asked.Hostname() == own.Hostname() || asked.Hostname() == "localhost")
}

// identity answers requests to an endpoint of the identity platform.
func (s *Server) identity(endpoint string, answer func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		number := s.recorder.Begin(endpoint)
		seen := simulator.Seen{Endpoint: endpoint, At: s.timeline.Now()}
		defer func() { s.recorder.End(seen) }()
		status, value := answer(r)
		a := simulator.Answer{
			Status: status, Body: encode(value), Now: s.timeline.Now(), Header: http.Header{"Cache-Control": {"no-store"}},
			Error: func(int) []byte { return encode(object{"error": "temporarily_unavailable"}) },
		}
		fault := s.faults.Next(simulator.Request{Endpoint: endpoint, Number: number}, isGeneral)
		seen.Fault, seen.Status = fault, simulator.StatusOf(fault, status)
		s.faults.Write(w, r, fault, a)
	}
}

func noTenant(name string) (int, any) {
	return aad(http.StatusBadRequest, invalidRequest, 90002, fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID.", name))
}

// openID is the tenant's OpenID configuration.
func (s *Server) openID(r *http.Request) (int, any) {
	if name := r.PathValue("tenant"); name != s.settings.TenantID {
		return noTenant(name)
	}
	base := "https://" + r.Host + "/" + s.settings.TenantID
	return http.StatusOK, object{
		"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
	}
}

// token is the client credentials grant (RFC 6749 4.4).
func (s *Server) token(r *http.Request) (int, any) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return aad(http.StatusBadRequest, invalidRequest, 900144, "The request must be a form that is posted.")
	}
	form, name := r.PostForm, r.PathValue("tenant")
	switch {
	case name != s.settings.TenantID:
		return noTenant(name)
	case form.Get("grant_type") != "client_credentials":
		return aad(http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
	case form.Get("client_id") != s.settings.ClientID:
		return aad(http.StatusBadRequest, "unauthorized_client", 700016,
			"Application with identifier '"+form.Get("client_id")+"' was not found in the directory.")
	}
	if status, body := s.authenticate(r); status != http.StatusOK {
		return status, body
	}
	// OpenID's own scopes may come with the one of the resource.
	scopes := slices.DeleteFunc(strings.Fields(form.Get("scope")), func(x string) bool {
		return x == "openid" || x == "offline_access" || x == "profile"
	})
	resource, ok := strings.CutSuffix(strings.Join(scopes, " "), "/.default")
	switch {
	case !ok:
		return aad(http.StatusBadRequest, "invalid_scope", 1002012,
			"The provided value for scope is not valid; client credential flows must have a scope with /.default.")
	case !s.isGraph(resource):
		return aad(http.StatusBadRequest, "invalid_resource", 500011, "The resource principal named "+resource+" was not found in the tenant.")
	}
	lifetime := int(tokenLifetime / time.Second)
	return http.StatusOK, object{"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": s.issue()}
}

// authenticate checks the client by its secret or by its assertion.
func (s *Server) authenticate(r *http.Request) (int, any) {
	known, form := s.registered(), r.PostForm
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	switch {
	case secret == "" && assertion == "":
		return aad(http.StatusUnauthorized, invalidClient, 900144,
			"The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case assertion == "" && secret != known.secret:
		return aad(http.StatusUnauthorized, invalidClient, 7000215, "Invalid client secret provided.")
	case assertion == "" && known.secretExpired:
		return aad(http.StatusUnauthorized, invalidClient, 7000222, "The provided client secret keys are expired.")
	case assertion == "":
		return http.StatusOK, nil
	case form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer": // RFC 7523 2.2
		return aad(http.StatusBadRequest, invalidRequest, 900144, "The client assertion type is not known.")
	case slices.Contains(known.federated, assertion):
		return http.StatusOK, nil
	}
	return s.checkAssertion(assertion, known.certificates, "https://"+r.Host+r.URL.Path)
}

// checkAssertion checks a client's signed JWT (RFC 7523): signed by a registered certificate, for this endpoint, by this client, and in its time.
func (s *Server) checkAssertion(text string, known []*x509.Certificate, endpoint string) (int, any) {
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
		return aad(http.StatusUnauthorized, invalidClient, 70021, "No matching federated identity record found for presented assertion.")
	case errors.Is(err, jwt.ErrTokenExpired) || errors.Is(err, jwt.ErrTokenNotValidYet):
		return aad(http.StatusUnauthorized, invalidClient, 700024, "Client assertion is not within its valid time range.")
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		return aad(http.StatusUnauthorized, invalidClient, 700023, "Client assertion audience claim does not match Realm issuer.")
	case err != nil:
		return aad(http.StatusUnauthorized, invalidClient, 700027,
			"The certificate with identifier used to sign the client assertion is not registered on application, or the signature is invalid.")
	}
	return http.StatusOK, nil
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

// managedToken is App Service's endpoint for managed identities (api-version 2019-08-01).
func (s *Server) managedToken(r *http.Request) (int, any) {
	failure := func(status int, message string) (int, any) {
		return status, object{"statusCode": status, "message": message}
	}
	options := r.URL.Query()
	resource, client := options.Get("resource"), options.Get("client_id")
	switch {
	case r.Method != http.MethodGet || r.URL.Path != managedPath:
		return failure(http.StatusNotFound, "Not found.")
	case r.Header.Get("X-IDENTITY-HEADER") != managedHeader:
		return failure(http.StatusUnauthorized, "The identity header is wrong.")
	case options.Get("api-version") != "2019-08-01":
		return failure(http.StatusBadRequest, "The api-version is not supported.")
	case !s.isGraph(resource):
		return failure(http.StatusBadRequest, "The resource was not found.")
	case client != "" && client != s.settings.ClientID:
		return failure(http.StatusBadRequest, "No user-assigned managed identity has this client id.")
	}
	return http.StatusOK, object{
		"access_token": s.issue(), "token_type": "Bearer", "resource": resource, "client_id": s.settings.ClientID,
		"expires_on": strconv.FormatInt(time.Now().Add(tokenLifetime).Unix(), 10),
	}
}
