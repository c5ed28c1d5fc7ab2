package sim

import (
	"cmp"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, by their names in faults and in the record of requests. The account's and an
// extension's endpoints share names.
const (
	EndpointToken       = "token"
	EndpointRevoke      = "revoke"
	EndpointCallLog     = "call_log"
	EndpointActiveCalls = "active_calls"
	EndpointRecording   = "recording"
	EndpointExtensions  = "extensions" // the account's queues
	EndpointOther       = "other"      // all other paths: always an error
)

// RingCentral's own faults.
const (
	// LostToken is a single 401 OAU-213; the session stays. KilledSession ends it too.
	LostToken     simulator.Fault = "401 lost"
	KilledSession simulator.Fault = "401 killed"
	ExpiredToken  simulator.Fault = "401 expired" // 401 OAU-128
	// HostileNext links to another host, which records the requests that follow.
	HostileNext  simulator.Fault = "hostile next page"
	RepeatedNext simulator.Fault = "repeated next page" // a page that is its own next page
	NoRecords    simulator.Fault = "no records"         // 200 without records
	// EmptyPage is a page without rows and a link to the rows.
	EmptyPage simulator.Fault = "empty page"
	// CutPage reduces the page size to half of the requested one, and says so.
	CutPage simulator.Fault = "cut page"
	// OddPaging has wrong numbers of page and rows, and totals that are too small.
	OddPaging simulator.Fault = "odd paging"
)

// Harmless are RingCentral's faults that a correct client doesn't notice.
func Harmless() []simulator.Fault { return []simulator.Fault{EmptyPage, CutPage, OddPaging} }

// Permissions of the user who made the JWT, and scopes of the app.
const (
	FullCompanyCallLog = "FullCompanyCallLog"
	ReadCallLog        = "ReadCallLog"
	ReadCallRecording  = "ReadCallRecording"
	ReadAccounts       = "ReadAccounts" // the app's only
)

// Settings configure the server. All have defaults.
type Settings struct {
	// At is where the provider's clock stands until it is moved; zero means that it follows the
	// machine's clock.
	At time.Time
	// Account is the company's call log, Extension the log of the JWT's user; nil is empty.
	Account, Extension *simulator.World
	// Faults may be nil for none.
	Faults *simulator.Faults
	// Gzip compresses answers for clients that accept it.
	Gzip bool

	// ClientSecret has a fixed default.
	ClientSecret string
	// Scopes are the app's; nil means all that are needed.
	Scopes []string

	// Heavy and Auth limit the requests of a group in a Window; zero means 10, 5 and a minute.
	Heavy, Auth int
	Window      time.Duration
}

func (s *Settings) setDefaults() {
	s.Account, s.Extension = cmp.Or(s.Account, simulator.NoCalls()), cmp.Or(s.Extension, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(simulator.FaultSettings{}))
	s.ClientSecret = cmp.Or(s.ClientSecret, "simulated-client-secret")
	if s.Scopes == nil {
		s.Scopes = []string{ReadCallLog, ReadCallRecording, ReadAccounts}
	}
	s.Heavy, s.Auth, s.Window = cmp.Or(s.Heavy, 10), cmp.Or(s.Auth, 5), cmp.Or(s.Window, time.Minute)
}
