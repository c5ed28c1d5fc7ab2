package msgraph

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// maxRemembered bounds what a mapper remembers of values that repeat from row to row.
const maxRemembered = 1000

// zeroGUID stands for an id that isn't there.
const zeroGUID = "00000000-0000-0000-0000-000000000000"

// mapper turns rows into records. It is for one goroutine. What it writes into a
// record may point into the arena, but for what becomes a label of metrics.
type mapper struct {
	countries *cdr.Countries
	emergency *cdr.EmergencyNumbers

	callTypes map[string]callType
	labels    wire.Labels
	unmapped  []collector.Unmapped // of the page
}

// callType is what a callType says.
type callType struct {
	slug             string
	direction        cdr.Direction
	known, emergency bool
}

func newMapper(countries *cdr.Countries, emergency *cdr.EmergencyNumbers) *mapper {
	return &mapper{
		countries: countries, emergency: emergency,
		callTypes: map[string]callType{},
	}
}

// common are the properties that both row types have.
type common struct {
	id, callID                           property
	userID, userPrincipalName, userName  property
	start, end, duration                 property
	callType, caller, callee, otherParty property
}

// begin maps what both row types have, and needs no outcome.
func (m *mapper) begin(f *fields, r *cdr.Record, c *common) {
	r.ID, r.CallID = f.id(c.id), f.text(c.callID)
	r.UserID, r.UserName, r.UserPrincipal = f.text(c.userID), f.text(c.userName), f.text(c.userPrincipalName)
	r.CallerNumber, r.CalleeNumber = f.text(c.caller), f.text(c.callee)
	r.Start = f.start(c.start)
	r.End = m.instant(f, c.end)
	r.Duration, r.NoDuration = f.seconds(c.duration), !f.integer(c.duration).Known

	kind := m.callTypeOf(f.text(c.callType))
	r.CallType, r.Direction = kind.slug, kind.direction
	if !kind.known {
		m.isNew(f, c.callType, f.text(c.callType))
	}
	r.Emergency = m.emergencyOf(r, kind.emergency)
	r.Country = m.countryOf(r, f.text(c.otherParty))
	if r.ID == "" {
		r.Synthetic = synthetic(r)
	}
}

// isNew notes a value that the mapping doesn't know.
func (m *mapper) isNew(f *fields, p property, value string) {
	m.unmapped = append(m.unmapped, collector.Unmapped{Field: f.properties.names[p], Value: value})
}

// instant reads a time that a row may lack. One that can't be read is as good as
// absent, and noted without what it says.
func (m *mapper) instant(f *fields, p property) time.Time {
	at, valid := f.instant(p)
	if !valid {
		m.isNew(f, p, "not a date and time")
	}
	return at
}

// start reads the start of a call, which a row must have.
func (f *fields) start(p property) time.Time {
	at, valid := f.instant(p)
	switch {
	case !valid:
		f.fail(p, "is not a date and time")
	case at.IsZero():
		f.fail(p, "is missing")
	}
	return at
}

// id reads a row's id. Ids are compared by their bytes, so one that had to be
// repaired could be taken for another.
func (f *fields) id(p property) string {
	if value := f.values[p]; value != nil && !utf8.Valid(value) {
		f.fail(p, "is not UTF-8")
		return ""
	}
	id := f.text(p)
	if id == zeroGUID {
		return ""
	}
	return id
}

// callTypeOf reads a callType, most of which were read before.
func (m *mapper) callTypeOf(raw string) callType {
	if raw == "" {
		return callType{known: true} // not given
	}
	if kind, ok := m.callTypes[raw]; ok {
		return kind
	}
	raw = strings.Clone(raw)
	var kind callType
	kind.slug, kind.direction, kind.known, kind.emergency = cdr.MicrosoftCallType(raw)
	if len(m.callTypes) >= maxRemembered {
		clear(m.callTypes)
	}
	m.callTypes[raw] = kind
	return kind
}

// emergencyOf tells calls to emergency services, by their type or the number called. A
// call from them, such as a call back, is none.
func (m *mapper) emergencyOf(r *cdr.Record, byType bool) cdr.Emergency {
	outbound := r.Direction == cdr.Outbound || byType && r.Direction == cdr.DirectionUnknown
	if !outbound {
		return cdr.NoEmergency
	}
	byNumber := m.emergency.Match(r.CalleeNumber)
	if byType && byNumber == cdr.NoEmergency {
		return cdr.EmergencyReal
	}
	return byNumber
}

// countryOf is the other party's: by its number's prefix, else as the row says.
func (m *mapper) countryOf(r *cdr.Record, otherParty string) string {
	var country string
	switch r.Direction {
	case cdr.Inbound:
		country = m.countries.Of(r.CallerNumber)
	case cdr.Outbound:
		country = m.countries.Of(r.CalleeNumber)
	case cdr.DirectionUnknown, cdr.Internal:
	}
	if country == "" && isCountryCode(otherParty) {
		country = m.labels.Own(strings.ToUpper(otherParty))
	}
	return country
}

// isCountryCode says whether s has the form of ISO 3166-1 alpha-2.
func isCountryCode(s string) bool { return len(s) == 2 && isLetter(s[0]) && isLetter(s[1]) }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// synthetic identifies a row without an id by what it says (counting.md 18).
func synthetic(r *cdr.Record) string {
	return strings.Join([]string{
		r.CallType, r.Start.Truncate(time.Second).Format(time.RFC3339), party(r.CallerNumber), party(r.CalleeNumber),
	}, "\x1f")
}

// party is a number without what differs between spellings of it.
func party(number string) string {
	return strings.ToLower(strings.Join(strings.Fields(number), ""))
}

// extra is a property that goes to log records only.
type extra struct {
	property property
	privacy  cdr.Privacy
}

// extras adds those that the row has, as `cdr.msgraph.<property in snake case>`.
func (m *mapper) extras(f *fields, r *cdr.Record, list []extra) {
	for _, e := range list {
		if text := f.text(e.property); text != "" {
			r.Extra = append(r.Extra, cdr.Text(f.properties.snake[e.property], text, e.privacy))
		}
	}
}

// units adds the ids of administrative units.
func (m *mapper) units(f *fields, r *cdr.Record, p property) {
	if ids := f.idsOf(p); len(ids) > 0 {
		r.Extra = append(r.Extra, cdr.Texts(f.properties.snake[p], ids, cdr.Plain))
	}
}
