package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// The data sources that a dashboard lets one choose.
const (
	prometheusVariable = "prometheus_datasource"
	lokiVariable       = "loki_datasource"
)

// prometheusSource and lokiSource are what panels ask.
func prometheusSource() common.DataSourceRef { return sourceRef("prometheus", prometheusVariable) }
func lokiSource() common.DataSourceRef       { return sourceRef("loki", lokiVariable) }

func sourceRef(kind, variable string) common.DataSourceRef {
	uid := "${" + variable + "}"
	return common.DataSourceRef{Type: &kind, Uid: &uid}
}

func (b *board) chooseSource(kind, name, label string) {
	b.builder.WithVariable(dashboard.NewDatasourceVariableBuilder(name).
		Label(label).
		Description("Where the queries go.").
		Type(kind).
		Current(option("default", "default")))
}

// choose lets one choose values of a label that a metric has, narrowed by the variables before it.
func (b *board) choose(label, title, every, description string, d *metrics.Def) {
	expr := fmt.Sprintf("label_values(%s%s, %s)", d.Name, b.narrowing(d, label), label)
	b.builder.WithVariable(asked(label, title, description, prometheusSource(),
		expr).IncludeAll(true).AllValue(every).Current(option("All", "$__all")))
}

// asked is a variable whose values a query finds.
func asked(name, title, description string, source common.DataSourceRef, expr string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).
		Label(title).
		Description(description).
		Datasource(source).
		Query(dashboard.StringOrMap{String: &expr}).
		Definition(expr).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).
		Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true)
}

// narrowing are matchers of the variables that stand before one.
func (b *board) narrowing(d *metrics.Def, label string) string {
	switch label {
	case "job":
		return ""
	case "instance":
		return `{job=~"$job"}`
	}
	selector, _ := strings.CutPrefix(b.selector(d, "", nil), d.Name)
	b.filters = append(b.filters, label)
	return selector
}

// chooseExporter lets one choose which exporter a Prometheus dashboard shows.
func (b *board) chooseExporter() {
	b.chooseSource("prometheus", prometheusVariable, "Prometheus data source")
	b.choose("job", "Job", ".+", "Scrape job of the exporter.", metrics.Polls)
	b.choose("instance", "Instance", ".+", "Exporter, where there are several.", metrics.Polls)
	b.annotate("Alerts", bad, "{{alertname}}", "{{severity}} {{source}} {{feed}} {{trunk}}",
		`ALERTS{alertname=~"CDR.*", alertstate="firing"}`, false)
	b.annotate("Restarts", "blue", "The exporter was started", "{{job}} {{instance}}", b.selector(processStart, "",
		nil)+" * 1000", true)
}

func (b *board) chooseCalls() {
	b.choose("source", "Source", ".+", "Source of the configuration.", metrics.Polls)
	b.choose("provider", "Provider", ".+", "Provider that sold the calls.", metrics.Calls)
}

// chooseFeed lets one choose feeds; "all" stands for the feeds that may be added up.
func (b *board) chooseFeed() {
	b.choose("feed", "Feed", strings.Join(b.Additive(), "|"),
		"All is every feed whose calls may be added up. call_records has the same calls as pstn and direct_routing: "+
			"choose it alone, or look at Quality.",
		metrics.Calls)
}

// chooseLabels lets one choose values of the operator's labels. Calls without a value don't have the label; "all"
// includes them.
func (b *board) chooseLabels() {
	for _, label := range b.Labels {
		b.choose(label, heading(label), ".*", "Label of the configuration. It narrows what counts calls, failures, "+
			"connected time and charges.", metrics.Calls)
	}
}

// option is a choice that a variable begins with.
func option(text, value string) dashboard.VariableOption {
	return dashboard.VariableOption{
		Text:  dashboard.StringOrArrayOfString{String: &text},
		Value: dashboard.StringOrArrayOfString{String: &value},
	}
}
