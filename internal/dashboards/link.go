package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// carried are the variables that Calls has too.
var carried = []string{"source", "provider", "trunk"}

// callsTitle is what links to the log lines of calls are called.
const callsTitle = "Calls behind this"

// onlyFailed is the parameter of a link to calls that failed.
const onlyFailed = "var-outcome=failed"

// toCalls leads from a series to the log lines of its calls: its labels narrow them,
// and what else was chosen. more are further parameters, such as the outcome.
func (b *board) toCalls(q query, more ...string) []cog.Builder[dashboard.DashboardLink] {
	url := b.callsURL(q.by, "__field.labels", more)
	return []cog.Builder[dashboard.DashboardLink]{dashboard.NewDashboardLinkBuilder(callsTitle).Url(url)}
}

// rowToCalls is the same of a row of a table.
func (b *board) rowToCalls(q query, more ...string) dashboard.DynamicConfigValue {
	return property("links", []any{map[string]any{"title": callsTitle, "url": b.callsURL(q.by, "__data.fields", more)}})
}

// callsURL is the address of Calls with a variable for each label that it knows.
func (b *board) callsURL(labels []string, from string, more []string) string {
	var parts []string
	for _, label := range labels {
		if !slices.Contains(callsVariables(), label) {
			continue
		}
		field := from + "." + label
		if from == "__data.fields" {
			field = fmt.Sprintf("%s[%q]", from, heading(label))
		}
		parts = append(parts, fmt.Sprintf("var-%s=${%s:percentencode}", label, field))
	}
	for _, v := range carried {
		if !slices.Contains(labels, v) && slices.Contains(b.filters, v) {
			parts = append(parts, fmt.Sprintf("${%s:queryparam}", v))
		}
	}
	parts = append(parts, more...)
	parts = append(parts, fmt.Sprintf("${%s:queryparam}", prometheusVariable), "${__url_time_range}")
	return "/d/" + uid("calls") + "?" + strings.Join(parts, "&")
}
