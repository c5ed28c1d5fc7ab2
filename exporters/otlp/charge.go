package otlp

import "github.com/cdr-exporter/cdr-exporter/internal/cdr"

// usage is the component that a provider calls the charge of the call itself.
const usage = "usage"

// appendCharges appends cdr.charge and cdr.currency: the `usage` component;
// where a provider has none, the sum of all components if they share a currency,
// else the first. The other components follow as cdr.<provider>.<component>_charge,
// unless the provider's own fields bring that name.
func appendCharges(b []byte, r *cdr.Record, provider string) []byte {
	if len(r.Charges) == 0 {
		return b
	}
	amount, currency, shown := mainCharge(r.Charges)
	b = appendMoney(b, common("cdr.charge"), &amount)
	b = appendText(b, common("cdr.currency"), currency)
	for i := range r.Charges {
		if i == shown {
			continue
		}
		if name := r.Charges[i].Component + "_charge"; !hasExtra(r.Extra, name) {
			b = appendMoney(b, key{provider, name}, &r.Charges[i].Amount)
		}
	}
	return b
}

// mainCharge is the amount of cdr.charge, its currency, and which component it
// is, -1 for a sum of several.
func mainCharge(charges []cdr.Charge) (amount cdr.Money, currency string, shown int) {
	for i := range charges {
		if charges[i].Component == usage {
			return charges[i].Amount, charges[i].Currency, i
		}
	}
	first := charges[0]
	if len(charges) == 1 {
		return first.Amount, first.Currency, 0
	}
	sum := first.Amount
	for i := 1; i < len(charges); i++ {
		if charges[i].Currency != first.Currency {
			return first.Amount, first.Currency, 0
		}
		sum = sum.Add(&charges[i].Amount)
	}
	return sum, first.Currency, -1
}

func appendMoney(b []byte, k key, amount *cdr.Money) []byte {
	var buf [64]byte
	return appendBytes(b, k, amount.Append(buf[:0]))
}

func hasExtra(extra []cdr.Attr, name string) bool {
	for i := range extra {
		if extra[i].Key == name {
			return true
		}
	}
	return false
}
