package rules

import (
	"fmt"
	"slices"
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

// rate is a recorded rate, of all series or only of those that a matcher selects.
func (l level) rate(metric string, w window, only string) string {
	if only != "" {
		only = "{" + only + "}"
	}
	return l.name(metric, "rate"+string(w)) + only
}

// highest is the highest value in a range of time, such as [5m]: a missed scrape doesn't end it.
func (l level) highest(selector, in string) string {
	return fmt.Sprintf("max by (%s) (max_over_time(%s%s))", l.labels(), selector, in)
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

func sel(d *metrics.Def, matchers ...string) string {
	matchers = slices.DeleteFunc(slices.Clone(matchers), func(m string) bool { return m == "" })
	if len(matchers) == 0 {
		return d.Name
	}
	return d.Name + "{" + strings.Join(matchers, ", ") + "}"
}

func sumRate(l level, w window, selector string) string {
	return fmt.Sprintf("sum by (%s) (rate(%s[%s]))", l.labels(), selector, w)
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
