package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// query is one question to Prometheus, and how a panel shows what comes back.
type query struct {
	expr, unit string
	// by are the labels that the answer has.
	by []string
	// name is what the series are called; `{{label}}` stands for a label.
	name string
	// exemplars asks for examples too, which lead from a spike to its calls: of metrics that have them.
	exemplars bool
	// every is the least number of minutes from one point of a course to the next, and what each covers: 0 is as the
	// data source has it. bars says that a point is what was counted since the one before.
	every int
	bars  bool
}

// as names the series of an answer.
func (q query) as(name string) query {
	q.name = name
	return q
}

// match is a condition on a label.
type match struct{ label, operator, value string }

// is, isNot and oneOf are the conditions on labels.
func is(label, value string) match    { return match{label, "=", value} }
func isNot(label, value string) match { return match{label, "!=", value} }
func oneOf(label string, values []string) match {
	if len(values) == 1 {
		return is(label, values[0])
	}
	return match{label, "=~", strings.Join(values, "|")}
}

// by are the labels to keep.
func by(labels ...string) []string { return labels }

// rate adds up how fast series grow, and increase by how much in the time shown. The suffix is of a histogram's part.
func (b *board) rate(d *metrics.Def, suffix string, keep []string, where []match) string {
	return fmt.Sprintf("%s (rate(%s[$__rate_interval]))", sumBy(keep), b.selector(d, suffix, where))
}

func (b *board) increase(d *metrics.Def, suffix string, keep []string, where []match) string {
	return fmt.Sprintf("%s (increase(%s[$__range]))", sumBy(keep), b.selector(d, suffix, where))
}

// flow is a counter's course: what each bar holds, or for what always goes on, its rate.
func (b *board) flow(d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	if m.every > 0 {
		return b.counted(d, keep, where...)
	}
	rate := b.rate(d, "", keep, where)
	if m.span > 1 {
		rate = fmt.Sprintf("%d * %s", m.span, rate)
	}
	return query{expr: rate, unit: m.flow, by: keep, exemplars: d.Exemplars}
}

// counted is how much a counter grew since the bar before: its rate times the length of a bar. An increase over a
// bar loses what falls between two bars, and over $__rate_interval, which is a scrape longer, it is too much: 1.05
// for one call.
func (b *board) counted(d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	return query{
		expr: b.rate(d, "", keep, where) + " * $__interval_ms / 1000", unit: m.unit, by: keep,
		exemplars: d.Exemplars, every: max(m.every, barMinutes), bars: true,
	}
}

// total is how much a counter grew in the time shown.
func (b *board) total(d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	return query{expr: b.increase(d, "", keep, where), unit: m.unit, by: keep}
}

func (b *board) value(d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	return query{expr: fmt.Sprintf("%s (%s)", across(m.across, keep), b.selector(d, "", where)), unit: m.unit, by: keep}
}

// age is how long ago a timestamp is. Where there are several it is of those that say something: 0 stands for never.
func (b *board) age(d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	expr := fmt.Sprintf("time() - %s (%s > 0)", across(m.across, keep), b.selector(d, "", where))
	return query{expr: expr, unit: unitAge, by: keep}
}

// quantile is a quantile of what a histogram observed. A Prometheus keeps a native histogram, classic buckets, or
// both: the first half answers where there are native ones, the second where there aren't.
func (b *board) quantile(rank float64, d *metrics.Def, keep []string, where ...match) query {
	m := b.measure(d, keep, where)
	expr := fmt.Sprintf("histogram_quantile(%[1]g, %[2]s)\nor\nhistogram_quantile(%[1]g, %[3]s)", rank,
		b.rate(d, "", keep, where), b.rate(d, "_bucket", append(slices.Clone(keep), "le"), where))
	return query{expr: expr, unit: m.unit, by: keep, exemplars: d.Exemplars, every: m.every}
}

// spread are the median and the 95th percentile.
func (b *board) spread(d *metrics.Def, keep []string, where ...match) []query {
	names := legend(query{by: keep})
	return []query{b.quantile(0.5, d, keep, where...).as("median " + names), b.quantile(0.95, d, keep,
		where...).as("p95 " + names)}
}

// share is how much of the whole a part is. A part of which nothing was counted is 0.
func share(part, whole query) query {
	part.expr = fmt.Sprintf("(%s or 0 * %s)", part.expr, whole.expr)
	return over(part, whole, unitRatio)
}

// over divides by a count. It returns nothing for a count of zero and, over time, for a few calls: the ratio would
// jump between 0 and 1.
func over(part, whole query, unit string) query {
	q := query{expr: fmt.Sprintf("%s\n/ (%s > 0)", part.expr, whole.expr), unit: unit, by: whole.by}
	if whole.bars {
		q.expr, q.every = fmt.Sprintf("%s\n/ (%s >= %d)", part.expr, whole.expr, ratioLeast), ratioMinutes
	}
	return q
}

// orNone is 0 where an exporter runs and nothing was counted yet: what a healthy day doesn't have begins its series
// with the first event.
func (b *board) orNone(q query) query {
	q.expr = fmt.Sprintf("%s\nor on () 0 * max (%s)", q.expr, b.selector(metrics.ReloadSuccessful, "", nil))
	return q
}

func top(n int, q query) query {
	q.expr = fmt.Sprintf("topk(%d, %s)", n, q.expr)
	return q
}

// nonzero leaves out what didn't happen.
func nonzero(q query) query {
	q.expr += " > 0"
	return q
}

// selector is a metric with the matchers of every target, of the dashboard's variables, and of the query.
func (b *board) selector(d *metrics.Def, suffix string, where []match) string {
	all := []match{{"job", "=~", "$job"}, {"instance", "=~", "$instance"}}
	names := b.labelNames(d)
	for _, v := range b.filters {
		if slices.Contains(names, v) && (v != "feed" || !slices.Contains(recentGauges, d)) {
			all = append(all, match{v, "=~", "$" + v})
		}
	}
	all = append(all, where...)
	parts := make([]string, len(all))
	for i, m := range all {
		parts[i] = fmt.Sprintf("%s%s%q", m.label, m.operator, m.value)
	}
	return d.Name + suffix + "{" + strings.Join(parts, ", ") + "}"
}

// labelNames are a metric's labels, with the operator's if it has them.
func (b *board) labelNames(d *metrics.Def) []string {
	switch {
	case d.OfStreams:
		return append(d.LabelNames(), b.StreamLabels...)
	case d.OperatorLabels:
		return append(d.LabelNames(), b.Labels...)
	}
	return d.LabelNames()
}

// measure is how a metric is shown; it notes what the metric can't be asked for.
func (b *board) measure(d *metrics.Def, keep []string, where []match) measure {
	names := append(b.labelNames(d), "job", "instance")
	asked := slices.Clone(keep)
	for _, m := range where {
		asked = append(asked, m.label)
	}
	for _, label := range asked {
		if !slices.Contains(names, label) {
			b.problem("%s has no label %s", d.Name, label)
		}
	}
	m := measureOf(d)
	if m.across == "" {
		b.problem("nothing says how the series of %s are put together", d.Name)
	}
	return m
}

func sumBy(keep []string) string { return across("sum", keep) }

func across(how string, keep []string) string {
	if len(keep) == 0 {
		return how
	}
	return how + " by (" + strings.Join(keep, ", ") + ")"
}
