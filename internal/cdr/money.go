package cdr

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/apd/v3"
)

// The range of a plausible amount (counting.md 28).
const (
	maxMoneyDigits   = 34
	maxMoneyPlaces   = 34 // a float's 17 digits behind as many zeros
	maxMoneyExponent = 18
)

// exact adds without rounding: precision 0 is unlimited in apd.
var exact = apd.Context{MaxExponent: apd.MaxExponent, MinExponent: apd.MinExponent}

// errMoney says which numbers are accepted as money. It contains no input.
var errMoney = errors.New("not a decimal number of at most 34 digits and 34 places with an exponent up to +18")

// Money is an exact decimal amount without a currency. The zero value is 0.
// Copies are independent as long as only Add and Sub change them.
type Money struct{ d apd.Decimal }

// ParseMoney reads a decimal as the provider wrote it. An error doesn't repeat the input.
func ParseMoney(raw string) (Money, error) {
	if len(raw) == 0 || len(raw) > 64 {
		return Money{}, errMoney
	}
	var m Money
	if _, _, err := m.d.SetString(raw); err != nil || m.d.Form != apd.Finite {
		return Money{}, errMoney
	}
	if m.d.NumDigits() > maxMoneyDigits || m.d.Exponent > maxMoneyExponent || m.d.Exponent < -maxMoneyPlaces {
		return Money{}, errMoney
	}
	return m, nil
}

// ParseMoneySum parses an amount that this package wrote: a sum may have more digits than one
// amount.
func ParseMoneySum(text string) (Money, error) {
	var m Money
	if _, _, err := m.d.SetString(text); err != nil || m.d.Form != apd.Finite {
		return Money{}, fmt.Errorf("parse stored amount: %w", errMoney)
	}
	return m, nil
}

// Add is m + o, exactly.
func (m *Money) Add(o *Money) Money {
	var sum Money
	// Without a precision, Add reports no condition for finite numbers.
	_, _ = exact.Add(&sum.d, &m.d, &o.d)
	return sum
}

// Sub is m - o, exactly.
func (m *Money) Sub(o *Money) Money {
	var diff Money
	_, _ = exact.Sub(&diff.d, &m.d, &o.d)
	return diff
}

// Neg is -m.
func (m *Money) Neg() Money {
	var neg Money
	neg.d.Neg(&m.d)
	return neg
}

// Sign is -1, 0 or 1.
func (m *Money) Sign() int { return m.d.Sign() }

// Equal compares by value: 0.10 is 0.1.
func (m *Money) Equal(o *Money) bool { return m.d.Cmp(&o.d) == 0 }

// Float is the nearest float64: the one rounding, at exposition.
func (m *Money) Float() float64 {
	f, _ := m.d.Float64() // amounts are far within the range of a float
	return f
}

// String is the plain decimal form, without an exponent or trailing zeros.
func (m *Money) String() string { return string(m.Append(nil)) }

// Append appends String to dst.
func (m *Money) Append(dst []byte) []byte {
	var r apd.Decimal
	r.Reduce(&m.d)
	return r.Append(dst, 'f')
}

// MarshalText implements encoding.TextMarshaler with String, so that no digit is lost in JSON.
func (m Money) MarshalText() ([]byte, error) { return m.Append(nil), nil }

// UnmarshalText implements encoding.TextUnmarshaler with ParseMoneySum.
func (m *Money) UnmarshalText(text []byte) (err error) {
	*m, err = ParseMoneySum(string(text))
	return err
}
