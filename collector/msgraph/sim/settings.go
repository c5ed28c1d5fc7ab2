package sim

import (
	"cmp"
	"net/http"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, by their names in faults and in the record of requests.
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
	EndpointOther         = "other" // all other paths: always an error
)

// The faults that only Graph has.
const (
	ExpiredToken simulator.Fault = "401 expired" // 401 InvalidAuthenticationToken
	Forbidden    simulator.Fault = "403"         // 403 with an empty message
	ExpiredLink  simulator.Fault = "410 link"    // 410 for a next link that was followed
)

// The only tenant, its application and the application's permission.
const (
	TenantID = "11111111-2222-4333-8444-555555555555"
	ClientID = "66666666-7777-4888-8999-aaaaaaaaaaaa"
	Role     = "CallRecords.Read.All" // the permission that Graph's functions require
)

// Settings of a server. All have defaults.
type Settings struct {
	// At is where the provider's clock stands until it is moved; zero means that it follows the
	// machine's clock.
	At time.Time
	// PSTN and DirectRouting are the tenant's calls; nil means an empty list.
	PSTN, DirectRouting *simulator.World
	// CallRecords are the tenant's call records; nil means none.
	CallRecords *CallRecords
	// Faults may be nil.
	Faults *simulator.Faults
	// PageSize is the number of rows on a page; zero means 1000.
	PageSize int
	// RecordPage, SessionPage, SegmentPage and ParticipantPage are the page sizes of call records;
	// zero means 60, 60, 20 and 130.
	RecordPage, SessionPage, SegmentPage, ParticipantPage int
	// Webhooks sends requests to notification addresses; nil means a connection that trusts the
	// machine's authorities. Plain http works on loopback.
	Webhooks http.RoundTripper
	Delivery Delivery
	// ClientSecret is valid unless another one is registered. It has a constant default.
	ClientSecret string
}

func (s *Settings) setDefaults() {
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(0))
	s.ClientSecret = cmp.Or(s.ClientSecret, "simulated-client-secret")
	s.PageSize, s.RecordPage, s.SessionPage = cmp.Or(s.PageSize, 1000), cmp.Or(s.RecordPage, 60),
		cmp.Or(s.SessionPage, 60)
	s.SegmentPage, s.ParticipantPage = cmp.Or(s.SegmentPage, 20), cmp.Or(s.ParticipantPage, 130)
	s.PSTN, s.DirectRouting = cmp.Or(s.PSTN, simulator.NoCalls()), cmp.Or(s.DirectRouting, simulator.NoCalls())
	s.CallRecords = cmp.Or(s.CallRecords, NewCallRecords(CallRecordSettings{}))
}
