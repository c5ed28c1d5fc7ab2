package ringcentral

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// ending maps how a call ended: by the result and, where that is generic, by a leg that was accepted, and by the reason (contract 3).
func (m *mapper) ending(row *row, r *cdr.Record) {
	result, reason := folded(row.Result), folded(row.Reason)
	byResult, known := results[result]
	if !known {
		m.reportUnmapped("result", row.Result)
	}
	byReason, known := reasons[reason]
	if !known {
		m.reportUnmapped("reason", row.Reason)
	}
	answeredLeg := byResult.open && slices.ContainsFunc(row.Legs, (*leg).answered)
	r.Outcome = byResult.outcome
	switch {
	case answeredLeg:
		r.Outcome = cdr.Answered
	case byReason.outcome == cdr.Answered && byResult.outcome != cdr.Unknown:
		// "Accepted" beside a result that says that the call failed is a contradiction: the result stays.
	case byResult.generic && byReason.outcome != cdr.Unknown:
		r.Outcome = byReason.outcome
	}
	if !r.Outcome.Connected() {
		r.Reason = cmp.Or(byReason.reason, byResult.reason)
		r.FaultDomain = cmp.Or(byReason.fault, byResult.fault)
	}
	r.ReasonPhrase = strings.TrimSpace(row.ReasonDescription)
	// The row isn't finished (counting.md 17), and the outcome is what it counts as if nothing more comes. No result, but a leg that was accepted,
	// is a call that was answered.
	r.Provisional = result == resultInProgress || result == "" && !answeredLeg
}

func (l *leg) answered() bool { return results[folded(l.Result)].outcome == cdr.Answered }
