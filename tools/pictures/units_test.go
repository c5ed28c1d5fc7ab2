package main

import (
	"math"
	"testing"
)

func TestFormat(t *testing.T) {
	for _, tc := range []struct {
		name, unit string
		value      float64
		decimals   *int
		want       string
	}{
		{"a whole number", "short", 371, nil, "371"},
		{"thousands", "short", 12_958, nil, "13.0 K"},
		{"millions below nothing", "short", -2_500_000, nil, "-2.50 Mil"},
		{"decimals as said", "short", 3.14159, new(1), "3.1"},
		{"all digits", "locale", 1_346_000, nil, "1,346,000"},
		{"few digits", "locale", -346.25, new(1), "-346.2"},
		{"three digits", "none", 0.12345, nil, "0.123"},
		{"money", "none", 8.894, new(2), "8.89"},
		{"no minus nothing", "none", -0.0001, new(2), "0.00"},
		{"a share", "percentunit", 0.9372, new(1), "93.7%"},
		{"a share that floats", "percentunit", 0.07, nil, "7%"},
		{"a rate", "cpm", 14.5, nil, "14.5 cpm"},
		{"a great rate", "cpm", 1500, nil, "1.50 K cpm"},
		{"nothing", "s", 0, nil, "0 s"},
		{"milliseconds", "s", 0.0123, nil, "12.3 ms"},
		{"seconds", "s", 6.06, nil, "6.06 s"},
		{"minutes", "s", 97, nil, "1.62 min"},
		{"one hour", "s", 3600, nil, "1 hour"},
		{"more than one hour", "s", 4896, nil, "1.36 hours"},
		{"days", "s", 252_288, nil, "2.92 days"},
		{"minutes as the unit", "m", 1296, nil, "21.6 hours"},
		{"bytes", "bytes", 40_265_318, nil, "38.4 MiB"},
		{"no", "bool_yes_no", 0, nil, "No"},
		{"yes", "bool_yes_no", 1, nil, "Yes"},
		{"no number", "s", math.NaN(), nil, "-"},
		{"endless", "none", math.Inf(1), nil, "-"},
	} {
		if got := format(tc.value, tc.unit, tc.decimals); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestTick(t *testing.T) {
	for _, tc := range []struct {
		name, unit string
		value      float64
		want       string
	}{
		{"no decimals", "cpm", 100, "100 cpm"},
		{"zeros at the end", "cpm", 0.5, "0.5 cpm"},
		{"zeros alone", "short", 2000, "2 K"},
		{"a share", "percentunit", 0.025, "2.5%"},
		{"a zero between", "none", 1.05, "1.05"},
	} {
		if got := tick(tc.value, tc.unit); got != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestScale(t *testing.T) {
	centred := field{}
	centred.Custom.AxisCenteredZero = true
	for _, tc := range []struct {
		name        string
		least, most float64
		field       field
		want        scale
	}{
		{"from nothing", 3, 276, field{}, scale{0, 300, 4}},
		{"below nothing", -40, 100, field{}, scale{-50, 100, 4}},
		{"nothing at all", 0, 0, field{}, scale{0, 1, 3}},
		{"a given end", 0, 0.3, field{Unit: "percentunit", Max: new(1.0)}, scale{0, 1, 3}},
		{"nothing in the middle", -3, 1, centred, scale{-4, 4, 5}},
		{"whole minutes", 0, 200, field{Unit: "s"}, scale{0, 240, 5}},
		{"whole days", 0, 600_000, field{Unit: "s"}, scale{0, 8 * 86400, 5}},
		{"powers of two", 0, 40_265_318, field{Unit: "bytes"}, scale{0, 3 << 24, 4}},
	} {
		got := scaleOf(tc.least, tc.most, &tc.field)
		if got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}
