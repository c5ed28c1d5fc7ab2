package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// destination is a dashboard that links lead to for the same time. A label of what was clicked fills in the variable of
// that name if the dashboard takes it; what else was chosen is carried over.
type destination struct {
	board, title   string
	takes, carries []string
}

var (
	callsBehind = destination{"calls", "Calls behind this", callsVariables(), []string{"source", "provider", "trunk"}}
	thisTrunk   = destination{"trunks", "This trunk", []string{"source", "feed", "trunk"}, []string{
		"job",
		"instance", "source", "provider", "feed",
	}}
)

// onlyFailed is the parameter of a link to calls that failed.
const onlyFailed = "var-outcome=failed"

// seriesTo leads there from a series, and rowTo from a row of a table. more are further parameters, such as the
// outcome.
func (b *board) seriesTo(d destination, q query, more ...string) []cog.Builder[dashboard.DashboardLink] {
	return []cog.Builder[dashboard.DashboardLink]{dashboard.NewDashboardLinkBuilder(d.title).Url(b.url(d, q.by,
		"__field.labels", more))}
}

func (b *board) rowTo(d destination, q query, more ...string) dashboard.DynamicConfigValue {
	return linkTo(d.title, b.url(d, q.by, "__data.fields", more))
}

func linkTo(title, url string) dashboard.DynamicConfigValue {
	return property("links", []any{map[string]any{"title": title, "url": url}})
}

func (b *board) url(d destination, labels []string, from string, more []string) string {
	var parts []string
	for _, label := range labels {
		if !slices.Contains(d.takes, label) {
			continue
		}
		field := from + "." + label
		if from == "__data.fields" {
			field = fmt.Sprintf("%s[%q]", from, heading(label))
		}
		parts = append(parts, fmt.Sprintf("var-%s=${%s:percentencode}", label, field))
	}
	for _, v := range slices.Concat(d.carries, b.Labels) {
		if !slices.Contains(labels, v) && slices.Contains(append(b.filters, "job", "instance"), v) {
			parts = append(parts, fmt.Sprintf("${%s:queryparam}", v))
		}
	}
	parts = append(parts, more...)
	parts = append(parts, fmt.Sprintf("${%s:queryparam}", prometheusVariable), "${__url_time_range}")
	return "/d/" + uid(d.board) + "?" + strings.Join(parts, "&")
}
