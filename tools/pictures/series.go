package main

import (
	"cmp"
	"context"
	"fmt"
	"html/template"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
)

// seriesView is a panel over time with its legend.
type seriesView struct {
	SVG           template.HTML
	Width, Height int
	Right         bool
	// Legend has one table, or two beside each other.
	Legend       [][]legendRow
	LegendHeight int
	More         int
}

type legendRow struct{ Name, Colour, Mean, Max string }

// The legend's rows are so high; beside a chart it is so wide, and where two of it fit
// below a chart there are two.
const (
	titleHeight  = 30
	legendHeight = 17
	rightWidth   = 300
)

// series asks a panel's queries and draws what comes back.
func (p *panel) series(ctx context.Context, a *asker) (*seriesView, error) {
	all, err := p.courses(ctx, a)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	at := p.GridPos.place()
	v := &seriesView{Width: at.Width - 16, Height: at.Height - titleHeight - 6, Right: p.Options.Legend.Placement == "right"}
	rows, tables := v.Height/legendHeight-1, 1
	if v.Right {
		v.Width -= rightWidth
	} else {
		if at.Width >= 2*rightWidth && len(all) > 2 {
			tables = 2
		}
		rows = legendRows((len(all)+tables-1)/tables, v.Height)
		v.Height -= (rows+1)*legendHeight + 2
	}
	v.LegendHeight = (rows + 1) * legendHeight
	room := rows * tables
	if room < len(all) {
		slices.SortStableFunc(all, func(x, y course) int { return cmp.Compare(y.mean(), x.mean()) })
		room--
		v.More = len(all) - room
	}
	for i, s := range all[:min(room, len(all))] {
		if i%rows == 0 {
			v.Legend = append(v.Legend, nil)
		}
		last := len(v.Legend) - 1
		v.Legend[last] = append(v.Legend[last], legendOf(s, seriesColour(i), &p.FieldConfig.Defaults))
	}
	c := &chart{width: v.Width, height: v.Height, begin: a.begin(), all: all, field: &p.FieldConfig.Defaults}
	v.SVG, err = c.svg()
	return v, err
}

// legendRows is how many of so many rows a legend below a chart has: up to two fifths of
// what there is, its heading aside.
func legendRows(all, height int) int {
	return min(all, max(height*2/5/legendHeight-1, 1))
}

// legendOf are the mean and the greatest value of a series.
func legendOf(s course, colour string, f *field) legendRow {
	return legendRow{
		Name: cmp.Or(s.name, "(none)"), Colour: colour,
		Mean: format(s.mean(), f.Unit, f.Decimals), Max: format(slices.Max(s.some()), f.Unit, f.Decimals),
	}
}

// some are the values that there are.
func (c *course) some() []float64 {
	return slices.DeleteFunc(slices.Clone(c.values), func(v float64) bool { return v == nothing })
}

func (c *course) mean() float64 {
	sum, some := 0.0, c.some()
	for _, v := range some {
		sum += v
	}
	return sum / float64(len(some))
}

// courses are the series of all queries of a panel.
func (p *panel) courses(ctx context.Context, a *asker) ([]course, error) {
	var all []course
	for _, t := range p.Targets {
		expr, err := a.expand(t.Expr, p.TimeFrom)
		if err != nil {
			return nil, err
		}
		found, err := a.course(ctx, expr)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			if c := courseOf(s, t.LegendFormat, a); c.values != nil {
				all = append(all, c)
			}
		}
	}
	return all, nil
}

// courseOf puts the values of a series at their places; no values if it has none.
func courseOf(s *model.SampleStream, format string, a *asker) course {
	values := constant(nothing, int(a.shown/step)+1)
	some := false
	for _, v := range s.Values {
		i := int((v.Timestamp.Time().Sub(a.begin()) + step/2) / step)
		if f := float64(v.Value); i >= 0 && i < len(values) && f-f == 0 {
			values[i], some = f, true
		}
	}
	if !some {
		return course{}
	}
	return course{legendName(format, s.Metric), values}
}

var label = regexp.MustCompile(`\{\{\s*(\w+)\s*\}\}`)

// legendName is what a series is called.
func legendName(format string, labels model.Metric) string {
	if format == "" && len(labels) > 0 {
		return fmt.Sprint(labels)
	}
	name := label.ReplaceAllStringFunc(format, func(found string) string {
		return string(labels[model.LabelName(label.FindStringSubmatch(found)[1])])
	})
	return strings.Join(strings.Fields(name), " ")
}
