package language

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Ending is what a code or a table's entry says about how a call ended.
type Ending struct {
	Outcome cdr.Outcome
	Reason  string
	Fault   cdr.FaultDomain
	None    bool // the leg has no outcome
}

// noCode is the problem of a text that isn't a number.
const noCode = "isn't a code"

// q850 reads the low byte of an integer, signed or not, because Cisco puts the cause there, and says
// more in the upper half of 32 bits. 0 gives none. FreeSWITCH's own numbers aren't causes, nor is -1.
func q850(text string) (e Ending, known bool, problem string) {
	n, is := Integer(text, 64)
	if !is {
		return e, false, noCode
	}
	code := n & 0xff
	if code == 0 || n < 0 && n >= -0xffff || n >= 487 && n <= 999 {
		return e, false, ""
	}
	return endingOf(cdr.Q850Cause(code)), true, ""
}

// sip reads a final SIP code (RFC 3261). 1xx and 3xx don't say how a call ended.
func sip(text string) (e Ending, known bool, problem string) {
	code, is := Integer(text, 64)
	if !is || code < 0 {
		return e, false, noCode
	}
	cause := cdr.SIPCause(code)
	switch {
	case code/100 == 2:
		return Ending{Outcome: cdr.Answered}, true, ""
	case code == 408: // without a sub code that says more
		cause.Outcome = cdr.NoAnswer
	case cause.Outcome == cdr.Unknown:
		return e, false, ""
	}
	return endingOf(cause), true, ""
}

// endingOf is what a cause says. A failure is the carrier's fault; other outcomes imply whose fault they are.
func endingOf(c cdr.Cause) Ending {
	e := Ending{Outcome: c.Outcome, Reason: c.Reason}
	if c.Outcome == cdr.Failed {
		e.Fault = cdr.FaultCarrier
	}
	return e
}
