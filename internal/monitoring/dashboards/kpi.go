package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// outcomes are the names of those that have a property; the same ones as the exporter's own.
func outcomes(having func(cdr.Outcome) bool) []string {
	var names []string
	for _, o := range cdr.Outcomes() {
		if having(o) {
			names = append(names, o.String())
		}
	}
	return names
}

// The sets of outcomes that ratios are made of (docs/metrics.md).
func connected() match { return oneOf("outcome", outcomes(cdr.Outcome.Connected)) }
func effective() match { return oneOf("outcome", outcomes(cdr.Outcome.Effective)) }
func attempts() match  { return oneOf("outcome", outcomes(cdr.Outcome.Attempt)) }
func failed() match    { return is("outcome", cdr.Failed.String()) }

// withReasons selects the feeds that say why a call didn't connect. Of others no NER and no faults are shown: none
// is not 0.
func withReasons() match {
	return match{"feed", "=~", rules.ReasonFeeds}
}

// ask is a way to ask for a counter: its course, or its growth in the time shown.
type ask func(*metrics.Def, []string, ...match) query

// asr is the answer-seizure ratio (ITU-T E.411, E.425).
func asr(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, connected()), how(metrics.Calls, keep))
}

// reachedPerson is the share of calls that a person answered, of those whose outcome is known.
func reachedPerson(how ask, keep []string) query {
	known := how(metrics.Calls, keep, isNot("outcome", cdr.Unknown.String()))
	return share(how(metrics.Calls, keep, is("outcome", cdr.Answered.String())), known)
}

// ner is the network effectiveness ratio (ITU-T E.425).
func ner(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, effective(), withReasons()), how(metrics.Calls, keep, attempts(),
		withReasons()))
}

// faults is the share of attempts that the network, a trunk, a carrier or a service failed.
func faults(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, failed(), withReasons()), how(metrics.Calls, keep, attempts(), withReasons()))
}

// budgetTime is how long the objective holds for.
const budgetTime = "30d"

// budgetLeft is how much of the error budget is left of the time shown: all of it before the first fault, less than
// nothing where more failed than may.
func (b *board) budgetLeft(keep []string) query {
	q := faults(b.total, keep)
	q.expr = fmt.Sprintf("1 - (%s) / %g", q.expr, b.ErrorBudget)
	return q
}

// left warns when a quarter of the budget is left; at zero it is bad.
func left() *dashboard.ThresholdsConfigBuilder { return below(0.25, 0) }

// acd is the average duration of connected calls (ITU-T E.437).
func acd(how ask, keep []string) query {
	return over(how(metrics.ConnectedSeconds, keep), how(metrics.Calls, keep, connected()), unitAge)
}
