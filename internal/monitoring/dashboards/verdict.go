package dashboards

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"

	"github.com/cdr-exporter/cdr-exporter/internal/core/metrics"
	"github.com/cdr-exporter/cdr-exporter/internal/monitoring/thresholds"
)

// states are what the last attempts of a trunk mean, by the value of the verdict.
var states = map[int]struct{ text, colour string }{
	3:  {"none connects", bad},
	2:  {"most fail", bad},
	1:  {"some fail", warning},
	0:  {"calls get through", good},
	-1: {cantTell, grey},
}

func perRecent() []string { return by("source", "feed", "trunk", "direction") }

// recentGauges tell of the last attempts. They are of every feed, whichever is chosen: they aren't added up.
var recentGauges = []*metrics.Def{
	metrics.RecentAttempts, metrics.RecentFaults, metrics.RecentConnected,
	metrics.RecentNewest,
}

func (b *board) recent(d *metrics.Def) query { return b.value(d, perRecent()) }

// verdict is the state of each trunk and direction, by the thresholds of the rules: hardly one of its last attempts
// connected; or there was none for a day; or the share that failed. A feed that doesn't show faults shows only
// whether half of its calls connect.
func (b *board) verdict() query {
	attempts, connected, faults := b.recent(metrics.RecentAttempts), b.recent(metrics.RecentConnected),
		b.recent(metrics.RecentFaults)
	connects, fails := over(connected, attempts, "").expr, over(faults, attempts, "").expr
	some := fmt.Sprintf("(%s > %.4g and %s >= %d or %s > %.4g and %s >= %d)",
		fails, b.Limit(thresholds.Slow), attempts.expr, thresholds.Slow.Floor,
		fails, b.Limit(thresholds.Fast), faults.expr, thresholds.LeastFaults)
	most := fmt.Sprintf("(%s >= %g and %s >= %d)", fails, b.FewShare, attempts.expr, thresholds.RecentFloor)
	attempts.expr = fmt.Sprintf("0 * (%s <= %g and %s >= %d) + 3\nor (%s > %g) * 0 - 1\nor 0 * %s + 2\nor 0 * %s + "+
		"1\nor 0 * %s\nor (%s >= bool %g) - 1",
		connects, thresholds.AnswerLeast, attempts.expr, b.AnswerFloor,
		b.age(metrics.RecentNewest, perRecent()).expr, thresholds.QuietAfter.Seconds(),
		most, some, fails, connects, thresholds.HalfConnect)
	return attempts.as("{{source}} {{trunk}} {{direction}}")
}

// stateWords puts words and colours for the values of the verdict.
func stateWords() []dashboard.ValueMapping {
	options := map[string]dashboard.ValueMappingResult{}
	for value, s := range states {
		options[fmt.Sprint(value)] = dashboard.ValueMappingResult{Text: &s.text, Color: &s.colour}
	}
	return []dashboard.ValueMapping{{ValueMap: &dashboard.ValueMap{
		Type:    dashboard.MappingTypeValueToText,
		Options: options,
	}}}
}

// tiles are a coloured tile for each trunk, the worst first.
func (b *board) tiles(t text, n int, q query) *stat.PanelBuilder {
	return b.number(t, top(n, q)).
		Unit(unitNumber).
		Mappings(stateWords()).
		ColorMode(common.BigValueColorModeBackgroundSolid).
		TextMode(common.BigValueTextModeValueAndName).
		DataLinks(b.seriesTo(thisTrunk, q))
}

// timeline shows since when each trunk is as it is.
func (b *board) timeline(t text, q query) *statetimeline.PanelBuilder {
	return lanes(t, q).Mappings(stateWords()).DataLinks(b.seriesTo(thisTrunk, q))
}

// lanes show since when each series has its value.
func lanes(t text, q query) *statetimeline.PanelBuilder {
	return statetimeline.NewPanelBuilder().
		Title(t.title).Description(t.description).
		Datasource(prometheusSource()).
		Unit(unitNumber).
		ShowValue(common.VisibilityModeNever).
		PerPage(20).
		Legend(legendOf().DisplayMode(common.LegendDisplayModeList)).
		WithTarget(target(0, q).Range())
}

// lastAttempts is the table of trunks, the worst first.
func (b *board) lastAttempts(t text) panel {
	state := b.verdict().as("State")
	connected := over(b.recent(metrics.RecentConnected), b.recent(metrics.RecentAttempts), unitRatio)
	p := b.table(t, state,
		b.recent(metrics.RecentAttempts).as("Last attempts"),
		b.recent(metrics.RecentFaults).as("Faults"),
		connected.as("Connected share"),
		b.age(metrics.RecentNewest, perRecent()).as("Newest call"),
		b.total(metrics.Calls, perRecent()).as("Calls"),
	)
	unknownIfEmpty(p, "Faults")
	p.OverrideByName("State", properties{
		property("mappings", stateWords()),
		property("custom.cellOptions", map[string]any{"type": "color-background", "mode": "basic"}),
	})
	p.OverrideByName("Newest call", properties{decimals(0)})
	p.OverrideByName("Calls", properties{decimals(0), b.rowTo(callsBehind, state)})
	return p.OverrideByName(heading("trunk"), properties{b.rowTo(thisTrunk, state)})
}
