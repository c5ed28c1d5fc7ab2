package cdr

import (
	"cmp"
	"slices"
	"time"
)

// Cause is one row of the taxonomy: what a code, or a range of codes, means.
type Cause struct {
	// Code is the code, or the first of a range; Last is the last of a range
	// and 0 for a single code.
	Code, Last int64
	// Outcome is what the code makes of a call that didn't connect. Unknown in
	// a sub code's row leaves it to the SIP code.
	Outcome Outcome
	// Reason is the slug of the label `reason`; empty if the code says nothing
	// about a failure, and then the SIP code's applies.
	Reason string
	// FaultDomain is set where the code says more of it than the outcome does.
	FaultDomain FaultDomain
	// Source names the document that defines the code.
	Source string
}

// SIPTaxonomy is a copy of the table of SIP codes, by code.
func SIPTaxonomy() []Cause { return slices.Clone(sipCauses) }

// MicrosoftTaxonomy is a copy of the table of Microsoft's sub codes, by code,
// and after them the ranges that apply to codes without a row.
func MicrosoftTaxonomy() []Cause {
	return slices.Concat(microsoftCauses, microsoftRanges)
}

// SIPReason is the slug for a final SIP code (RFC 3261 21 and its successors);
// empty for success, provisional and unregistered codes.
func SIPReason(code int64) string {
	row, _ := findCause(sipCauses, code)
	return row.Reason
}

// DirectRoutingOutcome is the outcome of a row of Graph's Direct Routing log
// and the slug of its reason (contract 3, first match wins). successful is
// successfulCall; duration is the row's own, and endValid says whether its end
// is a real time. The reason of an answered call is empty.
func DirectRoutingOutcome(successful Bool, sipCode, subCode Int, duration time.Duration, endValid bool) (outcome Outcome, reason string) {
	if directRoutingAnswered(successful, sipCode, duration, endValid) {
		return Answered, ""
	}
	sub, sip := microsoftCause(subCode), sipCause(sipCode)
	reason = cmp.Or(sub.Reason, sip.Reason)
	switch {
	case sub.Outcome != Unknown:
		return sub.Outcome, reason
	case isEstablishmentTimeout(sipCode, subCode):
		return NoAnswer, reason
	}
	return sip.Outcome, reason
}

// DirectRoutingFault says in whose part a row that didn't connect ended: by its sub code, else by its outcome, else by the range of the sub
// code, which says who made the final response.
func DirectRoutingFault(outcome Outcome, subCode Int) FaultDomain {
	if !subCode.Known {
		return outcome.FaultDomain()
	}
	row, _ := findCause(microsoftCauses, subCode.Value)
	return cmp.Or(row.FaultDomain, outcome.FaultDomain(), microsoftRange(subCode.Value).FaultDomain)
}

// directRoutingAnswered says whether a row tells of an answered call. If
// successfulCall is null, code, end and duration must all say so.
func directRoutingAnswered(successful Bool, sipCode Int, duration time.Duration, endValid bool) bool {
	if successful != Unsaid {
		return successful == True
	}
	ok := sipCode.Known && (sipCode.Value == 0 || sipCode.Value == 200)
	return ok && endValid && duration > 0
}

// isEstablishmentTimeout tells the 408 of a callee who didn't pick up from the
// one of a silent trunk. A sub code that wasn't given isn't 0.
func isEstablishmentTimeout(sipCode, subCode Int) bool {
	return sipCode == KnownInt(408) && (subCode == KnownInt(0) || subCode == KnownInt(560408))
}

// sipCause is the row of a SIP code. A code from 400 to 699 without a row is a
// failure without a reason; any other is unknown.
func sipCause(code Int) Cause {
	if !code.Known {
		return Cause{}
	}
	if row, ok := findCause(sipCauses, code.Value); ok {
		return row
	}
	if code.Value >= 400 && code.Value <= 699 {
		return Cause{Code: code.Value, Outcome: Failed}
	}
	return Cause{Code: code.Value}
}

// microsoftCause is the row of a sub code, else that of its range.
func microsoftCause(code Int) Cause {
	if !code.Known {
		return Cause{}
	}
	if row, ok := findCause(microsoftCauses, code.Value); ok {
		return row
	}
	return microsoftRange(code.Value)
}

// microsoftRange is the row of the narrowest range that a sub code lies in: those within another come after it.
func microsoftRange(code int64) Cause {
	for _, row := range slices.Backward(microsoftRanges) {
		if row.Code <= code && code <= row.Last {
			return row
		}
	}
	return Cause{Code: code}
}

// findCause looks a code up in a table that is ordered by code.
func findCause(table []Cause, code int64) (Cause, bool) {
	i, found := slices.BinarySearchFunc(table, code, func(row Cause, code int64) int {
		return cmp.Compare(row.Code, code)
	})
	if !found {
		return Cause{}, false
	}
	return table[i], true
}
