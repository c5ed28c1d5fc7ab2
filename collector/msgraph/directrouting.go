package msgraph

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

func (m *mapper) mapDirectRouting(f *wire.Fields, r *cdr.Record) {
	m.mapCommon(f, r, "correlationId")
	r.Invite = m.optionalInstant(f, "inviteDateTime")
	r.SIPCode, r.SubCode = f.Integer("finalSipCode"), f.Integer("callEndSubReason")
	r.ReasonPhrase = f.Text("finalSipCodePhrase")
	endValid := !r.End.IsZero() && !r.End.Before(r.Start)
	r.Outcome, r.Reason = directRoutingOutcome(f.Bool("successfulCall"), r.SIPCode, r.SubCode, r.Duration, endValid)
	r.FaultDomain = directRoutingFault(r.Outcome, r.SubCode)
	if r.Outcome == cdr.Unknown {
		m.reportUnmapped("finalSipCode", codeText(r.SIPCode)+"/"+codeText(r.SubCode))
	}
	// For outbound calls, the start is when the SBC's 200 OK arrived; for inbound calls, when the
	// INVITE was forwarded.
	if r.Direction == cdr.Outbound && r.Outcome == cdr.Answered {
		r.Answer = r.Start
		r.DeriveDuration()
	}
	r.Trunk = label(strings.ToLower(f.Text("trunkFullyQualifiedDomainName")))
	r.MediaBypass = f.Bool("mediaBypassEnabled")
	r.MediaLocation, r.SignalLocation = label(f.Text("mediaPathLocation")), label(f.Text("signalingLocation"))
	if failure := m.optionalInstant(f, "failureDateTime"); !failure.IsZero() {
		r.Extra = append(r.Extra, cdr.Text("failure_date_time", f.Text("failureDateTime"), cdr.Plain))
	}
}

func codeText(code cdr.Int) string {
	if !code.Known {
		return "none"
	}
	return strconv.FormatInt(code.Value, 10)
}

// directRoutingOutcome is the outcome of a row of Graph's Direct Routing log and the slug of its
// reason, which is empty if the call was answered (docs/providers/msgraph.md: the first match wins). successful is
// successfulCall; endValid says whether the row's end is a real time.
func directRoutingOutcome(
	successful cdr.Bool, sipCode, subCode cdr.Int, duration time.Duration, endValid bool,
) (outcome cdr.Outcome, reason string) {
	answered := successful == cdr.True
	if successful == cdr.Unsaid { // then code, end and duration must all show an answer
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

// directRoutingFault is the fault domain of a row that didn't connect. It comes from the sub code,
// else from the outcome, else from the sub code's range, which says who sent the final response.
func directRoutingFault(outcome cdr.Outcome, subCode cdr.Int) cdr.FaultDomain {
	row, _ := cdr.FindCause(subCodes, subCode.Value)
	return cmp.Or(row.FaultDomain, outcome.FaultDomain(), subCodeRange(subCode.Value).FaultDomain)
}

// subCodeRange is the narrowest range that contains a sub code. A narrow range comes after the
// range that contains it.
func subCodeRange(code int64) cdr.Cause {
	for _, row := range slices.Backward(subCodeRanges) {
		if row.Code <= code && code <= row.Last {
			return row
		}
	}
	return cdr.Cause{}
}
