package msgraph

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mapPSTN maps a pstnCallLogRow. The row has no result: connected seconds are all that says whether a call was answered (contract 3).
func (m *mapper) mapPSTN(f *wire.Fields, r *cdr.Record) {
	m.mapCommon(f, r, "callId")
	r.Outcome = cdr.NotConnected
	if r.Duration > 0 {
		r.Outcome = cdr.Answered
	}
	r.Trunk = label(f.Text("operator"))

	currency := m.currency(f)
	for _, c := range [...]struct{ property, component string }{{"charge", "usage"}, {"connectionCharge", "connection"}} {
		if amount, given := f.Money(c.property); given {
			r.Charges = append(r.Charges, cdr.Charge{Component: c.component, Currency: currency, Amount: amount})
		}
	}
}

// currency is an ISO 4217 code, empty if the row has none.
func (m *mapper) currency(f *wire.Fields) string {
	code := f.Text("currency")
	switch {
	case code == "":
		return ""
	case len(code) == 3 && isLetter(code[0]) && isLetter(code[1]) && isLetter(code[2]):
		return label(strings.ToUpper(code))
	}
	m.reportUnmapped("currency", code)
	return ""
}
