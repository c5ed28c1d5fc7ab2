package ringcentral

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// ending is how a call ended, as far as the row says.
type ending struct {
	outcome cdr.Outcome
	// reason is a slug; empty for a call that was answered.
	reason string
	// provisional says that RingCentral hasn't finished the row (counting.md 17). The
	// outcome is then what it counts as if nothing more comes.
	provisional bool
	// newResult and newReason say that the value isn't in the tables.
	newResult, newReason bool
}

// endingOf decides by the result; where it is generic, by a leg that was accepted, and
// by the reason (contract 3).
func endingOf(r *row) ending {
	var e ending
	result := folded(r.Result)
	byResult := noResult
	if result != "" {
		known, ok := results[result]
		byResult, e.newResult = known, !ok
	}
	byReason, ok := reasons[folded(r.Reason)]
	e.newReason = !ok && folded(r.Reason) != ""

	answeredLeg := byResult.open && anyAnswered(r.Legs)
	e.outcome = byResult.outcome
	switch {
	case answeredLeg:
		e.outcome = cdr.Answered
	case byResult.generic && refines(byResult, byReason):
		e.outcome = byReason.outcome
	}
	if !e.outcome.Connected() {
		e.reason = byReason.reason
		if e.reason == "" {
			e.reason = byResult.reason
		}
	}
	// No result, but a leg that was accepted, is a call that was answered: it is final.
	e.provisional = result == resultInProgress || result == "" && !answeredLeg
	return e
}

// refines says whether the reason tells more than a generic result. "Accepted" beside a
// result that says that the call failed is a contradiction: the result stays.
func refines(byResult, byReason verdict) bool {
	switch byReason.outcome {
	case cdr.Unknown:
		return false
	case cdr.Answered:
		return byResult.outcome == cdr.Unknown
	case cdr.Voicemail, cdr.Busy, cdr.NoAnswer, cdr.Cancelled, cdr.Rejected, cdr.InvalidNumber, cdr.NotAllowed,
		cdr.Failed, cdr.NotConnected:
	}
	return true
}

func anyAnswered(legs []*leg) bool {
	for _, l := range legs {
		if results[folded(l.Result)].outcome == cdr.Answered {
			return true
		}
	}
	return false
}
