package sim

import (
	"net/http"
	"strconv"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// managedHeader is what the endpoint of managed identities wants to see.
const managedHeader = "5a5a0000-0000-4000-8000-0000000000d1"

// managedIdentity is App Service's endpoint for managed identities
// (api-version 2019-08-01), over plain HTTP on loopback as there.
func (s *Server) managedIdentity(w http.ResponseWriter, r *http.Request) {
	number := s.recorder.Begin(EndpointManagedIdentity)
	seen := simulator.Seen{Endpoint: EndpointManagedIdentity, At: s.timeline.Now()}
	defer func() { s.recorder.End(seen) }()
	status, body := s.managedToken(r)
	a := simulator.Answer{Status: status, Body: encode(body), Now: s.timeline.Now()}
	fault := s.faults.Next(simulator.Request{Endpoint: EndpointManagedIdentity, Number: number}, anywhere)
	seen.Fault, seen.Status = fault, simulator.StatusOf(fault, status)
	s.faults.Write(w, r, fault, a)
}

func (s *Server) managedToken(r *http.Request) (int, any) {
	failure := func(status int, message string) (int, any) {
		return status, map[string]any{"statusCode": status, "message": message}
	}
	options := r.URL.Query()
	resource := options.Get("resource")
	switch {
	case r.Method != http.MethodGet || r.URL.Path != "/msi/token":
		return failure(http.StatusNotFound, "Not found.")
	case r.Header.Get("X-IDENTITY-HEADER") != managedHeader:
		return failure(http.StatusUnauthorized, "The identity header is wrong.")
	case options.Get("api-version") != "2019-08-01":
		return failure(http.StatusBadRequest, "The api-version is not supported.")
	case !s.isAudience(resource):
		return failure(http.StatusBadRequest, "The resource was not found.")
	}
	if client := options.Get("client_id"); client != "" && client != s.settings.ClientID {
		return failure(http.StatusBadRequest, "No user-assigned managed identity has this client id.")
	}
	lifetime := s.settings.TokenLifetime
	return http.StatusOK, map[string]any{
		"access_token": s.issue(resource, lifetime), "token_type": "Bearer", "resource": resource,
		"client_id":  s.settings.ClientID,
		"expires_on": strconv.FormatInt(time.Now().Add(lifetime).Unix(), 10),
	}
}
