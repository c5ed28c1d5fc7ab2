package ringcentral

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// isExtension says whether a party is an extension without a number. A number that only repeats the
// extension's doesn't count.
func (p *party) isExtension() bool {
	return (p.ExtensionID != "" || p.ExtensionNumber != "") &&
		(p.PhoneNumber == "" || p.PhoneNumber == p.ExtensionNumber)
}

// name is the party's name without padding.
func (p *who) name() string { return strings.Join(strings.Fields(p.Name), " ") }

// directionOf is internal between two extensions, otherwise RingCentral's own direction. It also
// says whether that is known.
func directionOf(r *row) (direction cdr.Direction, known bool) {
	direction, known = directionNamed(r.Direction)
	switch {
	case r.rings(), r.onlyRings():
		direction = cdr.Inbound
	case r.From.isExtension() && r.To.isExtension():
		direction = cdr.Internal
	}
	return direction, known
}

// rings says whether a row is of an extension that calls its own telephone: until the call of a queue's caller has
// ended, RingCentral lists it so.
func (r *row) rings() bool {
	return inProgress[folded(r.Result)] && r.From.ExtensionNumber != "" && r.To.PhoneNumber != "" &&
		r.From.ExtensionNumber == r.To.ExtensionNumber
}

// onlyRings says whether a row has only telephones that ring for a caller from outside. It lacks the caller's own leg:
// RingCentral lists a queue's call so, as one that goes out, and writes the row once more at the end of the call. Legs
// from telephone to telephone alone are a call between extensions.
func (r *row) onlyRings() bool {
	result, outside := folded(r.Result), false
	for _, l := range r.Legs {
		kind := folded(l.LegType)
		if kind != "pstntosip" && kind != "siptosip" || folded(l.Direction) != "outbound" {
			return false
		}
		outside = outside || kind == "pstntosip"
	}
	return outside && (result == "stopped" || result == "ip phone offline")
}

// directionNamed is the direction for RingCentral's name, and whether that is known.
func directionNamed(name string) (direction cdr.Direction, known bool) {
	switch folded(name) {
	case "inbound":
		return cdr.Inbound, true
	case "outbound":
		return cdr.Outbound, true
	}
	return cdr.DirectionUnknown, name == ""
}

// userOf is the account's user in the row: the extension that the row belongs to.
func userOf(r *row) (id, name string) {
	side := own(r.Direction, &r.From.who, &r.To.who)
	id = cmp.Or(r.Extension.text(), side.ExtensionID)
	return id, side.nameOf(id)
}

// own is the account's side of a call or a leg.
func own(direction string, from, to *who) *who {
	switch folded(direction) {
	case "inbound":
		return to
	case "outbound":
		return from
	}
	return new(who)
}

// nameOf is the party's name, if the party is or may be that extension.
func (p *who) nameOf(extension string) string {
	if p.ExtensionID != "" && extension != "" && p.ExtensionID != extension {
		return ""
	}
	return p.name()
}

// text is the id in the form of from.extensionId and to.extensionId.
func (e *extension) text() string {
	if e.ID == nil {
		return ""
	}
	return strconv.FormatInt(*e.ID, 10)
}

// countryOf is the country of a number. Without a plus sign, a number only begins with its country
// code if it consists of digits and is long enough: "(866)123-4567" and "2055551234" don't.
func (m *mapper) countryOf(number string) string {
	number = strings.TrimSpace(number)
	if strings.HasPrefix(number, "+") {
		return m.countries.Of(number)
	}
	const minE164, maxE164 = 11, 15
	if len(number) < minE164 || len(number) > maxE164 || number[0] == '0' ||
		strings.Trim(number, "0123456789Xx*") != "" {
		return ""
	}
	return m.countries.OfDigits(number)
}
