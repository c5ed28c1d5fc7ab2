package simulator

import "time"

// Fault is a fault of one response.
type Fault string

// The faults of any provider. NoFault is a regular response.
const (
	NoFault Fault = ""
	// Throttle is 429 without Retry-After, ThrottleSeconds and ThrottleDate with.
	Throttle        Fault = "429"
	ThrottleSeconds Fault = "429 seconds"
	ThrottleDate    Fault = "429 date"
	// Status faults carry the provider's own error body; UnavailableSeconds has a Retry-After.
	InternalError      Fault = "500"
	BadGateway         Fault = "502"
	Unavailable        Fault = "503"
	UnavailableSeconds Fault = "503 seconds"
	GatewayTimeout     Fault = "504"
	// HTMLBadGateway and HTMLOK are a gateway's page where JSON should be.
	HTMLBadGateway Fault = "html 502"
	HTMLOK         Fault = "html 200"
	// EmptyError is 500 without a body.
	EmptyError Fault = "empty 500"
	// CutLength announces more bytes than it sends; CutChunked stops before the last chunk.
	CutLength  Fault = "cut length"
	CutChunked Fault = "cut chunked"
	// Slow sends half of the right body, and the rest later.
	Slow Fault = "slow"
	// Reset resets the connection.
	Reset Fault = "reset"
)

// asPlanned is the status of a fault that keeps the answer's status.
const asPlanned = -1

// transport are the faults of any provider, with the status of the answer; 0 means no answer.
var transport = map[Fault]int{
	Throttle: 429, ThrottleSeconds: 429, ThrottleDate: 429, InternalError: 500, BadGateway: 502, Unavailable: 503,
	UnavailableSeconds: 503, GatewayTimeout: 504, HTMLBadGateway: 502, HTMLOK: 200, EmptyError: 500,
	CutLength: asPlanned, CutChunked: asPlanned, Slow: asPlanned, Reset: 0,
}

// Transient are the faults of any provider after which the same request succeeds.
func Transient() []Fault {
	return []Fault{
		Throttle, ThrottleSeconds, ThrottleDate, InternalError, BadGateway, Unavailable, UnavailableSeconds,
		GatewayTimeout, HTMLBadGateway, HTMLOK, EmptyError, CutLength, CutChunked, Reset,
	}
}

// statusOf is the status of a fault's answer, given the status of the answer without it; 0 means no
// answer.
func statusOf(f Fault, status int) int {
	if s, ok := transport[f]; ok && s != asPlanned {
		return s
	}
	return status
}

// Request is what decides on a fault.
type Request struct {
	// Endpoint is the name that the provider's simulator gives it.
	Endpoint string
	// Continued says that the request is for a further page.
	Continued bool
	// From and To are the requested range of starts; zero without one.
	From, To time.Time
	// Number counts the requests to the endpoint, from 0.
	Number int
}
