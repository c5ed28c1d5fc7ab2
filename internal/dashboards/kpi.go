package dashboards

import (
	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/app"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/metrics"
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

// withReasons selects the feeds that say why a call didn't connect. Of others no NER and no faults are shown: none is not 0.
func withReasons() match {
	return oneOf("feed", app.Feeds(func(f collector.FeedProperties) bool { return f.Reasons }))
}

// ask is a way to ask for a counter: its course, or its growth in the time shown.
type ask func(*metrics.Def, []string, ...match) query

// asr is the answer-seizure ratio (ITU-T E.411, E.425).
func asr(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, connected()), how(metrics.Calls, keep))
}

// ner is the network effectiveness ratio (ITU-T E.425).
func ner(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, effective(), withReasons()), how(metrics.Calls, keep, attempts(), withReasons()))
}

// faults is the share of attempts that the network, a trunk, a carrier or a service failed.
func faults(how ask, keep []string) query {
	return share(how(metrics.Calls, keep, failed(), withReasons()), how(metrics.Calls, keep, attempts(), withReasons()))
}

// acd is the average duration of connected calls (ITU-T E.437).
func acd(how ask, keep []string) query {
	return over(how(metrics.ConnectedSeconds, keep), how(metrics.Calls, keep, connected()), unitAge)
}
