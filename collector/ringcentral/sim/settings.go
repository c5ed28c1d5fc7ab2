package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The endpoints, as faults and the record of requests name them. Those of the account
// and those of an extension share their names.
const (
	EndpointToken       = "token"
	EndpointRevoke      = "revoke"
	EndpointCallLog     = "call_log"
	EndpointRecord      = "call_log_record"
	EndpointSync        = "extract_sync"
	EndpointActiveCalls = "active_calls"
	EndpointRecording   = "recording"
	// EndpointOther is whatever else was asked for: always an error.
	EndpointOther = "other"
)

// The groups of endpoints that share a limit.
const (
	GroupAuth  = "auth"
	GroupHeavy = "heavy"
)

// The faults that are RingCentral's own.
const (
	// LostToken is 401 OAU-213 once; the session lives. KilledSession ends it too.
	LostToken     simulator.Fault = "401 lost"
	KilledSession simulator.Fault = "401 killed"
	// ExpiredToken is 401 OAU-128.
	ExpiredToken simulator.Fault = "401 expired"
	// Forbidden is 403 InsufficientPermissions.
	Forbidden simulator.Fault = "403"
	// HostileNext points to another host, which records who comes.
	HostileNext simulator.Fault = "hostile next page"
	// RepeatedNext is a page that is its own next page.
	RepeatedNext simulator.Fault = "repeated next page"
	// LostSyncToken is 400 CLG-102.
	LostSyncToken simulator.Fault = "lost sync token"
	// NoRecords is 200 without records.
	NoRecords simulator.Fault = "no records"
	// EmptyPage is a page without rows and a link to the rows, or a sync without rows
	// that says there are newer ones.
	EmptyPage simulator.Fault = "empty page"
	// CutPage gives half as many rows a page as were asked for, and says so.
	CutPage simulator.Fault = "cut page"
	// OddPaging numbers page and rows wrongly, and gives totals that are too small.
	OddPaging simulator.Fault = "odd paging"
)

// Harmless are RingCentral's faults that a right client doesn't even notice.
func Harmless() []simulator.Fault { return []simulator.Fault{EmptyPage, CutPage, OddPaging} }

// Permissions of the user who made the JWT, and scopes of the app.
const (
	FullCompanyCallLog = "FullCompanyCallLog"
	ReadCallLog        = "ReadCallLog"
	ReadCallRecording  = "ReadCallRecording"
)

// Settings say what the server is. All have defaults.
type Settings struct {
	// Listen is the address; 127.0.0.1:0 if empty.
	Listen string
	// PublicURL is what links begin with, for a proxy in front; empty: as it was asked.
	PublicURL string
	// Clock is the provider's time; nil is the machine's.
	Clock simulator.Clock
	// Wall is what tokens and limits follow; nil is the machine's.
	Wall simulator.Clock
	// Account is the company's call log, Extension that of the user who made the JWT.
	// One that lacks is empty. Both list NewestFirst.
	Account, Extension *simulator.World
	// Faults go wrong; nil for none.
	Faults *simulator.Faults
	// Gzip compresses answers for those who accept it.
	Gzip bool
	// ActiveLag is how late calls are among the active ones, 5 s if zero; Afterglow how
	// long they stay, 120 s if zero.
	ActiveLag, Afterglow time.Duration

	// NoSync refuses call-log-extract-sync from the start, with SyncRefusal: 404 if
	// zero, or 403 or 400.
	NoSync      bool
	SyncRefusal int
	// SyncMisses is the share of rows that call-log-extract-sync never gives.
	SyncMisses float64
	// SyncLifetime is how long a sync token works; zero is for ever.
	SyncLifetime time.Duration

	// AccountID, ClientID and ClientSecret have fixed defaults.
	AccountID, ClientID, ClientSecret string
	// JWTLifetime is that of the JWT from the start; zero is a year, less is without
	// end.
	JWTLifetime time.Duration
	// TokenLifetime is an hour if zero.
	TokenLifetime time.Duration
	// Scopes are the app's, Permissions the user's; nil is all that is needed.
	Scopes, Permissions []string
	// OldNames calls the permission for the company's log ReadCompanyCallLog.
	OldNames bool
	// BareErrors leaves all but the list of errors out of errors.
	BareErrors bool

	// Heavy and Auth are how many requests of a group are answered in a Window; 10, 5
	// and a minute if zero. A negative limit is none.
	Heavy, Auth int
	Window      time.Duration
	// NoRetryAfter leaves Retry-After out of 429.
	NoRetryAfter bool
}
