package rules

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"github.com/prometheus/prometheus/promql/parser"
)

// Rule is one recording or alerting rule.
type Rule struct {
	// Record is the name of the recorded series, Alert the name of the alert. A rule has one of them.
	Record, Alert string
	// Doc says what it is, with its standard and its codes; a comment in the file.
	Doc string
	// Expr is PromQL.
	Expr string

	// For is how long an alert's expression must hold, Keep how long it goes on firing after that.
	For, Keep time.Duration
	// Severity is critical (wake somebody), warning (this week's work) or info.
	Severity string
	// Milder is the severity while MilderIf holds, which is a condition of a template.
	Milder, MilderIf string
	// Signal says what an alert is about.
	Signal Signal
	// Summary is one line, Description holds the value. Both are templates.
	Summary, Description string
	// RunbookURL and DashboardURL are links; the latter is a template too.
	RunbookURL, DashboardURL string
	// When says in the docs when it fires, Change which thresholds move it, if any do.
	When, Change string
}

// Signal says what an alert is about. Alertmanager's example silences those about calls while their feed is stale:
// they mean nothing then.
type Signal string

// The signals.
const (
	// Calls: what records tell.
	Calls Signal = "calls"
	// Exporter: whether records are read and passed on.
	Exporter Signal = "exporter"
)

const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
	// none is for alerts that notify nobody.
	none = "none"
)

// Group is a group of rules that are evaluated together, in order.
type Group struct {
	Name string
	Doc  string
	// Dashboard is the one that alerts lead to.
	Dashboard string
	Interval  time.Duration // zero: Prometheus's own
	Rules     []Rule
}

// rulesOf goes through the rules of groups, in order.
func rulesOf(groups ...Group) iter.Seq[*Rule] {
	return func(yield func(*Rule) bool) {
		for _, g := range groups {
			for i := range g.Rules {
				if !yield(&g.Rules[i]) {
					return
				}
			}
		}
	}
}

// Recording are the groups of recording rules.
func (p *Parameters) Recording() []Group {
	groups := p.recording()
	return p.complete(append(groups, p.recordLabels(groups)...))
}

func (p *Parameters) recording() []Group {
	return []Group{
		p.live(), kpis(w5m), kpis(w1h), kpis(w1d), faults(), baselines(), fraudBaselines(),
		p.queues(w1h), p.queues(w1d),
	}
}

// Alerting are the groups of alerting rules.
func (p *Parameters) Alerting() []Group {
	return p.complete(p.keepLabels(p.alerting()))
}

func (p *Parameters) alerting() []Group {
	return []Group{
		p.failureAlerts(), p.trafficAlerts(), p.moneyAlerts(), p.fraudAlerts(), p.emergencyAlerts(), p.mediaAlerts(),
		p.queueAlerts(), p.readingAlerts(), p.webhookAlerts(),
		p.exporterAlerts(),
	}
}

// complete leaves out alerts that are off, adapts expressions and adds the links.
func (p *Parameters) complete(groups []Group) []Group {
	for i := range groups {
		g := &groups[i]
		g.Rules = slices.DeleteFunc(g.Rules, func(r Rule) bool {
			return slices.Contains(p.Off, r.Alert) || r.Severity == "off"
		})
		for r := range rulesOf(*g) {
			r.Expr, r.Change = parser.Prettify(p.adapt(r.Expr)), cmp.Or(r.Change, "nothing")
			r.RunbookURL, r.DashboardURL = p.RunbookURL+r.Alert+".md", p.dashboardURL(g.Dashboard)
		}
	}
	return slices.DeleteFunc(groups, func(g Group) bool { return len(g.Rules) == 0 })
}

// severity is the label of that name.
func (r *Rule) severity() string {
	if r.MilderIf == "" || r.Milder == r.Severity {
		return r.Severity
	}
	return "{{ if " + r.MilderIf + " }}" + r.Milder + "{{ else }}" + r.Severity + "{{ end }}"
}

// AlertNames are all alerts, those that are off by default too.
func AlertNames() (names []string) {
	for r := range rulesOf(Default().Alerting()...) {
		names = append(names, r.Alert)
	}
	return names
}
