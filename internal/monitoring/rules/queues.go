package rules

import (
	"fmt"
	"slices"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/config"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// byQueue is the level of series of one queue.
var byQueue = level{"source", "feed", "queue"}

// shortAbandon is the wait below which a caller who leaves a queue isn't lost: the number was misdialled. It is a
// bound of the buckets of waits.
const shortAbandon = 5

const (
	queueVisits    = "cdr_queue_visits"
	queueAnswered  = "cdr_queue_answered"
	queueAbandoned = "cdr_queue_abandoned"
	queueInTime    = "cdr_queue_answered_in_time"
	queueShort     = "cdr_queue_short_abandons"
)

// QueueKPIs are all key figures of queues.
func (p *Parameters) QueueKPIs() []KPI {
	counted := func(l level, w window) string {
		return fmt.Sprintf("/ (%s - %s > 0)", l.rate(queueVisits, w), l.rate(queueShort, w))
	}
	return []KPI{
		{
			Name: "cdr_queue_service_level", Short: "service level",
			Formula: fmt.Sprintf("answered within %d s ÷ (all visits − abandoned within %d s)", p.QueueSeconds,
				shortAbandon),
			Standard: "no standard: " +
				"[five formulas](https://www.callcentrehelper.com/service-level-threshold-calculations-206890.htm) " +
				"are in use. This is the fourth of them, which leaves out callers who left early",
			Caveat: "`queue_seconds` is the time. Visits that timed out, overflowed or ended otherwise count as not " +
				"answered in time, and so do visits that were answered after an unknown wait. A queue of which no " +
				"wait is known has no service level.",
			expr: func(l level, w window) string { return lines(l.rate(queueInTime, w), counted(l, w)) },
		},
		{
			Name: "cdr_queue_answer_seconds", Short: "average speed of answer (ASA)", operation: "mean",
			Formula:  "waits of answered visits ÷ answered visits whose wait is known",
			Standard: "common in contact centres",
			Caveat: "Callers who gave up aren't in it. Read it together with abandonment: a queue that loses the " +
				"patient ones looks fast.",
			expr: speedOfAnswer,
		},
		{
			Name: abandonment, Short: "abandonment",
			Formula: fmt.Sprintf("abandoned, but not within %d s ÷ (all visits − abandoned within %d s)",
				shortAbandon, shortAbandon),
			Standard: "common in contact centres; callers who left early are left out",
			Caveat:   "Where the provider can't tell, a caller whom the queue cut off counts as abandoned.",
			expr: func(l level, w window) string {
				return lines(fmt.Sprintf("(%s - %s)", l.rate(queueAbandoned, w), l.rate(queueShort, w)), counted(l, w))
			},
		},
	}
}

// abandonment is the name of the figure that an alert reads.
const abandonment = "cdr_queue_abandonment"

// queues are the rates and figures of each queue in one window.
func (p *Parameters) queues(w window) Group {
	g := Group{
		Name:     "cdr-queue-kpis-" + string(w),
		Doc:      "Visits to queues and their key figures per source, feed and queue over " + string(w) + ".",
		Interval: intervals[w],
	}
	with := func(r cdr.QueueResult) []string { return []string{is("result", r.String())} }
	for _, p := range []part{
		{queueVisits, "", "All visits to a queue.", metrics.QueueCalls, nil},
		{queueAnswered, queueVisits, "Visits that an agent answered.", metrics.QueueCalls, with(cdr.QueueAnswered)},
		{queueAbandoned, queueVisits, "Visits that the caller ended.", metrics.QueueCalls, with(cdr.QueueAbandoned)},
	} {
		g.Rules = append(g.Rules, p.rule(byQueue, w))
	}
	// Without any known wait nobody knows who was answered in time: then it is absent, not 0.
	waits := sumRate(byQueue, w, metrics.QueueWait.Name+"_count")
	native := sumRate(byQueue, w, sel(metrics.QueueWait))
	g.Rules = append(g.Rules,
		Rule{
			Record: byQueue.rate(queueInTime, w),
			Doc: fmt.Sprintf("Visits that were answered within %d s; absent without known waits. Per second.",
				p.QueueSeconds),
			Expr: lines(waitedUpTo(w, p.QueueSeconds, cdr.QueueAnswered), "or 0 * "+waits,
				fmt.Sprintf("or 0 * histogram_count(%s)", native)),
		},
		Rule{
			Record: byQueue.rate(queueShort, w),
			Doc:    fmt.Sprintf("Visits that the caller ended within %d s. Per second.", shortAbandon),
			Expr:   lines(waitedUpTo(w, shortAbandon, cdr.QueueAbandoned), "or 0 * "+byQueue.rate(queueVisits, w)),
		})
	g.Rules = append(g.Rules, kpiRules(p.QueueKPIs(), byQueue, w)...)
	return g
}

// waitedUpTo is the rate of visits that waited at most this many seconds, which must be a bound of the buckets. It is
// exact if Prometheus keeps classic buckets. If Prometheus keeps the native histogram alone, it is an estimate within
// the bucket that holds the bound.
func waitedUpTo(w window, seconds int, result cdr.QueueResult) string {
	having := is("result", result.String())
	classic := sumRate(byQueue, w, fmt.Sprintf("%s_bucket{%s, %s}", metrics.QueueWait.Name, having, matches("le",
		fmt.Sprintf(`%d([.]0)?`, seconds))))
	native := sumRate(byQueue, w, sel(metrics.QueueWait, having))
	return lines(classic, fmt.Sprintf("or histogram_fraction(0, %d, %s) * (histogram_count(%s) > 0)", seconds,
		native, native))
}

// speedOfAnswer is the mean wait of answered visits, from either kind of histogram.
func speedOfAnswer(l level, w window) string {
	having := is("result", cdr.QueueAnswered.String())
	of := func(suffix string) string {
		return sumRate(l, w, fmt.Sprintf("%s%s{%s}", metrics.QueueWait.Name, suffix, having))
	}
	return lines(of("_sum"), fmt.Sprintf("/ (%s > 0)", of("_count")),
		fmt.Sprintf("or histogram_sum(%[1]s) / (histogram_count(%[1]s) > 0)", of("")))
}

// validateQueues reports a time that the buckets of waits don't tell.
func (p *Parameters) validateQueues(r *config.Report) {
	if !slices.Contains(metrics.QueueWait.Bounds, float64(p.QueueSeconds)) {
		r.Problemf("queue_seconds", "must be a bound of the buckets of %s (%v), is %d", metrics.QueueWait.Name,
			metrics.QueueWait.Bounds, p.QueueSeconds)
	}
}

// queueAlerts are about queues whose callers aren't answered.
func (p *Parameters) queueAlerts() Group {
	visits, answered := byQueue.rate(queueVisits, w1h), byQueue.rate(queueAnswered, w1h)
	// An attendant sends its callers on (`other`), and has no agents.
	lost := sumRate(byQueue, w1h, sel(metrics.QueueCalls, matches("result", "abandoned|timeout|overflowed")))
	const which = "{{ with $labels.queue }}Queue {{ . }}{{ else }}A queue{{ end }} of {{ $labels.source }} ({{ " +
		"$labels.feed }})"
	return Group{
		Name: "cdr-queues", Doc: "Whether callers in queues are answered.", Dashboard: "queues",
		Rules: []Rule{{
			Alert: "CDRQueueUnanswered", Severity: warning, Signal: Calls, For: 10 * time.Minute, Keep: keep,
			Doc: "Many callers leave a queue before an agent answers. Or none is answered, although some were a week " +
				"ago or nothing is known of that.",
			Expr: lines(anyOf(
				lines(fmt.Sprintf("%s > %s", byQueue.name(abandonment, "ratio_rate1h"), number(p.AbandonShare)),
					"and "+atLeast(abandonFloor, visits, w1h)),
				lines(fmt.Sprintf("(%s / %s > 0.5) ^ 0", lost, visits), "and "+atLeast(unansweredFloor, visits, w1h),
					fmt.Sprintf("and %s == 0", answered), fmt.Sprintf("unless %s offset 1w == 0", answered)),
			), isLive(live65m)),
			Summary: which + " loses callers.",
			Description: fmt.Sprintf("{{ if ge $value 1.0 }}No caller of the last hour was{{ else }}{{ $value | "+
				"humanizePercentage }} of the callers of the last hour left before they were{{ end }} answered by an "+
				"agent; those who left within %d seconds aren't counted. Are agents logged in?", shortAbandon),
			When: fmt.Sprintf("more than %s %% of an hour's visits to a queue are abandoned (of %d or more), or "+
				"none is answered (of %d or more, mostly lost) although some were a week ago",
				number(p.AbandonShare*100), abandonFloor, unansweredFloor),
			Change: "`abandon_share`",
		}},
	}
}

const (
	// abandonFloor and unansweredFloor are of how many visits of an hour a queue is judged by those that left, and
	// by having answered none.
	abandonFloor, unansweredFloor = 20, 10
)
