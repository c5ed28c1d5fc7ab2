package sim

import (
	"crypto/subtle"
	"crypto/x509"
	"net/http"
	"slices"
	"strings"
	"time"
)

// registration is what the tenant knows of the application.
type registration struct {
	secret        string
	secretExpired bool
	certificates  []*x509.Certificate
	federated     []string
	roles         []string
	// generation is that of tokens that still work.
	generation int
}

func newRegistration(s *Settings) registration {
	return registration{
		secret: s.ClientSecret, certificates: slices.Clone(s.Certificates), federated: slices.Clone(s.FederatedTokens),
		roles: slices.Clone(s.Roles),
	}
}

// registered is the registration as it is now.
func (s *Server) registered() registration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clients
}

// assertionType is RFC 7523's.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// token is the client credentials grant (RFC 6749 4.4).
func (s *Server) token(r *http.Request) (int, any) {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return aad(http.StatusBadRequest, invalidRequest, aadMissing, "The request must be a form that is posted.")
	}
	switch form := r.PostForm; {
	case tenant(r) != s.settings.TenantID:
		return noTenant(tenant(r))
	case form.Get("grant_type") != "client_credentials":
		return aad(http.StatusBadRequest, "unsupported_grant_type", aadWrongGrant, "The app requested an unsupported grant type.")
	case form.Get("client_id") != s.settings.ClientID:
		return aad(http.StatusBadRequest, unauthorizedError, aadNoApplication,
			"Application with identifier '"+form.Get("client_id")+"' was not found in the directory.")
	}
	if status, body := s.authenticate(r); status != http.StatusOK {
		return status, body
	}
	resource, ok := strings.CutSuffix(scope(r.PostForm.Get("scope")), "/.default")
	switch {
	case !ok:
		return aad(http.StatusBadRequest, "invalid_scope", aadWrongScope, "The provided value for scope is not valid; client credential flows must have a scope with /.default.")
	case !s.isAudience(resource):
		return aad(http.StatusBadRequest, "invalid_resource", aadNoResource, "The resource principal named "+resource+" was not found in the tenant.")
	}
	lifetime := s.settings.TokenLifetime
	return http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": seconds(lifetime), "ext_expires_in": seconds(lifetime),
		"access_token": s.issue(resource, lifetime),
	}
}

// scope is the one scope that isn't OpenID's own.
func scope(text string) string {
	for part := range strings.FieldsSeq(text) {
		if part != "openid" && part != "offline_access" && part != "profile" {
			return part
		}
	}
	return ""
}

func seconds(d time.Duration) int { return int(d / time.Second) }

// authenticate checks the client by its secret or by its assertion.
func (s *Server) authenticate(r *http.Request) (int, any) {
	known, form := s.registered(), r.PostForm
	secret, assertion := form.Get("client_secret"), form.Get("client_assertion")
	switch {
	case secret == "" && assertion == "":
		return aad(http.StatusUnauthorized, invalidClient, aadMissing, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
	case assertion == "" && subtle.ConstantTimeCompare([]byte(secret), []byte(known.secret)) != 1:
		return aad(http.StatusUnauthorized, invalidClient, aadWrongSecret, "Invalid client secret provided.")
	case assertion == "" && known.secretExpired:
		return aad(http.StatusUnauthorized, invalidClient, aadExpiredSecret, "The provided client secret keys are expired.")
	case assertion == "":
		return http.StatusOK, nil
	case form.Get("client_assertion_type") != assertionType:
		return aad(http.StatusBadRequest, invalidRequest, aadMissing, "The client assertion type is not known.")
	case slices.Contains(known.federated, assertion):
		return http.StatusOK, nil
	}
	return s.verify(assertion, known.certificates, "https://"+r.Host+r.URL.Path)
}
