package cdr

import (
	"cmp"
	"slices"
	"time"
)

// Cause is one row of the taxonomy: what a code, or a range of codes, means.
type Cause struct {
	// Code is the code, or the first of a range; Last is the last of a range and 0 for a single code.
	Code, Last int64
	// Outcome is that of a call that didn't connect. Unknown in a sub code's row leaves it to the SIP code.
	Outcome Outcome
	// Reason is the label `reason`; empty if the code says nothing about a failure, and then the SIP code's applies.
	Reason string
	// FaultDomain is set where the code says more of it than the outcome does.
	FaultDomain FaultDomain
	// Source names the document that defines the code.
	Source string
}

// SIPTaxonomy is a copy of the table of SIP codes, by code.
func SIPTaxonomy() []Cause { return slices.Clone(sipCauses) }

// MicrosoftTaxonomy is a copy of the table of Microsoft's sub codes, and of the ranges for codes without a row.
func MicrosoftTaxonomy() []Cause { return slices.Concat(microsoftCauses, microsoftRanges) }

// SIPReason is the slug for a final SIP code (RFC 3261 21 and its successors); empty for any other code.
func SIPReason(code int64) string { return sipCause(code).Reason }

// DirectRoutingOutcome is the outcome of a row of Graph's Direct Routing log and the slug of its reason, empty if it was answered
// (contract 3, first match wins). successful is successfulCall; endValid says whether the row's end is a real time.
func DirectRoutingOutcome(successful Bool, sipCode, subCode Int, duration time.Duration, endValid bool) (outcome Outcome, reason string) {
	answered := successful == True
	if successful == Unsaid { // code, end and duration must all say so
		answered = (sipCode == KnownInt(0) || sipCode == KnownInt(200)) && endValid && duration > 0
	}
	if answered {
		return Answered, ""
	}
	sub, found := findCause(microsoftCauses, subCode.Value)
	if !found {
		sub = microsoftRange(subCode.Value)
	}
	sip := sipCause(sipCode.Value)
	reason = cmp.Or(sub.Reason, sip.Reason)
	switch {
	case sub.Outcome != Unknown:
		return sub.Outcome, reason
	case sipCode == KnownInt(408) && (subCode == KnownInt(0) || subCode == KnownInt(560408)):
		return NoAnswer, reason // the callee didn't pick up; with another sub code, or none, it is a silent trunk
	}
	return sip.Outcome, reason
}

// DirectRoutingFault says in whose part a row that didn't connect ended: by its sub code, else by its outcome, else by the range of the sub
// code, which says who made the final response.
func DirectRoutingFault(outcome Outcome, subCode Int) FaultDomain {
	row, _ := findCause(microsoftCauses, subCode.Value)
	return cmp.Or(row.FaultDomain, outcome.FaultDomain(), microsoftRange(subCode.Value).FaultDomain)
}

// All functions below take 0 for a code that wasn't given, since 0 says nothing of a failure either.

// sipCause is the row of a SIP code. One from 400 to 699 without a row is a failure without a reason; any other is unknown.
func sipCause(code int64) Cause {
	row, found := findCause(sipCauses, code)
	if !found && code >= 400 && code <= 699 {
		row.Outcome = Failed
	}
	return row
}

// microsoftRange is the row of the narrowest range that a sub code lies in: those within another come after it.
func microsoftRange(code int64) Cause {
	for _, row := range slices.Backward(microsoftRanges) {
		if row.Code <= code && code <= row.Last {
			return row
		}
	}
	return Cause{}
}

// findCause looks a code up in a table that is ordered by code.
func findCause(table []Cause, code int64) (row Cause, found bool) {
	i, found := slices.BinarySearchFunc(table, code, func(row Cause, code int64) int { return cmp.Compare(row.Code, code) })
	if found {
		row = table[i]
	}
	return row, found
}
