package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/rules"
)

// calls answers: which calls were those, and what does every record of one say? It shows the log records that Loki
// ingested by OTLP, whose attributes are structured metadata with underscores for dots.
func calls(with *rules.Parameters) *board {
	b := newBoard(with, "calls", "Calls", "Find a call and see all its records together. It shows "+
		"log records in Loki. A line's time is the call's start, "+
		"unless otlp.log_timestamp says otherwise.", "now-6h")
	b.chooseSource("loki", lokiVariable, "Loki data source")
	b.chooseSource("prometheus", prometheusVariable, "Prometheus data source")
	b.builder.WithVariable(asked("service_name", "Service", "service.name of the exporter's resource.",
		lokiSource(), "label_values(service_name)").
		Current(option("cdr-exporter", "cdr-exporter")))
	b.chooseNamed("source", "Source", metrics.Polls)
	b.chooseNamed("provider", "Provider", metrics.Calls)
	b.chooseNamed("trunk", "Trunk", metrics.Calls)
	b.chooseListed()
	b.typed()
	over := func(title, description, label, selection string) *timeseries.PanelBuilder {
		expr := fmt.Sprintf("sum by (%s) (count_over_time(%s [$__auto]))", label, selection)
		return timeseries.NewPanelBuilder().
			Title(title).Description(description).
			Datasource(lokiSource()).
			Unit(unitNumber).Decimals(0).Min(0).
			DrawStyle(common.GraphDrawStyleBars).FillOpacity(60).
			Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A")).
			Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).
				Sort(common.SortOrderDescending)).
			Legend(legendOf("sum").Placement(common.LegendPlacementRight)).
			WithTarget(logTarget(expr, by(label)).QueryType("range"))
	}
	b.add(24, 6, over("Records by outcome", "Log records by outcome and by their time. A revised record counts once "+
		"for each version.", logName("outcome"), found()))

	b.row("Find a call")
	b.add(24, 11, logTable(text{"Calls", "A row for each record that the variables above leave, the latest first. A " +
		"click on a call id shows all records of that call below."},
		found(), columnsOfCalls))
	b.add(24, 10, lines("Log lines", "The same records as lines to read. Open one to see its attributes.", found()))

	b.row("Bad calls")
	about := "Sessions of Teams calls that had a poor stream, the latest first, with the measure that made it poor. " +
		"The panel always shows the last day. " +
		"A click on a call id shows all records of that call below, with each stream."
	b.add(24, 9, logTable(text{"Poor sessions of the last day", about}, poorSessions(),
		columnsOfSessions).TimeFrom("24h"))

	b.row("Everything about one call")
	b.add(24, 10, lines("Records of the call", "Every record that has the call id or the trace id above: its rows "+
		"in all feeds, their revisions and its sessions, the earliest first.", together()).
		SortOrder(common.LogsSortOrderAscending))
	return b
}

// anyText is an expression that matches any text.
const anyText = ".*"

// expressions are the labels that one types as regular expressions for the whole value; links fill them in too.
var expressions = []struct{ label, title, description string }{
	{"direction", "Direction", "inbound, outbound or internal"},
	{"reason", "Reason", "Reason of a failure, such as trunk_unreachable"},
	{"fault_domain", "Fault domain", "Whose fault it probably was, such as carrier"},
	{"sip_code", "SIP code", "Final SIP code, such as 5.. for all of the 500s"},
	{"sub_code", "Sub code", "Microsoft's sub code"},
	{"call_type", "Call type", "Call type in the provider's own words"},
	{"country", "Country", "Country of the other party, such as DE"},
}

// callsVariables are the names of the variables that links may fill in.
func callsVariables() []string {
	names := append(slices.Clone(chosen), "outcome")
	for _, e := range expressions {
		names = append(names, e.label)
	}
	return append(names, "number", "line", "call_id", "trace_id")
}

// chosen are the labels whose values Prometheus offers.
var chosen = []string{"source", "provider", "trunk"}

// typed adds the variables that one types.
func (b *board) typed() {
	add := func(variable, title, begins, description string) {
		b.builder.WithVariable(dashboard.NewTextBoxVariableBuilder(variable).
			Label(title).Description(description).
			DefaultValue(dashboard.StringOrMap{String: &begins}).
			Current(option(begins, begins)))
	}
	for _, e := range expressions {
		add(e.label, e.title, anyText, e.description+"; a regular expression.")
	}
	add("number", "Number", "", "Part of the caller's or the callee's number as the log shows it, which is redacted "+
		"as privacy.numbers says.")
	add("line", "Line contains", "", "Text that the line contains.")
	add("call_id", "Call id", "", "Id of one call, for the panels at the bottom; a click on a call above fills it in.")
	add("trace_id", "Trace id", "", "Trace id of one call, for the panels at the bottom; exemplars lead here.")
}

// chooseNamed offers the values of a label that Prometheus knows: Loki only lists values of its index, which
// doesn't have structured metadata.
func (b *board) chooseNamed(label, title string, d *metrics.Def) {
	expr := fmt.Sprintf("label_values(%s, %s)", d.Name, label)
	b.builder.WithVariable(asked(label, title, "Offered from Prometheus; without it, all.", prometheusSource(), expr).
		IncludeAll(true).AllValue(anyText).Current(option("All", "$__all")))
}

func (b *board) chooseListed() {
	names := strings.Join(outcomes(func(cdr.Outcome) bool { return true }), ",")
	b.builder.WithVariable(dashboard.NewCustomVariableBuilder("outcome").
		Label("Outcome").Description("How the call ended.").
		Values(dashboard.StringOrMap{String: &names}).
		Multi(true).
		IncludeAll(true).
		AllValue(anyText).
		Current(option("All", "$__all")))
	kinds := "Calls : (), Sessions : .+, Both : .*"
	b.builder.WithVariable(dashboard.NewCustomVariableBuilder("kind").
		Label("Records").Description("Records of calls, of the sessions of Teams call records, or both.").
		Values(dashboard.StringOrMap{String: &kinds}).
		Current(option("Calls", "()")))
}

// onlySessions is the parameter of a link to records of sessions: the value of Sessions, as an address has it.
const onlySessions = "var-kind=.%2B"

// logName is what Loki calls the attribute that says what a label of a metric says.
func logName(label string) string {
	return strings.ReplaceAll(metrics.LogAttribute(metrics.Calls, label), ".", "_")
}

// stream selects an exporter's log records.
const stream = `{service_name=~"$service_name"}`

// found is the LogQL of the records that all variables leave. Grafana escapes what is chosen from a list for double
// quotes, and leaves what is typed as it is: backquotes let an expression have backslashes.
func found() string {
	parts := []string{stream, "|= ${line:doublequote}"}
	for _, label := range append(slices.Clone(chosen), "outcome") {
		parts = append(parts, fmt.Sprintf(`| %s=~"$%s"`, logName(label), label))
	}
	// Neither visits to queues nor legs of a call are calls.
	parts = append(parts, "| cdr_session_id=~`$kind`", `| cdr_queue_result=""`, `| cdr_leg_id=""`)
	for _, e := range expressions {
		parts = append(parts, fmt.Sprintf("| %s=~`$%s`", logName(e.label), e.label))
	}
	parts = append(parts, "| cdr_caller_number=~`.*${number:regex}.*` or cdr_callee_number=~`.*${number:regex}.*`")
	return strings.Join(parts, " ")
}

// together is the LogQL of all records of one call: the records with its id, and the records of its trace, which
// several feeds share.
func together() string {
	return stream +
		` | (cdr_call_id!="" and cdr_call_id=${call_id:doublequote})` +
		` or (trace_id!="" and trace_id=${trace_id:doublequote})`
}

// poorSessions is the LogQL of sessions with a poor stream.
func poorSessions() string {
	return fmt.Sprintf(`%s | cdr_session_verdict="poor" | %s=~"$source"`, stream, logName("source"))
}

// column is an attribute of log records, and what a table calls it.
type column struct{ attribute, title string }

// columnsOfSessions say why a session was bad.
var columnsOfSessions = []column{
	{"cdr_start_time", "Start"},
	{logName("source"), "Source"},
	{"cdr_session_rule", "Poor by"},
	{"cdr_session_streams", "Streams"},
	{"cdr_session_result", "Result"},
	{"cdr_user_name", "User"},
	{"cdr_session_id", "Session id"},
	{"cdr_call_id", "Call id"},
}

var columnsOfCalls = []column{
	{"cdr_start_time", "Start"},
	{logName("source"), "Source"},
	{logName("feed"), "Feed"},
	{logName("direction"), "Direction"},
	{logName("outcome"), "Outcome"},
	{"cdr_duration", "Duration"},
	{"cdr_caller_number", "Caller"},
	{"cdr_callee_number", "Callee"},
	{"cdr_user_name", "User"},
	{logName("trunk"), "Trunk"},
	{logName("reason"), "Reason"},
	{logName("fault_domain"), "Fault domain"},
	{logName("sip_code"), "SIP code"},
	{logName("sub_code"), "Sub code"},
	{"cdr_charge", "Charge"},
	{logName("currency"), "Currency"},
	{"cdr_call_id", "Call id"},
}

// thisCall is the address of this dashboard with a row's call id and the same choice, named one by one: a variable
// must not be in it twice.
func thisCall() string {
	parts := []string{"var-call_id=${__value.raw:percentencode}"}
	for _, v := range append(callsVariables(), "kind", "service_name", lokiVariable, prometheusVariable) {
		if v != "call_id" && v != "trace_id" {
			parts = append(parts, fmt.Sprintf("${%s:queryparam}", v))
		}
	}
	return "/d/" + uid("calls") + "?" + strings.Join(parts, "&") + "&${__url_time_range}"
}

// lines is a panel of log lines.
func lines(title, description, expr string) *logs.PanelBuilder {
	return logs.NewPanelBuilder().
		Title(title).Description(description).
		Datasource(lokiSource()).
		ShowTime(true).
		WrapLogMessage(true).
		EnableLogDetails(true).
		DedupStrategy(common.LogsDedupStrategyNone).
		SortOrder(common.LogsSortOrderDescending).
		WithTarget(logTarget(expr, nil).QueryType("range").MaxLines(500))
}

// logTable is a table of the attributes of log records, the latest first.
func logTable(about text, expr string, columns []column) *table.PanelBuilder {
	order, names := map[string]any{}, map[string]any{}
	keep := make([]string, len(columns))
	for i, c := range columns {
		order[c.attribute], names[c.attribute], keep[i] = i, c.title, c.attribute
	}
	return sortedTable(about, "Start").
		Datasource(lokiSource()).
		WithTarget(logTarget(expr, nil).QueryType("range").MaxLines(500)).
		WithTransformation(dashboard.DataTransformerConfig{
			Id:      "extractFields",
			Options: map[string]any{"source": "labels", "replace": true},
		}).
		WithTransformation(dashboard.DataTransformerConfig{
			Id:      "filterFieldsByName",
			Options: map[string]any{"include": map[string]any{"names": keep}},
		}).
		WithTransformation(dashboard.DataTransformerConfig{
			Id:      "organize",
			Options: map[string]any{"indexByName": order, "renameByName": names, "excludeByName": map[string]any{}},
		}).
		OverrideByName("Call id", properties{linkTo("All records of this call", thisCall())})
}

// logTarget is a query to Loki; a panel has one.
func logTarget(expr string, labels []string) *loki.DataqueryBuilder {
	return loki.NewDataqueryBuilder().
		Datasource(lokiSource()).
		EditorMode(loki.QueryEditorModeCode).
		Expr(expr).
		LegendFormat(legend(query{by: labels})).
		RefId(refID(0))
}
