package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// access is what an access token says.
type access struct {
	Audience   string   `json:"aud"`
	Tenant     string   `json:"tid"`
	Client     string   `json:"appid"`
	Roles      []string `json:"roles"`
	Expires    int64    `json:"exp"`
	Generation int      `json:"gen"`
}

// issue makes an access token for a resource.
func (s *Server) issue(resource string, lifetime time.Duration) string {
	known := s.registered()
	claims := base64.RawURLEncoding.EncodeToString(encode(access{
		Audience: resource, Tenant: s.settings.TenantID, Client: s.settings.ClientID,
		Roles: known.roles, Expires: time.Now().Add(lifetime).UnixMilli(), Generation: known.generation,
	}))
	return claims + "." + s.seal(claims)
}

func (s *Server) seal(claims string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(claims))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// open reads an access token that this server made.
func (s *Server) open(token string) (access, bool) {
	var a access
	claims, seal, _ := strings.Cut(token, ".")
	if !hmac.Equal([]byte(seal), []byte(s.seal(claims))) {
		return a, false
	}
	raw, err := base64.RawURLEncoding.DecodeString(claims)
	return a, err == nil && json.Unmarshal(raw, &a) == nil
}

// authorise checks a request's token; the answer says what is wrong with it.
func (s *Server) authorise(r *http.Request) (simulator.Answer, bool) {
	const code = "InvalidAuthenticationToken"
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return s.refusal(r, http.StatusUnauthorized, code, "Access token is empty."), false
	}
	a, ok := s.open(token)
	known := s.registered()
	switch {
	case !ok:
		return s.refusal(r, http.StatusUnauthorized, code, "IDX14100: JWT is not well formed."), false
	case !s.isAudience(a.Audience):
		return s.refusal(r, http.StatusUnauthorized, code, "Access token validation failure. Invalid audience."), false
	case time.Now().UnixMilli() >= a.Expires || a.Generation != known.generation:
		return s.refusal(r, http.StatusUnauthorized, code, "Lifetime validation failed, the token is expired."), false
	case !slices.Contains(a.Roles, Role):
		return s.refusal(r, http.StatusForbidden, "Forbidden", ""), false
	}
	return simulator.Answer{}, true
}

// isAudience says whether a resource is this Graph: by the names of the cloud, or
// by the server's own address under either of its names.
func (s *Server) isAudience(resource string) bool {
	resource = strings.TrimSuffix(resource, "/")
	if slices.Contains(s.settings.Audiences, resource) {
		return true
	}
	asked, err := url.Parse(resource)
	if err != nil || asked.Scheme != "https" {
		return false
	}
	own, err := url.Parse(s.GraphURL())
	if err != nil {
		return false
	}
	return asked.Port() == own.Port() && (asked.Hostname() == own.Hostname() || asked.Hostname() == "localhost")
}
