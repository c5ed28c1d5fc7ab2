package sim

import (
	"cmp"
	"crypto/x509"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, as faults and the record of requests name them.
const (
	EndpointPSTN          = "pstn"
	EndpointDirectRouting = "direct_routing"
	EndpointToken         = "token"
	// EndpointCallRecords is the list of call records, EndpointCallRecord one record by its id.
	EndpointCallRecords = "call_records"
	EndpointCallRecord  = "call_record"
	// EndpointSessions has the sessions of a record, and further pages of a session's segments.
	EndpointSessions      = "sessions"
	EndpointParticipants  = "participants"
	EndpointSubscriptions = "subscriptions"
	EndpointOther         = "other" // every other path: always an error
)

// The faults that only Graph has.
const (
	ExpiredToken simulator.Fault = "401 expired" // 401 InvalidAuthenticationToken
	Forbidden    simulator.Fault = "403"         // 403 with an empty message
	// ExpiredLink400 and ExpiredLink410 refuse a next link that was followed.
	ExpiredLink400 simulator.Fault = "link 400"
	ExpiredLink410 simulator.Fault = "link 410"
	// HostileLink points to another host, which records its visitors.
	HostileLink  simulator.Fault = "hostile link"
	RepeatedLink simulator.Fault = "repeated link" // a followed page that links to itself
	EmptyPage    simulator.Fault = "empty page"    // a page without rows that has a link to the rows
	ShortPage    simulator.Fault = "short page"    // half a page with a link to the rest
	// CapitalLink spells @odata.NextLink.
	CapitalLink  simulator.Fault = "capital link"
	OlderVersion simulator.Fault = "older version" // a call record in the version before the published one
)

// Harmless are Graph's faults that a correct client doesn't even notice.
func Harmless() []simulator.Fault {
	return []simulator.Fault{EmptyPage, ShortPage, CapitalLink}
}

// The only tenant, the application that may sign in, and its permission.
const (
	TenantID = "11111111-2222-4333-8444-555555555555"
	ClientID = "66666666-7777-4888-8999-aaaaaaaaaaaa"
	Role     = "CallRecords.Read.All" // the permission that Graph's functions require
)

// Settings of a server. All have defaults.
type Settings struct {
	// At is where the provider's time stands until it is moved; zero: it goes as the machine's.
	At time.Time
	// PSTN and DirectRouting are the tenant's calls; nil for none, which is an empty list.
	PSTN, DirectRouting *simulator.World
	// CallRecords are the tenant's call records; nil for none.
	CallRecords *CallRecords
	// Faults may be nil.
	Faults *simulator.Faults
	// PageSize is the number of rows on a page: 1000 if zero.
	PageSize int
	// RecordPage, SessionPage, SegmentPage and ParticipantPage are the page sizes of call records: 60, 60, 20 and 130 if zero.
	RecordPage, SessionPage, SegmentPage, ParticipantPage int
	// FirstPages is how many requests for one call record are allowed in 20 seconds, NextPages how many for its further pages in 5 minutes: 10 and
	// 50 if zero.
	FirstPages, NextPages int
	// WebhookCAs are those whose certificates notification addresses may have; nil: the machine's. Plain http works on loopback.
	WebhookCAs *x509.CertPool
	Delivery   Delivery
	// Gzip compresses Graph's answers for clients that accept it.
	Gzip bool
	// ClientSecret works unless another is registered. It has a fixed default.
	ClientSecret string
}

func (s *Settings) setDefaults() {
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(simulator.FaultSettings{}))
	s.ClientSecret = cmp.Or(s.ClientSecret, "simulated-client-secret")
	s.PageSize, s.RecordPage, s.SessionPage = cmp.Or(s.PageSize, 1000), cmp.Or(s.RecordPage, 60), cmp.Or(s.SessionPage, 60)
	s.SegmentPage, s.ParticipantPage = cmp.Or(s.SegmentPage, 20), cmp.Or(s.ParticipantPage, 130)
	s.PSTN, s.DirectRouting = cmp.Or(s.PSTN, simulator.NoCalls()), cmp.Or(s.DirectRouting, simulator.NoCalls())
	s.CallRecords = cmp.Or(s.CallRecords, NewCallRecords(CallRecordSettings{}))
	s.FirstPages, s.NextPages = cmp.Or(s.FirstPages, 10), cmp.Or(s.NextPages, 50)
}
