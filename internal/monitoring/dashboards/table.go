package dashboards

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/table"
)

// titles are the headings of labels that aren't their words.
var titles = map[string]string{"alertname": "Alert", "sip_code": "SIP code", "sub_code": "Sub code"}

// heading is what a label is called in a table.
func heading(label string) string {
	if title, ok := titles[label]; ok {
		return title
	}
	title := words(label)
	return strings.ToUpper(title[:1]) + title[1:]
}

// properties are settings of one column.
type properties = []dashboard.DynamicConfigValue

func property(id string, value any) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: id, Value: value}
}

func decimals(n int) dashboard.DynamicConfigValue { return property("decimals", n) }

// table has a row for each set of labels and a column for each query, sorted by the first of them. The queries keep
// the same labels.
func (b *board) table(t text, queries ...query) *table.PanelBuilder {
	p := sortedTable(t, queries[0].name).Datasource(prometheusSource()).Thresholds(plain())
	for i, q := range queries {
		if !slices.Equal(q.by, queries[0].by) {
			b.problem("%s: its queries keep several sets of labels", t.title)
		}
		p.WithTarget(target(i, q).Instant().Format(prometheus.PromQueryFormatTable))
		p.OverrideByName(q.name, properties{property("unit", q.unit)})
	}
	return arrange(p, queries)
}

// unitText leaves a text as it is. With any other unit Grafana takes a text of digits, such as the name of a trunk
// or a code, for a number.
const unitText = "string"

// sortedTable is an empty table of texts, sorted by a column from the top; each column of numbers has its own unit.
// It has no sums: most columns don't add up.
func sortedTable(t text, column string) *table.PanelBuilder {
	return table.NewPanelBuilder().
		Title(t.title).Description(t.description).
		Unit(unitText).
		Filterable(true).
		CellHeight(common.TableCellHeightSm).
		Footer(common.NewTableFooterOptionsBuilder().Show(false).Reducer([]string{"sum"})).
		SortBy([]cog.Builder[common.TableSortByFieldState]{common.NewTableSortByFieldStateBuilder().DisplayName(column).
			Desc(true)})
}

// arrange joins the answers of a table's queries and names its columns.
func arrange(p *table.PanelBuilder, queries []query) *table.PanelBuilder {
	names, order := map[string]any{}, map[string]any{}
	for _, label := range queries[0].by {
		names[label], order[label] = heading(label), len(order)
	}
	for i, q := range queries {
		field := "Value"
		if len(queries) > 1 {
			field += " #" + refID(i)
		}
		names[field], order[field] = q.name, len(order)
	}
	if len(queries) > 1 {
		p.WithTransformation(dashboard.DataTransformerConfig{Id: "merge", Options: map[string]any{}})
	}
	return p.WithTransformation(dashboard.DataTransformerConfig{Id: "organize", Options: map[string]any{
		"excludeByName": map[string]any{"Time": true},
		"indexByName":   order,
		"renameByName":  names,
	}})
}

// judged colours the cells of a column by thresholds.
func judged(p *table.PanelBuilder, column string, t *dashboard.ThresholdsConfigBuilder) {
	built, err := t.Build()
	if err != nil {
		p.RecordError(column, err)
		return
	}
	p.OverrideByName(column, properties{
		property("thresholds", built),
		property("custom.cellOptions", map[string]any{"type": "color-text"}),
	})
}

// unknownIfEmpty puts words into the empty cells of a column.
func unknownIfEmpty(p *table.PanelBuilder, column string) {
	text, colour := cantTell, grey
	p.OverrideByName(column, properties{property("mappings",
		[]dashboard.ValueMapping{{SpecialValueMap: &dashboard.SpecialValueMap{
			Type: dashboard.MappingTypeSpecialValue,
			Options: dashboard.DashboardSpecialValueMapOptions{
				Match: dashboard.SpecialValueMatchNullAndNan, Result: dashboard.ValueMappingResult{
					Text:  &text,
					Color: &colour,
				},
			},
		}}})})
}

func words(slug string) string { return strings.ReplaceAll(slug, "_", " ") }
