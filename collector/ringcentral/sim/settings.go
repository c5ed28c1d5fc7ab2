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

// Permissions of the user who made the JWT.
const (
	FullCompanyCallLog = "FullCompanyCallLog"
	ReadCallLog        = "ReadCallLog"
	ReadCallRecording  = "ReadCallRecording"
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

	// ClientSecret has a fixed default.
	ClientSecret string
	// MaxPerPage is the largest page; zero means 1000. A larger perPage is reduced to it.
	MaxPerPage int
	// Heavy and Auth limit the requests of a group in a Window; zero means 10, 5 and a minute.
	Heavy, Auth int
	Window      time.Duration
}

func (s *Settings) setDefaults() {
	s.Account, s.Extension = cmp.Or(s.Account, simulator.NoCalls()), cmp.Or(s.Extension, simulator.NoCalls())
	s.Faults = cmp.Or(s.Faults, simulator.NewFaults(0))
	s.ClientSecret = cmp.Or(s.ClientSecret, "simulated-client-secret")
	s.MaxPerPage = cmp.Or(s.MaxPerPage, maxNumber)
	s.Heavy, s.Auth, s.Window = cmp.Or(s.Heavy, 10), cmp.Or(s.Auth, 5), cmp.Or(s.Window, time.Minute)
}
