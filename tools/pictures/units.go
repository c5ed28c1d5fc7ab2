package main

import (
	"math"
	"strconv"
	"strings"
)

// units are the units of our dashboards, by Grafana's names, as it writes them.
var units = map[string]func(v float64, decimals *int) string{
	"none":        plain,
	"locale":      grouped,
	"short":       func(v float64, d *int) string { return scaled(v, d, thousands) },
	"percentunit": func(v float64, d *int) string { return plain(100*v, d) + "%" },
	"cpm":         func(v float64, d *int) string { return scaled(v, d, thousands) + " cpm" },
	"s":           func(v float64, d *int) string { return duration(v, d) },
	"m":           func(v float64, d *int) string { return duration(60*v, d) },
	"bytes":       func(v float64, d *int) string { return scaled(v, d, binary) },
	"bool_yes_no": func(v float64, _ *int) string {
		if v == 0 {
			return "No"
		}
		return "Yes"
	},
}

// format writes a value; what is no number is a dash.
func format(v float64, unit string, decimals *int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return units[unit](v, decimals)
}

// size is what a unit is called from a number on.
type size struct {
	from float64
	name string
}

var (
	thousands = []size{{1, ""}, {1e3, " K"}, {1e6, " Mil"}, {1e9, " Bil"}}
	binary    = []size{{1, " B"}, {1 << 10, " KiB"}, {1 << 20, " MiB"}, {1 << 30, " GiB"}}
	durations = []size{
		{1e-9, " ns"}, {1e-6, " µs"}, {1e-3, " ms"}, {1, " s"}, {60, " min"}, {3600, " hour"}, {86400, " day"}, {7 * 86400, " week"}, {365 * 86400, " year"},
	}
)

// scaled writes a number in the greatest size that it reaches.
func scaled(v float64, decimals *int, sizes []size) string {
	chosen := sizes[0]
	for _, s := range sizes {
		if math.Abs(v) >= s.from {
			chosen = s
		}
	}
	return plain(v/chosen.from, decimals) + chosen.name
}

// duration writes seconds. Hours and what is longer have a plural.
func duration(v float64, decimals *int) string {
	if v == 0 {
		return "0 s"
	}
	text := scaled(v, decimals, durations)
	if math.Abs(v) >= 3600 && text[:2] != "1 " {
		text += "s"
	}
	return text
}

// plain writes a number with so many decimals, or as many as it needs to be told from
// its like.
func plain(v float64, decimals *int) string {
	digits := automatic(v)
	if decimals != nil {
		digits = *decimals
	}
	text := strconv.FormatFloat(v, 'f', digits, 64)
	if rounded, err := strconv.ParseFloat(text, 64); err == nil && rounded == 0 {
		return strconv.FormatFloat(0, 'f', digits, 64) // not -0
	}
	return text
}

// grouped writes a number with commas between thousands.
func grouped(v float64, decimals *int) string {
	text := plain(v, decimals)
	whole, rest, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0 && whole[i-1] != '-'; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if rest != "" {
		whole += "." + rest
	}
	return whole
}

// automatic is how many decimals Grafana shows of a number: enough for three digits.
func automatic(v float64) int {
	v = math.Abs(v)
	if math.Abs(v-math.Round(v)) < 1e-9 {
		return 0
	}
	return min(max(2-int(math.Floor(math.Log10(v))), 0), 6)
}
