package rules

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// window is a range of time, as PromQL writes it.
type window string

const (
	w5m window = "5m"
	w1h window = "1h"
	w6h window = "6h"
	w1d window = "1d"
	w3d window = "3d"
)

func (w window) seconds() int {
	d, _ := model.ParseDuration(string(w)) // those above
	return int(time.Duration(d).Seconds())
}

// level is the labels that a recorded series keeps, in the form that its name begins with.
type level []string

var (
	byJob       = level{"job"}
	byInstance  = level{"job", "instance"}
	bySource    = level{"source"}
	byJobFeed   = level{"job", "source", "feed"}
	byFeed      = level{"source", "feed"}
	byTrunk     = level{"source", "feed", "trunk"}
	byDirection = level{"source", "feed", "trunk", "direction"}
	byCurrency  = level{"source", "feed", "currency"}
	byCountry   = level{"source", "feed", "country"}
	byMedia     = level{"source", "feed", "media"}
	byResult    = level{"source", "feed", "result"}
)

func (l level) labels() string { return strings.Join(l, ", ") }

// name is the name of a recorded series: level:metric:operation.
func (l level) name(metric, operation string) string {
	return strings.Join(l, "_") + ":" + metric + ":" + operation
}

// rate is a recorded rate, of all series or only of those that matchers select.
func (l level) rate(metric string, w window, only ...string) string {
	return selected(l.name(metric, "rate"+string(w)), only)
}

// combine makes one series of all at the level: their sum, or the max or min of them.
func (l level) combine(how, expr string) string {
	return fmt.Sprintf("%s by (%s) (%s)", how, l.labels(), expr)
}

// highest is the highest value in a range of time, such as [5m]: a missed scrape doesn't end it.
func (l level) highest(selector, in string) string {
	return l.combine("max", "max_over_time("+selector+in+")")
}

// and keeps series where a condition holds at the level; unless leaves them out.
func (l level) and(format string, args ...any) string {
	return "and on (" + l.labels() + ") " + fmt.Sprintf(format, args...)
}

func (l level) unless(format string, args ...any) string {
	return "unless on (" + l.labels() + ") " + fmt.Sprintf(format, args...)
}

// is, isNot, matches and not are the ways to select a label's value.
func is(label, value string) string      { return label + `="` + value + `"` }
func isNot(label, value string) string   { return label + `!="` + value + `"` }
func matches(label, value string) string { return label + `=~"` + value + `"` }
func not(label, value string) string     { return label + `!~"` + value + `"` }

// outcomes and noOutcomes select calls by how they ended.
func outcomes(all []cdr.Outcome) string   { return matches("outcome", names(all)) }
func noOutcomes(all []cdr.Outcome) string { return not("outcome", names(all)) }

func names(all []cdr.Outcome) string {
	text := make([]string, len(all))
	for i, o := range all {
		text[i] = o.String()
	}
	return strings.Join(text, "|")
}

// outboundConnected are calls that cost money.
var outboundConnected = is("direction", "outbound") + ", " + is("connected", "true")

func sel(d *metrics.Def, matchers ...string) string { return selected(d.Name, matchers) }

func selected(series string, matchers []string) string {
	if len(matchers) == 0 {
		return series
	}
	return series + "{" + strings.Join(matchers, ", ") + "}"
}

func sumRate(l level, w window, selector string) string {
	return l.combine("sum", fmt.Sprintf("rate(%s[%s])", selector, w))
}

// atLeast asks for a number of a recorded rate in its window.
func atLeast(least int, rate string, w window) string {
	return fmt.Sprintf("round(%s * %d) >= %d", rate, w.seconds(), least)
}

// among is the share of a part among a whole. A part that is missing is 0: calls of a kind that hasn't happened yet
// have no series.
func among(part, whole string) string {
	return lines("("+part+" or 0 * "+whole+")", "/ ("+whole+" > 0)")
}

// labelledWith gives all samples of an expression a label: alternatives with different ones become separate alerts.
func labelledWith(label, value, expr string) string {
	return fmt.Sprintf("label_replace(\n%s,\n%q, %q, \"\", \"\")", expr, label, value)
}

// anyOf holds where one of these expressions does.
func anyOf(expressions ...string) string {
	return "((\n" + strings.Join(expressions, "\n) or (\n") + "\n))"
}

// lines joins the parts of an expression, an operator at the head of each but the first.
func lines(first string, rest ...string) string {
	return strings.Join(append([]string{first}, rest...), "\n")
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
