package main

import (
	"context"
	"math"
)

// statView is a panel of numbers.
type statView struct {
	Numbers []statNumber
	// Size is that of the digits, in pixels.
	Size int
}

type statNumber struct{ Name, Text, Colour string }

// stat asks a panel's queries and shows the values.
func (p *panel) stat(ctx context.Context, a *asker) (*statView, error) {
	v := &statView{}
	for _, t := range p.Targets {
		expr, err := a.expand(t.Expr, p.TimeFrom)
		if err != nil {
			return nil, err
		}
		found, err := a.instant(ctx, expr)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			value := float64(s.Value)
			f := &p.FieldConfig.Defaults
			v.Numbers = append(v.Numbers, statNumber{legendName(t.LegendFormat, s.Metric), format(value, f.Unit, f.Decimals), f.colour(value)})
		}
	}
	if len(v.Numbers) == 0 {
		return nil, nil
	}
	v.Size = v.size(p.GridPos.place())
	return v, nil
}

// size is that at which all numbers fit beside each other.
func (v *statView) size(at rectangle) int {
	longest := 0
	for _, n := range v.Numbers {
		longest = max(longest, len(n.Text))
	}
	wide := (at.Width - 32) / len(v.Numbers) * 10 / (7 * longest)
	return min(wide, at.Height*2/5, 44)
}

// colour is that of a value: fixed, or by its threshold.
func (f *field) colour(v float64) string {
	if f.Color.Mode == "fixed" {
		return judgements[f.Color.FixedColor]
	}
	return f.Thresholds.colour(v)
}

// colour is that of the last threshold that a value reaches.
func (t *thresholds) colour(v float64) string {
	colour := "text"
	if t == nil || math.IsNaN(v) {
		return judgements[colour]
	}
	for _, s := range t.Steps {
		if s.Value == nil || v >= *s.Value {
			colour = s.Color
		}
	}
	return judgements[colour]
}
