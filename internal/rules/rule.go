package rules

import "time"

// Rule is one recording or alerting rule.
type Rule struct {
	// Record is the name of the series that it makes; Alert that of the alert. One of both.
	Record, Alert string
	// Doc says what it is, with its standard and its codes; a comment in the file.
	Doc string
	// Expr is PromQL.
	Expr string

	// For is how long an alert's expression must hold, Keep how long it goes on firing
	// after that.
	For, Keep time.Duration
	// Severity is critical (wake somebody), warning (this week's work) or info.
	Severity string
	// Signal says what an alert is about.
	Signal Signal
	// Summary is one line, Description holds the value. Both are templates.
	Summary, Description string
	// When says in the docs when it fires, Change which thresholds move it.
	When, Change string
}

// Signal says what an alert is about. Those about calls mean nothing while their feed is
// stale, and the Alertmanager example silences them then.
type Signal string

// The signals.
const (
	// Calls: what records tell.
	Calls Signal = "calls"
	// Exporter: whether records are read and passed on.
	Exporter Signal = "exporter"
)

// Severities.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
)

// Group is a group of rules that are evaluated together, in order.
type Group struct {
	Name     string
	Doc      string
	Interval time.Duration // zero: Prometheus's own
	Rules    []Rule
}

// Recording are the groups of recording rules.
func Recording() []Group {
	return []Group{live(), kpis(w5m), kpis(w1h), kpis(w1d), faults(), baselines()}
}

// Alerting are the groups of alerting rules.
func Alerting() []Group {
	return []Group{failureAlerts(), trafficAlerts(), moneyAlerts(), emergencyAlerts(), mediaAlerts(), readingAlerts(), webhookAlerts(), exporterAlerts()}
}
