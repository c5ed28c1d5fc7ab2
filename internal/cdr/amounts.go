package cdr

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Amounts are exact sums of money by currency.
type Amounts map[string]Money

// Add adds an amount. It copies the text of a new currency, which may lie in a page that is used again.
func (a *Amounts) Add(currency string, amount *Money) {
	if *a == nil {
		*a = make(Amounts, 1)
	}
	sum, known := (*a)[currency]
	if !known {
		currency = strings.Clone(currency)
	}
	(*a)[currency] = sum.Add(amount)
}

// AddAll adds all amounts of o.
func (a *Amounts) AddAll(o Amounts) {
	for currency, amount := range o {
		a.Add(currency, &amount)
	}
}

// Minus is a - o.
func (a Amounts) Minus(o Amounts) Amounts {
	difference := maps.Clone(a)
	for currency, amount := range o {
		negative := amount.Neg()
		difference.Add(currency, &negative)
	}
	return difference
}

// Currencies are the currencies in order.
func (a Amounts) Currencies() []string { return slices.Sorted(maps.Keys(a)) }

// Text is the sum in a currency, 0 if there is none.
func (a Amounts) Text(currency string) string {
	sum := a[currency]
	return sum.String()
}

// Texts are the sums that aren't zero.
func (a Amounts) Texts() map[string]string {
	texts := make(map[string]string)
	for currency, sum := range a {
		if sum.Sign() != 0 {
			texts[currency] = sum.String()
		}
	}
	return texts
}

// Minutes is a time in minutes with six decimals, rounded half away from zero.
func Minutes(d time.Duration) string {
	const decimals = 1_000_000
	sign, n := "", (d.Abs()+30*time.Microsecond)/(60*time.Microsecond)
	if d < 0 && n > 0 {
		sign = "-"
	}
	return fmt.Sprintf("%s%d.%06d", sign, n/decimals, n%decimals)
}
