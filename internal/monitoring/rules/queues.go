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

// QueueKPI is a key figure of queues.
type QueueKPI struct {
	// Name is the recorded series' name, Title the usual name, Formula the division in words.
	Name, Title, Formula string
	// Source is where it is defined; Caveat is what a reader must know.
	Source, Caveat string

	operation string
	expr      func(w window) string
}

// Record is the name of its series per source, feed and queue.
func (k *QueueKPI) Record(w string) string { return byQueue.name(k.Name, k.operation+"_rate"+w) }

// QueueKPIs are all key figures of queues.
func (p *Parameters) QueueKPIs() []QueueKPI {
	counted := func(w window) string {
		return fmt.Sprintf("(%s - %s > 0)", byQueue.rate(queueVisits, w, ""), byQueue.rate(queueShort, w, ""))
	}
	return []QueueKPI{
		{
			Name: "cdr_queue_service_level", Title: "service level", operation: "ratio",
			Formula: fmt.Sprintf("answered within %d s ÷ (all visits − abandoned within %d s)", p.QueueSeconds,
				shortAbandon),
			Source: "no standard: [five " +
				"formulas](https://www.callcentrehelper.com/service-level-threshold-calculations-206890.htm) " +
				"are in use. " +
				"This is the fourth of them, which leaves out callers who left early",
			Caveat: "`queue_seconds` is the time. Visits that timed out, overflowed or ended otherwise count as not " +
				"answered in time, and so do " +
				"visits that were answered after an unknown wait. A queue of which no wait is known has no service " +
				"level.",
			expr: func(w window) string { return lines(byQueue.rate(queueInTime, w, ""), "/ "+counted(w)) },
		},
		{
			Name: "cdr_queue_answer_seconds", Title: "average speed of answer (ASA)", operation: "mean",
			Formula: "waits of answered visits ÷ answered visits whose wait is known",
			Source:  "common in contact centres",
			Caveat: "Callers who gave up aren't in it. Read it together with abandonment: a queue that loses the " +
				"patient ones looks fast.",
			expr: speedOfAnswer,
		},
		{
			Name: "cdr_queue_abandonment", Title: "abandonment", operation: "ratio",
			Formula: fmt.Sprintf("abandoned, but not within %d s ÷ (all visits − abandoned within %d s)",
				shortAbandon, shortAbandon),
			Source: "common in contact centres; callers who left early are left out",
			Caveat: "Where the provider can't tell, a caller whom the queue cut off counts as abandoned.",
			expr: func(w window) string {
				return lines(fmt.Sprintf("(%s - %s)", byQueue.rate(queueAbandoned, w, ""), byQueue.rate(queueShort,
					w, "")), "/ "+counted(w))
			},
		},
	}
}

// queues are the rates and figures of each queue in one window.
func (p *Parameters) queues(w window) Group {
	g := Group{Name: "cdr-queue-kpis-" + string(w), Doc: "Visits to queues and their key figures per source, feed " +
		"and queue over " + string(w) + "."}
	if w == w1d {
		g.Interval = 2 * time.Minute
	}
	record := func(name, doc, expr string) {
		g.Rules = append(g.Rules, Rule{Record: byQueue.rate(name, w, ""), Doc: doc + " Per second.", Expr: expr})
	}
	some := func(expr string) string { return lines(expr, "or 0 * "+byQueue.rate(queueVisits, w, "")) }
	with := func(r cdr.QueueResult) string {
		return some(sumRate(byQueue, w, sel(metrics.QueueCalls, is("result", r.String()))))
	}
	record(queueVisits, "All visits to a queue.", sumRate(byQueue, w, sel(metrics.QueueCalls)))
	record(queueAnswered, "Visits that an agent answered.", with(cdr.QueueAnswered))
	record(queueAbandoned, "Visits that the caller ended.", with(cdr.QueueAbandoned))
	// Without any known wait nobody knows who was answered in time: then it is absent, not 0.
	waits := sumRate(byQueue, w, metrics.QueueWait.Name+"_count")
	native := sumRate(byQueue, w, sel(metrics.QueueWait))
	record(queueInTime, fmt.Sprintf("Visits that were answered within %d s; absent without known waits.",
		p.QueueSeconds), lines(waitedUpTo(w, p.QueueSeconds, cdr.QueueAnswered), "or 0 * "+waits,
		fmt.Sprintf("or 0 * histogram_count(%s)", native)))
	record(queueShort, fmt.Sprintf("Visits that the caller ended within %d s.", shortAbandon), some(waitedUpTo(w,
		shortAbandon, cdr.QueueAbandoned)))
	for _, k := range p.QueueKPIs() {
		g.Rules = append(g.Rules, Rule{
			Record: k.Record(string(w)), Doc: fmt.Sprintf("%s: %s.", k.Title, k.Formula),
			Expr: k.expr(w),
		})
	}
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
func speedOfAnswer(w window) string {
	having := is("result", cdr.QueueAnswered.String())
	of := func(suffix string) string {
		return sumRate(byQueue, w, fmt.Sprintf("%s%s{%s}", metrics.QueueWait.Name, suffix, having))
	}
	native := sumRate(byQueue, w, sel(metrics.QueueWait, having))
	return lines(of("_sum"), fmt.Sprintf("/ (%s > 0)", of("_count")),
		fmt.Sprintf("or histogram_sum(%s) / (histogram_count(%s) > 0)", native, native))
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
	visits, answered := byQueue.rate(queueVisits, w1h, ""), byQueue.rate(queueAnswered, w1h, "")
	// An attendant sends its callers on (`other`), and has no agents.
	lost := sumRate(byQueue, w1h, sel(metrics.QueueCalls, matches("result", "abandoned|timeout|overflowed")))
	kpis := p.QueueKPIs()
	abandonment := kpis[slices.IndexFunc(kpis,
		func(k QueueKPI) bool { return k.Name == "cdr_queue_abandonment" })].Record(string(w1h))
	const which = "{{ with $labels.queue }}Queue {{ . }}{{ else }}A queue{{ end }} of {{ $labels.source }} ({{ " +
		"$labels.feed }})"
	return Group{
		Name: "cdr-queues", Doc: "Whether callers in queues are answered.", Dashboard: "queues",
		Rules: []Rule{{
			Alert: "CDRQueueUnanswered", Severity: warning, Signal: Calls, For: 10 * time.Minute, Keep: keep,
			Doc: "Many callers leave a queue before an agent answers. Or none is answered, although some were a week " +
				"ago or nothing is known of that.",
			Expr: lines(anyOf(
				lines(fmt.Sprintf("%s > %s", abandonment, number(p.AbandonShare)), fmt.Sprintf("and round(%s * "+
					"3600) >= "+
					"%d", visits, abandonFloor)),
				lines(fmt.Sprintf("(%s / %s > 0.5) ^ 0", lost, visits),
					fmt.Sprintf("and round(%s * 3600) >= %d", visits, unansweredFloor),
					fmt.Sprintf("and %s == 0", answered), fmt.Sprintf("unless %s offset 1w == 0", answered)),
			), isLive(live65m)),
			Summary: which + " loses callers.",
			Description: fmt.Sprintf("{{ if ge $value 1.0 }}No caller of the last hour was{{ else }}{{ $value | "+
				"humanizePercentage }} of the callers of the last hour left before they were{{ end }} answered by an "+
				"agent; those who left within %d seconds aren't counted. Are agents logged in?", shortAbandon),
			When: fmt.Sprintf("more than %s %% of an hour's visits to a queue are abandoned (of %d or more), or "+
				"none is "+
				"answered (of %d or more, mostly lost) although some were a week ago",
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
