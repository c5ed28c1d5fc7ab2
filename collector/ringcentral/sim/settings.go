package sim

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, as faults and the record of requests name them. Those of the account and of an extension share names.
const (
	EndpointToken       = "token"
	EndpointRevoke      = "revoke"
	EndpointCallLog     = "call_log"
	EndpointActiveCalls = "active_calls"
	EndpointRecording   = "recording"
	EndpointExtensions  = "extensions" // the account's queues
	EndpointOther       = "other"      // any other path: always an error
)

// RingCentral's own faults.
const (
	// LostToken is 401 OAU-213 once; the session lives. KilledSession ends it too.
	LostToken     simulator.Fault = "401 lost"
	KilledSession simulator.Fault = "401 killed"
	ExpiredToken  simulator.Fault = "401 expired" // 401 OAU-128
	// HostileNext links to another host, which records the requests that follow.
	HostileNext  simulator.Fault = "hostile next page"
	RepeatedNext simulator.Fault = "repeated next page" // a page that is its own next page
	NoRecords    simulator.Fault = "no records"         // 200 without records
	// EmptyPage is a page without rows and a link to the rows.
	EmptyPage simulator.Fault = "empty page"
	// CutPage gives half as many rows a page as were asked for, and says so.
	CutPage simulator.Fault = "cut page"
	// OddPaging numbers page and rows wrongly, and gives totals that are too small.
	OddPaging simulator.Fault = "odd paging"
)

// Harmless are RingCentral's faults that a correct client doesn't notice.
func Harmless() []simulator.Fault { return []simulator.Fault{EmptyPage, CutPage, OddPaging} }

// Permissions of the user who made the JWT, and scopes of the app.
const (
	FullCompanyCallLog = "FullCompanyCallLog"
	ReadCallLog        = "ReadCallLog"
	ReadCallRecording  = "ReadCallRecording"
	ReadAccounts       = "ReadAccounts" // of the app alone
)

// Settings configure the server. All have defaults.
type Settings struct {
	// At is where the provider's time stands until it is moved; zero: it goes as the machine's.
	At time.Time
	// Account is the company's call log, Extension that of the user who made the JWT; nil is empty.
	Account, Extension *simulator.World
	// Faults may be nil for none.
	Faults *simulator.Faults
	// Gzip compresses answers for clients that accept it.
	Gzip bool

	// ClientSecret has a fixed default.
	ClientSecret string
	// Scopes are the app's; nil is all that are needed.
	Scopes []string

	// Heavy and Auth are how many requests of a group are answered in a Window; 10, 5 and a minute if zero.
	Heavy, Auth int
	Window      time.Duration
	// Medium is the same of the group Medium; four times Heavy if zero.
	Medium int
}

func (s *Settings) setDefaults() {
	s.Account, s.Extension = cmp.Or(s.Account, simulator.NoCalls()), cmp.Or(s.Extension, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(simulator.FaultSettings{}))
	s.ClientSecret = cmp.Or(s.ClientSecret, "simulated-client-secret")
	if s.Scopes == nil {
		s.Scopes = []string{ReadCallLog, ReadCallRecording, ReadAccounts}
	}
	s.Heavy, s.Auth, s.Window = cmp.Or(s.Heavy, 10), cmp.Or(s.Auth, 5), cmp.Or(s.Window, time.Minute)
	s.Medium = cmp.Or(s.Medium, 4*s.Heavy)
}
