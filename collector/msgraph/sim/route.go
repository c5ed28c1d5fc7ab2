package sim

import (
	"net/http"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// route finds what a request is for by its path as it came, since the path that
// net/http unescaped says less.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case path == "/common/discovery/instance":
		s.identity(w, r, EndpointDiscovery, s.discovery)
	case strings.HasSuffix(path, "/v2.0/.well-known/openid-configuration"):
		s.identity(w, r, EndpointOpenID, s.openID)
	case strings.HasSuffix(path, "/oauth2/v2.0/token"):
		s.identity(w, r, EndpointToken, s.token)
	case recordPath.MatchString(path) || strings.HasPrefix(path, callRecordsPath+"('"):
		s.records(w, r)
	case strings.HasPrefix(path, subscriptionsPath):
		s.subscriptionRequest(w, r)
	default:
		s.graph(w, r)
	}
}

// identity answers a request to the identity platform.
func (s *Server) identity(w http.ResponseWriter, r *http.Request, endpoint string, answer func(*http.Request) (int, any)) {
	number := s.recorder.Begin(endpoint)
	seen := simulator.Seen{Endpoint: endpoint, At: s.timeline.Now()}
	defer func() { s.recorder.End(seen) }()
	status, value := answer(r)
	a := simulator.Answer{
		Status: status, Body: encode(value), Now: s.timeline.Now(),
		Header: http.Header{"Cache-Control": {"no-store"}},
		Error:  func(int) []byte { return encode(aadError{Error: "temporarily_unavailable"}) },
	}
	fault := s.faults.Next(simulator.Request{Endpoint: endpoint, Number: number}, anywhere)
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, status)
	s.faults.Write(w, r, fault, a)
}

// anywhere refuses the faults that only Graph has.
func anywhere(f simulator.Fault) bool {
	switch f {
	case ExpiredToken, Forbidden, ExpiredLink400, ExpiredLink410, HostileLink, RepeatedLink, EmptyPage, ShortPage, CapitalLink, OtherNames,
		NotYet, BadRequest, OlderVersion:
		return false
	default:
		return true
	}
}

// tenant is the first part of a path.
func tenant(r *http.Request) string {
	name, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	return name
}

// discovery says that this host is an authority, and which names it has.
func (s *Server) discovery(r *http.Request) (int, any) {
	return http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + r.Host + "/" + s.settings.TenantID + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	}
}

// openID is the tenant's OpenID configuration.
func (s *Server) openID(r *http.Request) (int, any) {
	if tenant(r) != s.settings.TenantID {
		return noTenant(tenant(r))
	}
	base := "https://" + r.Host + "/" + s.settings.TenantID
	return http.StatusOK, map[string]any{
		"issuer":                                base + "/v2.0",
		"token_endpoint":                        base + "/oauth2/v2.0/token",
		"authorization_endpoint":                base + "/oauth2/v2.0/authorize",
		"jwks_uri":                              base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
		"cloud_instance_name":                   "simulated",
	}
}
