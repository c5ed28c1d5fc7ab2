package declared

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector/declared/language"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// parties reads caller, callee and direction, and derives the other party's country and whether it
// is an emergency call.
func (p *mapping) parties() {
	d, r := &p.feed.Record, p.record
	r.CallerNumber, r.CalleeNumber = p.number("caller", &d.Caller), p.number("callee", &d.Callee)
	r.UserID, r.UserName = p.text("user_id", &d.UserID), p.text("user_name", &d.UserName)
	r.Direction, _ = readWord(p, "direction", &d.Direction, language.DirectionWords, notDirection)
	if p.inner != nil && (r.Direction == cdr.DirectionUnknown) {
		r.Direction = p.inner.Direction
	}
	other := r.CalleeNumber
	if r.Direction == cdr.Inbound {
		other = r.CallerNumber
	}
	if r.Country = p.code("country", p.text("country", &d.Country), 2); r.Country == "" && r.Direction != cdr.Internal {
		r.Country = p.countryOf(other)
	}
	is, said := readWord(p, "emergency", &d.Emergency, language.TruthWords, "isn't true or false")
	is = is && r.Direction != cdr.Inbound // the emergency service calls back
	if is || !said && r.Direction == cdr.Outbound {
		callee, country := cdr.PartyNumber(r.CalleeNumber), p.countryOf(r.CallerNumber)
		r.Emergency = p.emergency.Match(callee, country)
		if r.Emergency == cdr.NoEmergency && p.feed.Numbers == international {
			r.Emergency = p.emergency.Match("+"+callee, country)
		}
	}
	if is && r.Emergency == cdr.NoEmergency { // only the number says that it is a test
		r.Emergency = cdr.EmergencyReal
	}
}

// leastDialled is how long a number is at least that isn't an extension's.
const leastDialled = 7

// number is a party's number. In international numbers without a plus, the plus of others is left
// out, so that both forms are the same number.
func (p *mapping) number(field string, v *language.Value) string {
	text := p.text(field, v)
	number := cdr.PartyNumber(text)
	if len(number) >= leastDialled || !strings.Contains(text, "@") { // two hosts may have the same extension
		text = number
	}
	if digits, has := strings.CutPrefix(text, "+"); has && p.feed.Numbers == international && allDigits(digits) {
		return digits
	}
	return text
}

func allDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// countryOf is the country of a number.
func (p *mapping) countryOf(number string) string {
	if p.feed.Numbers == international {
		return p.countries.OfDigits(number)
	}
	return p.countries.Of(number)
}
