package simulator

import "strconv"

// Amount is money in ten-thousandths of its currency.
type Amount int64

// Append appends the amount as a decimal with at least two places.
func (a Amount) Append(dst []byte) []byte {
	n := int64(a)
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	dst = append(strconv.AppendInt(dst, n/10_000, 10), '.')
	rest := n % 10_000
	dst = append(dst, byte('0'+rest/1000), byte('0'+rest/100%10))
	if rest%100 == 0 {
		return dst
	}
	dst = append(dst, byte('0'+rest/10%10))
	if rest%10 == 0 {
		return dst
	}
	return append(dst, byte('0'+rest%10))
}

// String is the amount as a decimal.
func (a Amount) String() string { return string(a.Append(nil)) }

// Float is the amount in units of the currency.
func (a Amount) Float() float64 { return float64(a) / 10_000 }
