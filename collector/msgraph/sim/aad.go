package sim

import (
	"fmt"
	"net/http"
)

// aadError is the body of the identity platform's errors.
type aadError struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	Timestamp     string `json:"timestamp"`
	TraceID       string `json:"trace_id"`
	CorrelationID string `json:"correlation_id"`
}

// The identity platform's error codes.
const (
	aadWrongSecret    = 7000215
	aadExpiredSecret  = 7000222
	aadNoApplication  = 700016
	aadNoTenant       = 90002
	aadBadSignature   = 700027
	aadExpired        = 700024
	aadWrongAudience  = 700023
	aadNoFederation   = 70021
	aadNoResource     = 500011
	aadWrongScope     = 1002012
	aadMissing        = 900144
	aadWrongGrant     = 70003
	invalidClient     = "invalid_client"
	invalidRequest    = "invalid_request"
	unauthorizedError = "unauthorized_client"
)

func aad(status int, kind string, code int, text string) (int, any) {
	return status, aadError{
		Error: kind, Codes: []int{code},
		Description:   fmt.Sprintf("AADSTS%d: %s Trace ID: 5a5a0000-0000-4000-8000-00000000aad1", code, text),
		Timestamp:     "2026-01-01 00:00:00Z",
		TraceID:       "5a5a0000-0000-4000-8000-00000000aad1",
		CorrelationID: "5a5a0000-0000-4000-8000-00000000aad2",
	}
}

func noTenant(name string) (int, any) {
	return aad(http.StatusBadRequest, invalidRequest, aadNoTenant,
		fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID.", name))
}
