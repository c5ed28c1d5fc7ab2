package cdr

import (
	"strings"
	"testing"

	"github.com/cdr-exporter/cdr-exporter/internal/require"
)

func money(t *testing.T, raw string) Money {
	t.Helper()
	m, err := ParseMoney(raw)
	if err != nil {
		t.Fatalf("ParseMoney(%q): %v", raw, err)
	}
	return m
}

// TestParseMoney (counting.md 28): amounts are exact, whatever form they come in.
func TestParseMoney(t *testing.T) {
	tests := []struct{ name, raw, want string }{
		{"zero", "0", "0"},
		{"zero with places", "0.00", "0"},
		{"negative zero", "-0.0", "0"},
		{"trailing zero", "0.10", "0.1"},
		{"negative", "-12.3456", "-12.3456"},
		{"exponent", "1e2", "100"},
		{"exponent with signs", "-1.5E+2", "-150"},
		{"negative exponent", "325e-5", "0.00325"},
		{"greatest exponent", "1e18", "1" + strings.Repeat("0", 18)},
		{"smallest exponent", "1e-34", "0." + strings.Repeat("0", 33) + "1"},
		{"product of floats", "7.000000000000001e-05", "0.00007000000000000001"},
		{"34 digits", strings.Repeat("9", 34), strings.Repeat("9", 34)},
		{"34 digits and leading zeros", "000" + strings.Repeat("9", 34), strings.Repeat("9", 34)},
	}
	for _, tt := range tests {
		if m := money(t, tt.raw); m.String() != tt.want {
			t.Errorf("%s: %q is %q, want %q", tt.name, tt.raw, m.String(), tt.want)
		}
	}
}

// TestParseMoneyRefuses (counting.md 28): a text that isn't an amount, or is out of bounds, makes
// its row invalid.
func TestParseMoneyRefuses(t *testing.T) {
	tests := []struct{ name, raw string }{
		{"empty", ""},
		{"35 digits", strings.Repeat("9", 35)},
		{"35 digits with zeros behind", "1" + strings.Repeat("0", 34)},
		{"exponent 19", "1e19"},
		{"exponent -35", "1e-35"},
		{"35 places", "0." + strings.Repeat("0", 34) + "1"},
		{"zero with 35 places", "0." + strings.Repeat("0", 35)},
		{"enormous exponent", "1e999999999"},
		{"exponent beyond int32", "1e99999999999"},
		{"65 bytes", strings.Repeat("0", 65)},
		{"not a number", "NaN"},
		{"infinite", "-Infinity"},
		{"text", "free"},
		{"comma", "0,10"},
		{"currency", "$1"},
		{"blank", " 1"},
		{"hexadecimal", "0x10"},
		{"underscore", "1_000"},
	}
	for _, tt := range tests {
		if m, err := ParseMoney(tt.raw); err == nil {
			t.Errorf("%s: ParseMoney(%q) = %s", tt.name, tt.raw, m.String())
		} else if tt.raw != "" && strings.Contains(err.Error(), tt.raw) {
			t.Errorf("%s: the error repeats the input: %v", tt.name, err)
		}
	}
	for _, text := range []string{"", "NaN", "Infinity", "x"} {
		if m, err := ParseMoneySum(text); err == nil {
			t.Errorf("ParseMoneySum(%q) = %s", text, m.String())
		}
	}
}

func TestMoneyEqualIsByValue(t *testing.T) {
	for _, pair := range [][2]string{{"0.10", "0.1"}, {"1e2", "100.00"}, {"-0.0", "0"}, {"325e-5", "0.00325"}} {
		a, b := money(t, pair[0]), money(t, pair[1])
		if !a.Equal(&b) || a.String() != b.String() {
			t.Errorf("%s and %s: %s, %s", pair[0], pair[1], a.String(), b.String())
		}
	}
	a, b := money(t, "0.1"), money(t, "0.10000000000000001")
	if a.Equal(&b) {
		t.Error("0.1 equals 0.10000000000000001")
	}
}

func TestMoneySumIsExact(t *testing.T) {
	charge, want := money(t, "0.00325"), money(t, "32.5")
	var sum Money
	for range 10_000 {
		sum = sum.Add(&charge)
	}
	if !sum.Equal(&want) || sum.String() != "32.5" || sum.Float() != 32.5 {
		t.Errorf("sum = %s (%v), want 32.5", sum.String(), sum.Float())
	}
	for range 10_000 {
		sum = sum.Sub(&charge)
	}
	if sum.Sign() != 0 || sum.String() != "0" {
		t.Errorf("and back: %s", sum.String())
	}
}

func TestMoneySumOfExtremes(t *testing.T) {
	greatest, smallest := money(t, strings.Repeat("9", 34)+"e18"), money(t, "1e-34")
	sum := greatest.Add(&smallest)
	want := strings.Repeat("9", 34) + strings.Repeat("0", 18) + "." + strings.Repeat("0", 33) + "1"
	if sum.String() != want {
		t.Errorf("sum = %s, want %s", sum.String(), want)
	}
	stored, err := ParseMoneySum(sum.String())
	if err != nil || !stored.Equal(&sum) {
		t.Errorf("ParseMoneySum(%s) = %s, %v", sum.String(), stored.String(), err)
	}
	// A copy of an amount that doesn't fit into a word stays what it was.
	kept := sum
	sum = sum.Add(&greatest)
	if kept.String() != want {
		t.Errorf("the copy became %s", kept.String())
	}
}

func TestMoneySigns(t *testing.T) {
	var zero Money
	debt := money(t, "-1.50")
	if neg := debt.Neg(); neg.String() != "1.5" || debt.String() != "-1.5" {
		t.Errorf("Neg() = %s of %s", neg.String(), debt.String())
	}
	if neg := zero.Neg(); neg.String() != "0" {
		t.Errorf("-0 = %s", neg.String())
	}
	if debt.Sign() != -1 || zero.Sign() != 0 {
		t.Errorf("signs %d, %d", debt.Sign(), zero.Sign())
	}
}

func FuzzParseMoney(f *testing.F) {
	for _, seed := range []string{
		"0", "-0.0", "0.10", "1e2", "1e18", "1e-34", "1e19", ".5", "5.", "+1",
		strings.Repeat("9", 35), "NaN", "1e999999999", "sNaN1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		m, err := ParseMoney(raw)
		if err != nil {
			if sign := m.Sign(); sign != 0 {
				t.Errorf("ParseMoney(%q) gave %s beside an error", raw, m.String())
			}
			return
		}
		text := m.String()
		if strings.ContainsAny(text, "eE") {
			t.Errorf("%q is written as %q", raw, text)
		}
		// 34 digits, 18 zeros or 34 places, sign, point and the zero before it.
		if len(text) > maxMoneyDigits+maxMoneyPlaces+3 {
			t.Errorf("%q has %d characters", text, len(text))
		}
		again, err := ParseMoneySum(text)
		if err != nil || !again.Equal(&m) || again.String() != text {
			t.Errorf("%q is written as %q and read as %s, %v", raw, text, again.String(), err)
		}
		diff := again.Sub(&m)
		if diff.Sign() != 0 {
			t.Errorf("%q - itself = %s", raw, diff.String())
		}
	})
}

func BenchmarkMoneyAdd(b *testing.B) {
	charge, err := ParseMoney("0.00325")
	require.NoError(b, err)
	var sum Money
	b.ReportAllocs()
	for b.Loop() {
		sum = sum.Add(&charge)
	}
}

func BenchmarkParseMoney(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_, _ = ParseMoney("12.34567")
	}
}
