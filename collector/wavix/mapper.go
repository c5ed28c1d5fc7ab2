package wavix

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// maxRemembered bounds what a mapper remembers of values that repeat from row to row.
	maxRemembered = 1000
	// keySeparator stands between the parts of a synthetic key: no number holds it.
	keySeparator = '\x1f'
)

// mapper turns rows into records. It is for one goroutine. What it writes into a record
// may point into the arena, but for what becomes a label of metrics.
type mapper struct {
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers
	arena     *wire.Arena

	labels   wire.Labels
	unmapped []collector.Unmapped // of the batch
}

// mapRow maps a row of a type. The type is the question's: no row says it.
//
// Keys. The same id may be listed under both types, where an account calls itself, and
// those are two calls: an id is known by its type. call_id and uuid are one id under
// two names, so the key is the same before and after either appears or goes. A row
// without an id has a synthetic key; one with an id has none beside it: two calls with
// ids that begin in the same second between the same parties would be taken for one.
func (m *mapper) mapRow(f *fields, kind string, r *cdr.Record) {
	id, parent := m.ids(f, kind, r)
	r.Start = f.start(pDate)
	r.CallerNumber, r.CalleeNumber = f.party(pFrom), f.party(pTo)
	duration, given := f.seconds(pDuration)
	r.Duration, r.NoDuration = duration, !given

	r.CallType, r.Direction = kind, cdr.Inbound
	other := r.CallerNumber
	if kind == kindPlaced {
		r.Direction, other = cdr.Outbound, r.CalleeNumber
		r.Emergency = m.emergency.Match(r.CalleeNumber)
	}
	r.Country = m.countries.OfDigits(other)
	r.Trunk = m.labels.Own(f.text(pTrunk))
	m.outcome(f, r)
	m.charge(f, r, pCharge, "usage")
	m.charge(f, r, pForwardFee, "forwarding")
	m.extras(f, r, parent)
	if id == "" && f.problem == "" {
		r.Synthetic = m.synthetic(kind, r)
	}
}

// ids reads the row's own id and its parent's, as the provider gives them. Parent has
// no type yet: whoever knows it adds it.
func (m *mapper) ids(f *fields, kind string, r *cdr.Record) (id, parent string) {
	id, older := f.id(pCallID), f.id(pUUID)
	if id == "" {
		id = older
	}
	if parent = f.id(pParentCallID); parent == "" {
		parent = f.id(pParentUUID)
	}
	if parent == id || parent == older {
		parent = "" // samples name a call as its own parent
	}
	if id != "" {
		r.ID = m.typed(kind, id)
		if older != "" && older != id {
			r.AltIDs = append(r.AltIDs, m.typed(kind, older))
		}
	}
	r.Parent, r.CallID = parent, id
	if parent != "" {
		r.CallID = parent
	}
	return id, parent
}

// typed is an id as it is known: `placed:<id>`.
func (m *mapper) typed(kind, id string) string {
	return wire.View(m.arena.Append(len(kind)+1+len(id), func(b []byte) []byte {
		return append(append(append(b, kind...), ':'), id...)
	}))
}

func (m *mapper) outcome(f *fields, r *cdr.Record) {
	disposition := f.text(pDisposition)
	outcome, known := outcomeOf(disposition, r.Duration)
	if !known {
		m.isNew(pDisposition, disposition)
	}
	r.Outcome = outcome
}

// isNew notes a value that the mapping doesn't know.
func (m *mapper) isNew(p property, value string) {
	m.unmapped = append(m.unmapped, collector.Unmapped{Field: propertyNames[p], Value: value})
}

// charge adds an amount that is known, a zero too.
func (m *mapper) charge(f *fields, r *cdr.Record, p property, component string) {
	if amount, given := f.money(p); given {
		r.Charges = append(r.Charges, cdr.Charge{Component: component, Amount: amount})
	}
}

// extras adds what goes to log records only.
func (m *mapper) extras(f *fields, r *cdr.Record, parent string) {
	add := func(p property, text string, class cdr.Privacy) {
		if text != "" {
			r.Extra = append(r.Extra, cdr.Text(propertyNames[p], text, class))
		}
	}
	add(pDisposition, f.text(pDisposition), cdr.Plain)
	destination := f.text(pDestination)
	add(pDestination, destination, destinationClass(r.CallType, destination))
	if price, given := f.money(pPerMinute); given {
		add(pPerMinute, m.decimal(&price), cdr.Plain)
	}
	add(pParentCallID, parent, cdr.Plain)
	by := f.text(pAnsweredBy)
	add(pAnsweredBy, by, cdr.Plain)
	if by != "" && by != "human" && by != "machine" {
		m.isNew(pAnsweredBy, by)
	}
}

// destinationClass is what a destination is. That of a placed call is a country with
// perhaps a carrier or a city, in samples also an address; that of a received one is
// where it went: a trunk's name, an address, or a number.
func destinationClass(kind, destination string) cdr.Privacy {
	const fewDigits = 4 // of a carrier's name
	digits := 0
	for _, c := range []byte(destination) {
		if isDigit(c) {
			digits++
		}
	}
	if kind == kindPlaced && digits <= fewDigits && !strings.ContainsAny(destination, "@:") {
		return cdr.Plain
	}
	return cdr.Number
}

// decimal is an amount in its one plain form, whichever way it came.
func (m *mapper) decimal(amount *cdr.Money) string {
	const longest = 64 // 34 digits, an exponent of 18, sign and point
	return wire.View(m.arena.Append(longest, amount.Append))
}

// synthetic identifies a row without an id by what it says (counting.md 18): type,
// start in whole seconds, from and to, normalised.
func (m *mapper) synthetic(kind string, r *cdr.Record) string {
	const longestTime = len(time.RFC3339) + 8 // of a year that has more digits
	most := len(kind) + longestTime + 3 + utf8.UTFMax*(len(r.CallerNumber)+len(r.CalleeNumber))
	return wire.View(m.arena.Append(most, func(b []byte) []byte {
		b = append(append(b, kind...), keySeparator)
		b = append(r.Start.Truncate(time.Second).AppendFormat(b, time.RFC3339), keySeparator)
		b = append(appendParty(b, r.CallerNumber), keySeparator)
		return appendParty(b, r.CalleeNumber)
	}))
}

// appendParty appends a number without what differs between spellings of it.
func appendParty(b []byte, number string) []byte {
	for _, c := range strings.TrimPrefix(strings.TrimSpace(number), "+") {
		if !unicode.IsSpace(c) {
			b = utf8.AppendRune(b, unicode.ToLower(c))
		}
	}
	return b
}
