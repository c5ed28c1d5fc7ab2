package simulator

import "time"

// Fault is one thing that goes wrong with one response.
type Fault string

// The faults that any provider has. NoFault is a response as it should be.
const (
	NoFault Fault = ""
	// Throttle is 429 without Retry-After, ThrottleSeconds and ThrottleDate with.
	Throttle        Fault = "429"
	ThrottleSeconds Fault = "429 seconds"
	ThrottleDate    Fault = "429 date"
	// Status faults carry the provider's own error body.
	InternalError  Fault = "500"
	BadGateway     Fault = "502"
	Unavailable    Fault = "503"
	GatewayTimeout Fault = "504"
	// UnavailableSeconds is 503 with Retry-After.
	UnavailableSeconds Fault = "503 seconds"
	// HTMLBadGateway and HTMLOK are a gateway's page where JSON should be.
	HTMLBadGateway Fault = "html 502"
	HTMLOK         Fault = "html 200"
	// EmptyError is 500 without a body.
	EmptyError Fault = "empty 500"
	// CutLength announces more bytes than come; CutChunked ends without the end.
	CutLength  Fault = "cut length"
	CutChunked Fault = "cut chunked"
	// Slow sends the right body in dribbles.
	Slow Fault = "slow"
	// Reset resets the connection.
	Reset Fault = "reset"
)

// Transient are the faults after which the same request succeeds, and that any
// provider has.
func Transient() []Fault {
	return []Fault{
		Throttle, ThrottleSeconds, ThrottleDate, InternalError, BadGateway, Unavailable, UnavailableSeconds,
		GatewayTimeout, HTMLBadGateway, HTMLOK, EmptyError, CutLength, CutChunked, Reset,
	}
}

// Request is what a fault is decided on.
type Request struct {
	// Endpoint is the name that the provider's simulator gives it.
	Endpoint string
	// Continued says that a next link was followed.
	Continued bool
	// HasNext says that the answer has a further page.
	HasNext bool
	// From and To are the range of starts that is asked for; zero where there is none.
	From, To time.Time
	// Number counts the requests to the endpoint, from 0.
	Number int
}
