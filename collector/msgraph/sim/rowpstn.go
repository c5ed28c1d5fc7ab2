package sim

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// newPSTNRows writes pstnCallLogRow.
func newPSTNRows(m *simulator.Mix) *rows {
	r := newRows(m)
	eachKind(m, func(k *simulator.Kind) { r.kinds[k] = pstnKind(k) })
	for i := range m.Trunks {
		t := &m.Trunks[i]
		source := "microsoft"
		if t.Family == operatorConnect {
			source = "operator"
		}
		r.trunks[t] = member(member(nil, "operator", t.Wire), "callDurationSource", source)
	}
	r.write = r.pstn
	return r
}

// pstnKind are the members that follow from the kind of call.
func pstnKind(k *simulator.Kind) fragment {
	licence, inventory := "MCOPSTN2", "Subscriber"
	switch {
	case k.NoUser:
		licence, inventory = "MCOEV_VIRTUALUSER", "Service"
	case k.Wire == "conf_in" || k.Wire == "conf_out":
		licence, inventory = "MCOMEETADD", "TollFree"
	case k.Free:
		licence = "FREECALL"
	case !k.Priced:
		licence = "MCOEV"
	}
	f := member(nil, "callType", k.Wire)
	f = member(f, "licenseCapability", licence)
	f = member(f, "inventoryType", inventory)
	f = member(f, "tenantCountryCode", "US")
	return member(f, "usageCountryCode", "US")
}

func (r *rows) pstn(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	dst = appendID(append(dst, '{'), c)
	dst = append(c.CallID.Append(append(dst, `"callId":"`...)), `",`...)
	dst = r.appendUser(dst, c, v)
	dst = appendStart(dst, c)
	dst = append(dst, `"endDateTime":`...)
	dst = append(appendTime(dst, c.End(v), c.Number), ',')
	dst = appendDuration(dst, c, v)
	dst = appendPrice(append(dst, `"charge":`...), v.Usage, c.Number)
	dst = appendPrice(append(dst, `"connectionCharge":`...), v.Connection, c.Number)
	dst = r.appendCurrency(dst, v)
	dst = appendParties(dst, c, v)
	dst = r.appendDestination(dst, c, v)
	dst = append(dst, r.kinds[v.Kind]...)
	dst = append(dst, r.trunks[c.Trunk]...)
	dst = append(dst, `"conferenceId":`...)
	if v.Kind.Wire != "conf_in" && v.Kind.Wire != "conf_out" {
		return append(dst, `null}`...)
	}
	return append(c.CallID.Append(append(dst, '"')), `"}`...)
}

// appendPrice appends an amount, now and then with fewer digits than it might
// have.
func appendPrice(dst []byte, p simulator.Price, style int) []byte {
	if !p.Known {
		return append(dst, `null,`...)
	}
	dst = p.Amount.Append(dst)
	if style%5 == 0 && dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return append(dst, ',')
}

func (r *rows) appendCurrency(dst []byte, v *simulator.Version) []byte {
	if v.Currency == "" {
		return append(dst, `"currency":null,`...)
	}
	return append(append(append(dst, `"currency":"`...), v.Currency...), `",`...)
}

// appendDestination appends where the call went: rows of inbound calls don't say.
func (r *rows) appendDestination(dst []byte, c *simulator.Call, v *simulator.Version) []byte {
	if c.Prefix == nil || v.Kind.Direction != cdr.Outbound {
		return append(dst, `"destinationContext":null,"destinationName":null,`...)
	}
	if c.Prefix.Country == "US" {
		dst = append(dst, `"destinationContext":"Domestic",`...)
	} else {
		dst = append(dst, `"destinationContext":"International",`...)
	}
	return append(dst, r.places[c.Prefix]...)
}
