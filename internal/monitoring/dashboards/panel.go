package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
)

// text is what a panel says of itself.
type text struct{ title, description string }

// explained adds to the description the command that lists what a counter counted.
func (t text) explained(d *metrics.Def) text {
	t.description += " `cdr-exporter explain '" + d.Name + "{…}'` lists them: give it the labels and --from and --to."
	return t
}

// series is a panel over time. It has the unit of its queries.
func (b *board) series(t text, queries ...query) *timeseries.PanelBuilder {
	p := timeseries.NewPanelBuilder().
		Title(t.title).Description(t.description).
		Datasource(prometheusSource()).
		Unit(queries[0].unit).
		AxisSoftMin(0).
		FillOpacity(10).
		LineWidth(1).
		ShowPoints(common.VisibilityModeNever).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).
			Sort(common.SortOrderDescending)).
		Legend(legendOf("mean", "max"))
	every := 0
	for i, q := range queries {
		p.WithTarget(target(i, q).Range().Exemplar(q.exemplars))
		every = max(every, q.every)
		if q.unit != queries[0].unit {
			b.problem("%s: its queries have several units", t.title)
		}
		if q.bars {
			p.DrawStyle(common.GraphDrawStyleBars).Legend(legendOf("max", "lastNotNull"))
		}
	}
	if every > 0 {
		p.Interval(fmt.Sprintf("%dm", every))
	}
	if queries[0].bars && queries[0].unit == unitNumber {
		p.Decimals(0)
	}
	return p
}

// stacked is a panel over time whose series add up to a whole.
func (b *board) stacked(t text, queries ...query) *timeseries.PanelBuilder {
	return b.series(t, queries...).
		FillOpacity(60).
		Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal).Group("A"))
}

// ofCalls is a stacked panel whose series lead to the log lines of their calls. more is as in seriesTo.
func (b *board) ofCalls(t text, q query, more ...string) *timeseries.PanelBuilder {
	return b.stacked(t, q).DataLinks(b.seriesTo(callsBehind, q, more...))
}

// legendOf is the legend below a panel, with these figures of each series.
func legendOf(figures ...string) *common.VizLegendOptionsBuilder {
	return common.NewVizLegendOptionsBuilder().
		DisplayMode(common.LegendDisplayModeTable).Placement(common.LegendPlacementBottom).ShowLegend(true).
		Calcs(append([]string{}, figures...))
}

// number is a panel with one number, or with one for each label.
func (b *board) number(t text, q query) *stat.PanelBuilder {
	return stat.NewPanelBuilder().
		Title(t.title).Description(t.description).
		Datasource(prometheusSource()).
		Unit(q.unit).
		GraphMode(common.BigValueGraphModeNone).
		ColorMode(common.BigValueColorModeValue).
		JustifyMode(common.BigValueJustifyModeAuto).
		Orientation(common.VizOrientationAuto).
		ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode(dashboard.FieldColorModeIdThresholds)).
		Thresholds(plain()).
		WithTarget(target(0, q).Instant())
}

// target is a query of a panel, the first is called A.
func target(i int, q query) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().
		Datasource(prometheusSource()).
		EditorMode(prometheus.QueryEditorModeCode).
		Expr(q.expr).
		LegendFormat(legend(q)).
		RefId(refID(i))
}

// refID names the queries of a panel from A.
func refID(i int) string { return string(rune('A' + i)) }

// legend is what the series are called: as said, else by the labels that they have.
func legend(q query) string {
	if q.name != "" {
		return q.name
	}
	names := make([]string, len(q.by))
	for i, label := range q.by {
		names[i] = "{{" + label + "}}"
	}
	return strings.Join(names, " ")
}
