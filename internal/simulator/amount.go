package simulator

import (
	"fmt"
	"strings"
)

// Amount is money, in ten-thousandths of its currency unless the mix has another unit.
type Amount int64

// String writes ten-thousandths as a decimal with at least two places.
func (a Amount) String() string { return a.Decimal(4, 2) }

// Decimal writes the amount with the given places, without zeros at the end beyond the minimum
// number of places.
func (a Amount) Decimal(places, least int) string {
	digits := fmt.Sprintf("%0*d", places+1, max(a, -a))
	whole, fraction := digits[:len(digits)-places], digits[len(digits)-places:]
	text := whole + "." + fraction[:least] + strings.TrimRight(fraction[least:], "0")
	if a < 0 {
		return "-" + text
	}
	return text
}
