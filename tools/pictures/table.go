package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// tableView is a panel with rows.
type tableView struct {
	Head []tableCell
	Rows [][]tableCell
	More int
}

type tableCell struct {
	Text, Colour string
	Number       bool
}

// column is one of a table: a label, or the values of a query.
type column struct {
	name, title string
	number      bool
	field       field
}

// row has what its labels are, and the values of the queries, by the names of columns.
type row struct {
	labels map[string]string
	values map[string]float64
}

// rowHeight is that of a row.
const rowHeight = 24

// table asks a panel's queries and joins what comes back.
func (p *panel) table(ctx context.Context, a *asker) (*tableView, error) {
	var rows []row
	for _, t := range p.Targets {
		expr, err := a.expand(t.Expr, p.TimeFrom)
		if err != nil {
			return nil, err
		}
		found, err := a.instant(ctx, expr)
		if err != nil {
			return nil, err
		}
		rows = merge(rows, p.valueName(t), found)
	}
	columns, err := p.columns()
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	p.sort(rows, columns)
	return view(rows, columns, (p.GridPos.place().Height-titleHeight)/rowHeight-1), nil
}

// valueName is what the values of a query are called before they are renamed.
func (p *panel) valueName(t target) string {
	if len(p.Targets) == 1 {
		return "Value"
	}
	return "Value #" + t.RefID
}

// merge adds the values of a query to the rows that have the same labels.
func merge(rows []row, name string, found model.Vector) []row {
	for _, s := range found {
		labels := make(map[string]string, len(s.Metric))
		for k, v := range s.Metric {
			labels[string(k)] = string(v)
		}
		i := slices.IndexFunc(rows, func(r row) bool { return maps.Equal(r.labels, labels) })
		if i < 0 {
			i = len(rows)
			rows = append(rows, row{labels, map[string]float64{}})
		}
		rows[i].values[name] = float64(s.Value)
	}
	return rows
}

// columns are those of the table in their order, with what overrides say of each.
func (p *panel) columns() ([]column, error) {
	var all []column
	index := p.organized()
	for name := range index {
		c := column{name: name, title: name, number: strings.HasPrefix(name, "Value"), field: p.FieldConfig.Defaults}
		for _, t := range p.Transformations {
			if title := t.Options.RenameByName[name]; title != "" {
				c.title = title
			}
		}
		for _, o := range p.FieldConfig.Overrides {
			if o.Matcher.Options != c.title {
				continue
			}
			for _, property := range o.Properties {
				if err := c.field.set(property); err != nil {
					return nil, fmt.Errorf("the column %s: %w", c.title, err)
				}
			}
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(x, y column) int { return index[x.name] - index[y.name] })
	return all, nil
}

// set takes a property of an override. Links and how cells are coloured don't show.
func (f *field) set(p property) error {
	switch p.ID {
	case "unit":
		if err := json.Unmarshal(p.Value, &f.Unit); err != nil || units[f.Unit] == nil {
			return fmt.Errorf("the unit %s isn't known: %w", p.Value, err)
		}
	case "decimals":
		f.Decimals = nil
		return json.Unmarshal(p.Value, &f.Decimals)
	case "thresholds":
		f.Thresholds = nil
		return json.Unmarshal(p.Value, &f.Thresholds)
	case "mappings":
		f.Mappings = nil
		return json.Unmarshal(p.Value, &f.Mappings)
	}
	return nil
}

// sort sorts rows as the panel says.
func (p *panel) sort(rows []row, columns []column) {
	for _, by := range p.Options.SortBy {
		i := slices.IndexFunc(columns, func(c column) bool { return c.title == by.DisplayName })
		if i < 0 {
			continue
		}
		name := columns[i].name
		slices.SortStableFunc(rows, func(x, y row) int {
			order := cmp.Compare(x.values[name], y.values[name])
			if by.Desc {
				order = -order
			}
			return order
		})
	}
}

// view writes the rows that there is room for.
func view(rows []row, columns []column, room int) *tableView {
	v := &tableView{}
	for _, c := range columns {
		v.Head = append(v.Head, tableCell{Text: c.title, Number: c.number})
	}
	if len(rows) > room {
		v.More = len(rows) - (room - 1)
		rows = rows[:room-1]
	}
	for _, r := range rows {
		cells := make([]tableCell, len(columns))
		for i, c := range columns {
			cells[i] = tableCell{Text: c.field.mapped(r.labels[c.name]), Number: c.number}
			if value, ok := r.values[c.name]; ok {
				cells[i].Text, cells[i].Colour = format(value, c.field.Unit, c.field.Decimals), c.field.Thresholds.colour(value)
			}
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}
