package simulator

import (
	"fmt"
	"strings"
)

// Amount is money, in ten-thousandths of its currency unless the mix has another unit.
type Amount int64

// String is the amount as a decimal with at least two places.
func (a Amount) String() string {
	sign := ""
	if a < 0 {
		sign, a = "-", -a
	}
	text := strings.TrimSuffix(fmt.Sprintf("%s%d.%04d", sign, a/10_000, a%10_000), "0")
	if strings.HasSuffix(text, "0") && a%100 == 0 {
		text = text[:len(text)-1]
	}
	return text
}
