package dashboards

import (
	"fmt"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

const (
	hourMinutes = 60
	fourWeeks   = "28d"
)

// hours is a table of the hours of a day by weekday. Grafana's transformations make both from the time of a point,
// so they are in the time zone that the dashboard shows; E is the ISO number of a weekday, which no language
// changes.
func (b *board) hours(t text, q query) *table.PanelBuilder {
	const value = "Calls"
	// A point covers the hour before it; this one covers the hour that begins with it.
	q.expr = strings.ReplaceAll(q.expr, "[$__rate_interval]", "[$__rate_interval] offset -1h")
	p := sortedTable(t, "").SortBy(nil).
		Datasource(prometheusSource()).
		Unit(q.unit).Decimals(0).
		ColorScheme(dashboard.NewFieldColorBuilder().Mode("continuous-blues")).
		TimeFrom(fourWeeks).TimeShift("1h").Interval(fmt.Sprintf("%dm", q.every)).MaxDataPoints(1000).
		WithTarget(target(0, q.as(value)).Range())
	order, names := map[string]any{matrixCorner: 0}, map[string]any{matrixCorner: "Hour"}
	for i, day := range []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"} {
		number := fmt.Sprint(i + 1)
		order[number], names[number] = i+1, day
		p.OverrideByName(day, properties{property("custom.cellOptions", map[string]any{
			"type": "color-background",
			"mode": "basic",
		})})
	}
	for _, step := range []dashboard.DataTransformerConfig{
		{Id: "calculateField", Options: map[string]any{
			"mode": "binary", "alias": "Day",
			"binary": map[string]any{"left": "Time", "operator": "*", "right": "1"},
		}},
		{Id: "convertFieldType", Options: map[string]any{"conversions": []any{map[string]any{
			"targetField":     "Day",
			"destinationType": "time",
		}}}},
		{Id: "formatTime", Options: map[string]any{"timeField": "Day", "outputFormat": "E", "useTimezone": true}},
		{Id: "formatTime", Options: map[string]any{"timeField": "Time", "outputFormat": "HH:00", "useTimezone": true}},
		{Id: "groupBy", Options: map[string]any{"fields": map[string]any{
			"Day": grouped(), "Time": grouped(), value: map[string]any{
				"operation":    "aggregate",
				"aggregations": []string{"mean"},
			},
		}}},
		{Id: "groupingToMatrix", Options: map[string]any{
			"columnField": "Day", "rowField": "Time",
			"valueField": value + " (mean)",
		}},
		{Id: "sortBy", Options: map[string]any{
			"fields": map[string]any{},
			"sort":   []any{map[string]any{"field": matrixCorner}},
		}},
		{Id: "organize", Options: map[string]any{
			"excludeByName": map[string]any{}, "indexByName": order,
			"renameByName": names,
		}},
	} {
		p.WithTransformation(step)
	}
	return p
}

// matrixCorner is what groupingToMatrix calls the column of rows.
const matrixCorner = `Time\Day`

func grouped() map[string]any {
	return map[string]any{"operation": "groupby", "aggregations": []string{}}
}
