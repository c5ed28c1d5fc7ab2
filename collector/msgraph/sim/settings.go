package sim

import (
	"crypto/x509"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, as faults and the record of requests name them.
const (
	EndpointPSTN            = "pstn"
	EndpointDirectRouting   = "direct_routing"
	EndpointToken           = "token"
	EndpointOpenID          = "openid"
	EndpointDiscovery       = "discovery"
	EndpointManagedIdentity = "managed_identity"
	// EndpointCallRecords is the list of call records, EndpointCallRecord one of them by its
	// id. EndpointSessions and EndpointParticipants are what it has, and the further pages
	// of these; segments are asked for as sessions are.
	EndpointCallRecords   = "call_records"
	EndpointCallRecord    = "call_record"
	EndpointSessions      = "sessions"
	EndpointParticipants  = "participants"
	EndpointSubscriptions = "subscriptions"
	// EndpointOther is whatever else was asked for: always an error.
	EndpointOther = "other"
)

// The faults that are Graph's own.
const (
	// ExpiredToken is 401 InvalidAuthenticationToken.
	ExpiredToken simulator.Fault = "401 expired"
	// Forbidden is 403 with an empty message.
	Forbidden simulator.Fault = "403"
	// BadRequest is 400 for a call record.
	BadRequest simulator.Fault = "400"
	// ExpiredLink400 and ExpiredLink410 refuse a next link that was followed.
	ExpiredLink400 simulator.Fault = "link 400"
	ExpiredLink410 simulator.Fault = "link 410"
	// HostileLink points to another host, which records who comes.
	HostileLink simulator.Fault = "hostile link"
	// RepeatedLink is a followed page that links to itself.
	RepeatedLink simulator.Fault = "repeated link"
	// EmptyPage is a page without rows that has a link to the rows.
	EmptyPage simulator.Fault = "empty page"
	// ShortPage is half a page with a link to the rest.
	ShortPage simulator.Fault = "short page"
	// CapitalLink spells @odata.NextLink.
	CapitalLink simulator.Fault = "capital link"
	// OtherNames swaps the link's parameter names: from, to or the usual ones.
	OtherNames simulator.Fault = "other names"
	// NotYet is 404 for a call record, as if it were still too young.
	NotYet simulator.Fault = "404 young"
	// OlderVersion is a call record in the version before the one that is published.
	OlderVersion simulator.Fault = "older version"
)

// Harmless are Graph's faults that a right client doesn't even notice.
func Harmless() []simulator.Fault {
	return []simulator.Fault{EmptyPage, ShortPage, CapitalLink, OtherNames}
}

// Settings say what the server is. All have defaults.
type Settings struct {
	// Listen is the address; 127.0.0.1:0 if empty.
	Listen string
	// Clock is the provider's time; nil is the machine's.
	Clock simulator.Clock
	// PSTN and DirectRouting are the tenant's calls. A tenant that lacks one is
	// given an empty list.
	PSTN, DirectRouting *simulator.World
	// CallRecords are the tenant's call records; nil for none.
	CallRecords *CallRecords
	// Faults go wrong; nil for none.
	Faults *simulator.Faults
	// PageSize is 1000 if zero.
	PageSize int
	// RecordPage, SessionPage, SegmentPage and ParticipantPage are how much of these comes on a
	// page: 60, 60, 20 and 130 if zero.
	RecordPage, SessionPage, SegmentPage, ParticipantPage int
	// FirstPages and NextPages are how many requests one call record takes in 20 seconds, and
	// how many for further pages in 5 minutes: 10 and 50 if zero, no end of them if negative.
	FirstPages, NextPages int
	// Subscriptions says who may subscribe, and Delivery how subscribers are told.
	Subscriptions SubscriptionSettings
	Delivery      Delivery
	// MaxRange is 90 days if zero; a longer one is answered with 406.
	MaxRange time.Duration
	// LinkLifetime is how long a next link works; zero is for ever.
	LinkLifetime time.Duration
	// Gzip compresses Graph's answers for those who accept it.
	Gzip bool

	// TenantID, ClientID and ClientSecret have fixed defaults.
	TenantID, ClientID, ClientSecret string
	// TokenLifetime is 3599 s if zero.
	TokenLifetime time.Duration
	// Audiences are the resources that tokens may be for, beside the server's own
	// address: nil is https://graph.microsoft.com. For another cloud, its Graph.
	Audiences []string
	// Roles are in the token; nil is CallRecords.Read.All.
	Roles []string
	// Certificates may sign assertions; AddCertificate adds to them.
	Certificates []*x509.Certificate
	// FederatedTokens are the subject tokens of workload identities;
	// AddFederatedToken adds to them.
	FederatedTokens []string
}
