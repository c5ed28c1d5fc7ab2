package web

import (
	"fmt"
	"strconv"

	"github.com/go-analyze/charts"
)

// A chart's size in its own units, of which a screen shows about half as many pixels:
// the library places everything on whole units.
const (
	chartWidth  = 1120
	chartHeight = 330
	chartFont   = 22 // points
)

// marker is a colour that stands for a class of the style sheet, where the colours of
// light and dark pages are.
func marker(n uint8) charts.Color { return charts.Color{R: n, A: 255} }

// classes are what the markers stand for. Failures are drawn first and so lie below.
var classes = map[string]string{
	"rgb(1,0,0)": "axis", "rgb(2,0,0)": "grid", "rgb(3,0,0)": "label", "rgb(4,0,0)": "failed", "rgb(5,0,0)": "calls",
}

// draw draws bars, failures stacked below the calls that didn't fail.
func draw(bars []bar, s span) (*drawing, error) {
	painter := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: chartWidth, Height: chartHeight})
	if err := painter.BarChart(chartOf(bars, s)); err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	svg, err := painter.Bytes()
	if err != nil {
		return nil, fmt.Errorf("draw chart: %w", err)
	}
	return parseDrawing(svg)
}

func chartOf(bars []bar, s span) charts.BarChartOption {
	failed, others, labels := make([]float64, len(bars)), make([]float64, len(bars)), make([]string, len(bars))
	top := float64(ceiling(mostOf(bars)))
	for i, b := range bars {
		failed[i] = visible(b.failures, top)
		others[i] = max(visible(b.calls, top)-failed[i], 0)
		if b.start.Truncate(s.Label).Equal(b.start) {
			labels[i] = minuteText(b.start)
		}
	}
	option := charts.NewBarChartOptionWithData([][]float64{failed, others})
	option.StackSeries = new(true)
	option.Theme = charts.MakeTheme(charts.ThemeOption{
		AxisStrokeColor: marker(1), AxisSplitLineColor: marker(2), TextColor: marker(3),
		SeriesColors: []charts.Color{marker(4), marker(5)}, BackgroundColor: charts.ColorTransparent,
	})
	option.Padding = charts.Box{Left: 6, Top: 20, Right: 44, Bottom: 10, IsSet: true}
	option.XAxis.Labels, option.XAxis.LabelCount = labels, len(labels)
	option.XAxis.LabelFontStyle.FontSize = chartFont
	y := &option.YAxis[0]
	y.LabelFontStyle.FontSize = chartFont
	y.LabelCount, y.RangeValuePaddingScale = 3, new(0.0)
	y.Min, y.Max = new(0.0), new(top)
	y.ValueFormatter = scaleText
	return option
}

func mostOf(bars []bar) (most int64) {
	for _, b := range bars {
		most = max(most, b.calls, b.failures)
	}
	return most
}

// visible is a number as it is drawn: one failure among many is to be seen too.
func visible(n int64, top float64) float64 {
	if n <= 0 {
		return 0
	}
	return max(float64(n), top/60)
}

// ceiling is the round number, half of which is whole, that a scale up to n ends at.
func ceiling(n int64) int64 {
	for power := int64(1); power < 1e18; power *= 10 {
		for _, digit := range []int64{2, 4, 6, 8, 10} {
			if digit*power >= n {
				return digit * power
			}
		}
	}
	return n
}

// scaleText is a number of a scale, short.
func scaleText(v float64) string {
	switch {
	case v >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', -1, 64) + "M"
	case v >= 1e3:
		return strconv.FormatFloat(v/1e3, 'f', -1, 64) + "k"
	default:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
}
