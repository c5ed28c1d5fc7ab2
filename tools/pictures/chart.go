package main

import (
	"fmt"
	"html/template"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-analyze/charts"
)

// sharpness is how much larger a chart is drawn than shown: the library places
// everything on whole units.
const sharpness = 2

// palette are the colours of series, in their order; beyond the last they come again.
var palette = []string{
	"#4b9a45", "#d9a400", "#3871dc", "#e0662f", "#c4314b", "#8f5fc0", "#16a3a3", "#7d8a24",
	"#b7578f", "#8fc785", "#8ab1f0", "#a86f3d", "#f2a28a", "#5b6c8f", "#c9b7e6", "#2d6b5f",
}

// seriesColour is that of a series.
func seriesColour(i int) string { return palette[i%len(palette)] }

// Colours of thresholds, by Grafana's names for them.
var judgements = map[string]string{"green": "#2e7d32", "yellow": "#b26a00", "red": "#c62828", "text": "#1d2733", "blue": "#1f60c4"}

// course is a series over time; where it has no value it has nothing.
type course struct {
	name   string
	values []float64
}

var nothing = charts.GetNullValue()

// chart is a panel over time.
type chart struct {
	width, height int
	begin         time.Time
	all           []course
	field         *field
}

func (c *chart) stacked() bool { return c.field.Custom.Stacking.Mode != "" }

// svg draws it.
func (c *chart) svg() (template.HTML, error) {
	painter := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: sharpness * c.width, Height: sharpness * c.height,
	})
	lines := c.thresholdLines()
	if err := painter.LineChart(c.option(lines)); err != nil {
		return "", fmt.Errorf("draw the chart: %w", err)
	}
	svg, err := painter.Bytes()
	if err != nil {
		return "", fmt.Errorf("draw the chart: %w", err)
	}
	return template.HTML(dashed(string(svg), lines)), nil
}

// option is the chart as the library wants it. Thresholds are series after the others.
func (c *chart) option(lines []line) charts.LineChartOption {
	data, colours := make([][]float64, 0, len(c.all)), make([]charts.Color, 0, len(c.all))
	whole := c.stacked() || len(c.all) <= 2 // More areas on each other are but grey.
	for i, s := range c.all {
		values := s.values
		if c.stacked() {
			values = filled(values)
		}
		whole = whole && !slices.Contains(values, nothing)
		data, colours = append(data, values), append(colours, charts.ParseColor(seriesColour(i)))
	}
	for _, l := range lines {
		data, colours = append(data, constant(l.value, len(c.all[0].values))), append(colours, charts.ParseColor(l.colour))
	}
	option := charts.NewLineChartOptionWithData(data)
	option.Theme = charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: charts.ParseColor("#b9c2cf"), AxisSplitLineColor: charts.ParseColor("#e6eaf0"),
		TextColor: charts.ParseColor("#57636f"), SeriesColors: colours, BackgroundColor: charts.ColorTransparent,
	})
	option.Symbol, option.LineStrokeWidth = charts.SymbolNone, 2.6
	option.Padding = charts.Box{Left: 4, Top: 18, Right: 36, Bottom: 2, IsSet: true}
	option.StackSeries = new(c.stacked())
	option.FillArea, option.FillOpacity = new(whole), 26
	if c.stacked() {
		option.FillOpacity = 150
	}
	c.axes(&option)
	return option
}

func (c *chart) axes(option *charts.LineChartOption) {
	const size = 17 // points
	x, y := &option.XAxis, &option.YAxis[0]
	x.BoundaryGap = new(false)
	x.Labels = make([]string, len(c.all[0].values))
	for i := range x.Labels {
		x.Labels[i] = c.begin.Add(time.Duration(i) * step).UTC().Format("15:04")
	}
	x.LabelCount = int(time.Duration(len(x.Labels))*step/(2*time.Minute)) + 1
	x.LabelFontStyle.FontSize = size
	s := scaleOf(c.least(), c.most(), c.field)
	y.Min, y.Max, y.LabelCount, y.RangeValuePaddingScale = new(s.from), new(s.to), s.lines, new(0.0)
	y.LabelFontStyle.FontSize = size
	y.ValueFormatter = func(v float64) string {
		if math.Abs(v) < (s.to-s.from)/1e6 {
			v = 0
		}
		return tick(v, c.field.Unit)
	}
}

var zeros = regexp.MustCompile(`(\.\d*?)0+(\D|$)`)

// tick is the text at a line of a chart, without the zeros that say nothing.
func tick(v float64, unit string) string {
	return strings.Replace(zeros.ReplaceAllString(format(v, unit, nil), "$1$2"), ". ", " ", 1)
}

// most is the greatest value, or sum where series stand on each other.
func (c *chart) most() float64 {
	most := math.Inf(-1)
	for i := range c.all[0].values {
		sum := 0.0
		for _, s := range c.all {
			v := s.values[i]
			if v == nothing {
				continue
			}
			sum += v
			if !c.stacked() {
				most = max(most, v)
			}
		}
		if c.stacked() {
			most = max(most, sum)
		}
	}
	return most
}

func (c *chart) least() float64 {
	least := math.Inf(1)
	for _, s := range c.all {
		for _, v := range s.values {
			if v != nothing {
				least = min(least, v)
			}
		}
	}
	return least
}

// line is a threshold.
type line struct {
	value  float64
	colour string
}

// thresholdLines are the thresholds that lie on the chart.
func (c *chart) thresholdLines() []line {
	if c.field.Custom.ThresholdsStyle.Mode == "" || c.field.Thresholds == nil {
		return nil
	}
	var lines []line
	s := scaleOf(c.least(), c.most(), c.field)
	for _, t := range c.field.Thresholds.Steps {
		if t.Value == nil || *t.Value > s.to || *t.Value < s.from {
			continue
		}
		lines = append(lines, line{*t.Value, judgements[t.Color]})
	}
	return lines
}

// dashed makes the lines of thresholds dashed and thin, and fills nothing below them.
func dashed(svg string, lines []line) string {
	for _, l := range lines {
		colour := charts.ParseColor(l.colour)
		solid := fmt.Sprintf("stroke:rgb(%d,%d,%d)", colour.R, colour.G, colour.B)
		svg = strings.ReplaceAll(svg, solid, "stroke-dasharray:14 10;"+solid)
		area := regexp.MustCompile(fmt.Sprintf(`fill:rgba\(%d,%d,%d,[^)]*\)`, colour.R, colour.G, colour.B))
		svg = area.ReplaceAllString(svg, "fill:none")
	}
	return strings.ReplaceAll(svg, "'Roboto Medium',sans-serif", "inherit")
}

// filled has 0 where there is nothing.
func filled(values []float64) []float64 {
	all := make([]float64, len(values))
	for i, v := range values {
		if v != nothing {
			all[i] = v
		}
	}
	return all
}

func constant(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }
