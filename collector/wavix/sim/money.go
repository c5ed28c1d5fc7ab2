package sim

import "github.com/cdr-exporter/cdr-exporter/internal/simulator"

// currency is that of all of Wavix's prices.
const currency = "USD"

// money are the labels of a row's money.
func (r *row) money(component string) simulator.ChargeKey {
	return simulator.ChargeKey{
		Direction: r.side.direction(), CallType: r.side.String(), Currency: currency, Component: component, Country: r.country,
	}
}

// charge counts the first amount that is known of a component. Zero makes no series;
// an amount below zero is a credit.
func (c *counter) charge(key simulator.ChargeKey, p simulator.Price) {
	switch {
	case !p.Known:
	case p.Amount > 0:
		c.Charges[key] += millionths(p.Amount)
	case p.Amount < 0:
		c.correct(key, p.Amount)
	}
}

// correct counts a change: debit if it costs more.
func (c *counter) correct(key simulator.ChargeKey, difference simulator.Amount) {
	switch {
	case difference > 0:
		c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: "debit"}] += millionths(difference)
	case difference < 0:
		c.Corrections[simulator.CorrectionKey{ChargeKey: key, Sign: "credit"}] -= millionths(difference)
	}
}

// revise counts what one version changed of the one before.
func (c *counter) revise(r *row, before, after *version) {
	changed, filled := before.outcome != after.outcome, false
	if changed {
		c.OutcomeChanges[simulator.OutcomeChange{From: before.outcome, To: after.outcome}]++
	}
	for _, p := range [...]struct {
		component     string
		before, after simulator.Price
	}{
		{"usage", before.charge, after.charge},
		{"forwarding", before.fee, after.fee},
	} {
		switch key := r.money(p.component); {
		case !p.before.Known && p.after.Known:
			c.charge(key, p.after)
			filled = true
		case p.before.Known && p.before.Amount != p.after.Amount:
			c.correct(key, p.after.Amount-p.before.Amount)
			changed = true
		}
	}
	switch {
	case changed:
		c.Revisions++
	case filled:
		c.Filled++
	case before.incomplete && !after.incomplete:
		c.Completed++
	}
}
