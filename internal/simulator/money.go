package simulator

// moneyOf are the labels of a call's money, but for currency and component: those of
// the version that was seen first.
func (t *Totals) moneyOf(c *Call, first *Version) ChargeKey {
	return ChargeKey{Direction: first.Kind.Direction, CallType: first.Kind.CallType, Country: c.Country()}
}

// charge counts the first amount that is known of a component. Zero makes no
// series; an amount below zero is a credit.
func (t *Totals) charge(key ChargeKey, component, currency string, p Price) {
	key.Component, key.Currency = component, t.currency(currency)
	switch {
	case !p.Known:
	case p.Amount > 0:
		t.Charges[key] += p.Amount
	case p.Amount < 0:
		t.Corrections[CorrectionKey{key, "credit"}] -= p.Amount
	}
}

func (t *Totals) currency(given string) string {
	if given == "" {
		return t.noCurrency
	}
	return given
}

// correct counts a change of a component: debit if it costs more.
func (t *Totals) correct(key ChargeKey, component, currency string, difference Amount) {
	key.Component, key.Currency = component, t.currency(currency)
	switch {
	case difference > 0:
		t.Corrections[CorrectionKey{key, "debit"}] += difference
	case difference < 0:
		t.Corrections[CorrectionKey{key, "credit"}] -= difference
	}
}

// revise counts what one version changed of the one before.
func (t *Totals) revise(key ChargeKey, before, after *Version) {
	changed := before.Kind.Outcome != after.Kind.Outcome
	if changed {
		t.OutcomeChanges[OutcomeChange{before.Kind.Outcome, after.Kind.Outcome}]++
	}
	filled := false
	for _, p := range [...]struct {
		component     string
		before, after Price
	}{
		{t.components[0], before.Usage, after.Usage},
		{t.components[1], before.Connection, after.Connection},
	} {
		switch {
		case !p.before.Known && p.after.Known:
			t.charge(key, p.component, after.Currency, p.after)
			filled = true
		case !p.before.Known:
		case before.Currency != after.Currency:
			// What was paid comes back, and is paid anew in the other currency.
			t.correct(key, p.component, before.Currency, -p.before.Amount)
			t.correct(key, p.component, after.Currency, p.after.Amount)
			changed = true
		case p.before.Amount != p.after.Amount:
			t.correct(key, p.component, after.Currency, p.after.Amount-p.before.Amount)
			changed = true
		}
	}
	switch {
	case changed:
		t.Revisions++
	case filled:
		t.Filled++
	case before.Incomplete && !after.Incomplete:
		t.Completed++
	case !before.Recorded && after.Recorded:
		t.Supplied++
	}
}
