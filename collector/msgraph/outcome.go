package msgraph

import (
	"cmp"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// directRoutingOutcome is the outcome of a row of Graph's Direct Routing log and the slug of its reason, empty if it was answered
// (contract 3, first match wins). successful is successfulCall; endValid says whether the row's end is a real time.
func directRoutingOutcome(successful cdr.Bool, sipCode, subCode cdr.Int, duration time.Duration, endValid bool) (outcome cdr.Outcome, reason string) {
	answered := successful == cdr.True
	if successful == cdr.Unsaid { // code, end and duration must all say so
		answered = (sipCode == cdr.KnownInt(0) || sipCode == cdr.KnownInt(200)) && endValid && duration > 0
	}
	if answered {
		return cdr.Answered, ""
	}
	sub, found := cdr.FindCause(subCodes, subCode.Value)
	if !found {
		sub = subCodeRange(subCode.Value)
	}
	sip := cdr.SIPCause(sipCode.Value)
	reason = cmp.Or(sub.Reason, sip.Reason)
	switch {
	case sub.Outcome != cdr.Unknown:
		return sub.Outcome, reason
	case sipCode == cdr.KnownInt(408) && (subCode == cdr.KnownInt(0) || subCode == cdr.KnownInt(560408)):
		return cdr.NoAnswer, reason // the callee didn't pick up; with another sub code, or none, it is a silent trunk
	}
	return sip.Outcome, reason
}

// directRoutingFault says in whose part a row that didn't connect ended: by its sub code, else by its outcome, else by the range of the sub
// code, which says who made the final response.
func directRoutingFault(outcome cdr.Outcome, subCode cdr.Int) cdr.FaultDomain {
	row, _ := cdr.FindCause(subCodes, subCode.Value)
	return cmp.Or(row.FaultDomain, outcome.FaultDomain(), subCodeRange(subCode.Value).FaultDomain)
}

// subCodeRange is the row of the narrowest range that a sub code lies in: those within another come after it.
func subCodeRange(code int64) cdr.Cause {
	for _, row := range slices.Backward(subCodeRanges) {
		if row.Code <= code && code <= row.Last {
			return row
		}
	}
	return cdr.Cause{}
}
