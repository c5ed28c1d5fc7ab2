package main

import "math"

// scale is a vertical axis: from and to, with so many lines.
type scale struct {
	from, to float64
	lines    int
}

// scaleOf has round numbers at its lines, and all of what is shown between them.
func scaleOf(least, most float64, f *field) scale {
	low, high := min(least, 0), most
	if f.Custom.AxisCenteredZero {
		high = max(math.Abs(low), math.Abs(high))
		low = -high
	}
	if f.Max != nil {
		high = *f.Max
	}
	if high <= low {
		high = low + 1
	}
	const parts = 4
	width := roundStep((high-low)/parts, f.Unit)
	from, to := math.Floor(low/width+1e-9), math.Ceil(high/width-1e-9)
	return scale{from: from * width, to: to * width, lines: int(to-from) + 1}
}

// roundStep is the least round number that isn't less than one. Seconds are round as
// minutes and hours are, bytes as powers of two.
func roundStep(least float64, unit string) float64 {
	if unit == "s" && least > 10 {
		for _, round := range []float64{15, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 6 * 3600, 12 * 3600} {
			if round >= least {
				return round
			}
		}
		return 86400 * roundStep(least/86400, "")
	}
	if unit == "bytes" {
		return math.Exp2(math.Ceil(math.Log2(least)))
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= least*(1-1e-9) {
			return digit * power
		}
	}
	return 10 * power
}
