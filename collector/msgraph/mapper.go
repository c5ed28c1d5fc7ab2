package msgraph

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"
	"unique"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/collector/wire"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

const (
	// maxCallTypes bounds the cache of call types.
	maxCallTypes = 1000
	// zeroGUID is Graph's placeholder for a missing id.
	zeroGUID = "00000000-0000-0000-0000-000000000000"
)

// mapper maps the rows of a call log to pages of records. It reuses the memory of the previous
// page. It is for one goroutine. A record may point into the page, except where a text becomes a
// label of metrics.
type mapper struct {
	log       *callLog
	filter    *collector.RowFilter
	callTypes map[string]callType

	fields  wire.Fields
	records []*cdr.Record // as many as the largest page needed
	page    collector.Page
}

type callType struct {
	slug             string
	direction        cdr.Direction
	known, emergency bool
}

func newMapper(log *callLog, filter *collector.RowFilter) *mapper {
	return &mapper{log: log, filter: filter, callTypes: map[string]callType{}}
}

func (m *mapper) mapPage(rows wire.Piece) *collector.Page {
	m.page = collector.Page{RowHashes: m.page.RowHashes[:0], Invalid: m.page.Invalid[:0], Unmapped: m.page.Unmapped[:0]}
	m.filter.NextPage()
	for i, row := range rows.Rows {
		rowHash, unchanged := m.filter.Unchanged(rowID(row), row)
		if unchanged {
			m.page.Unchanged++
			continue
		}
		row = wire.Checked(row)
		kept := len(m.page.Records)
		if kept == len(m.records) {
			m.records = append(m.records, new(cdr.Record))
		}
		r := m.records[kept]
		r.Reset()
		unmapped := len(m.page.Unmapped)
		if problem := m.mapRow(row, r); problem != "" {
			m.page.Invalid = append(m.page.Invalid, collector.BadRow{Content: row, At: rows.At(i), Problem: problem})
			continue
		}
		m.page.Records = m.records[:kept+1]
		for n := unmapped; n < len(m.page.Unmapped); n++ {
			m.page.Unmapped[n].Record = r
			rowHash = 0 // it isn't skipped later, since a newer version of the exporter may know the value
		}
		m.page.RowHashes = append(m.page.RowHashes, rowHash)
	}
	return &m.page
}

// rowID is the id of an unchecked row, as mapCommon reads it. It is empty if the id is missing or
// makes the row malformed.
func rowID(row []byte) string {
	quoted := leadingID(row)
	if quoted == nil {
		if row = wire.Checked(row); row[0] != '{' {
			return ""
		}
		quoted = wire.Member(row, "id")
	}
	if len(quoted) < 2 || quoted[0] != '"' {
		return ""
	}
	id := wire.TextOf(quoted)
	if id == zeroGUID || strings.Contains(id, string(utf8.RuneError)) {
		return ""
	}
	return strings.ToLower(id)
}

// leadingID is the id at the start of a row, where Graph puts it, with its quotation marks. It is
// nil if the row starts with something else, or the id has escapes.
func leadingID(row []byte) []byte {
	const begin = `{"id":"`
	rest, begins := bytes.CutPrefix(row, []byte(begin))
	length := bytes.IndexByte(rest, '"')
	if !begins || length < 0 || bytes.IndexByte(rest[:length], '\\') >= 0 {
		return nil
	}
	return row[len(begin)-1 : len(begin)+length+1]
}

func (m *mapper) mapRow(row []byte, r *cdr.Record) (problem string) {
	if row[0] != '{' {
		return "it isn't an object"
	}
	unmapped := len(m.page.Unmapped)
	m.fields.Parse(row)
	m.log.mapRow(m, &m.fields, r)
	for i := range logged {
		if text := m.fields.Text(logged[i].property); text != "" {
			r.Extra = append(r.Extra, cdr.Text(logged[i].key, text, logged[i].privacy))
		}
	}
	if m.fields.Problem != "" {
		m.page.Unmapped = m.page.Unmapped[:unmapped]
	}
	return m.fields.Problem
}

// mapCommon maps the properties of both types of rows, except for the outcome.
func (m *mapper) mapCommon(f *wire.Fields, r *cdr.Record, callID string) {
	r.ID, r.CallID = strings.ToLower(f.ID("id")), f.Text(callID) // a GUID, so case doesn't matter
	r.UserID, r.UserName, r.UserPrincipal = f.Text("userId"), f.Text("userDisplayName"), f.Text("userPrincipalName")
	r.CallerNumber, r.CalleeNumber = f.Text("callerNumber"), f.Text("calleeNumber")

	r.Start, r.End = f.Start("startDateTime"), m.optionalInstant(f, "endDateTime")
	duration := f.Integer("duration")
	r.NoDuration = !duration.Known
	var problem string
	if r.Duration, problem = cdr.Duration(duration.Value, time.Second); problem != "" {
		f.Fail("duration", problem)
	}

	kind := m.callType(f.Text("callType"))
	r.CallType, r.Direction = kind.slug, kind.direction
	if !kind.known {
		m.reportUnmapped("callType", f.Text("callType"))
	}
	r.Emergency = m.emergency(r, kind.emergency)
	r.Country = m.country(r, f.Text("otherPartyCountryCode"))
	if r.ID == "" || r.ID == zeroGUID {
		r.ID, r.Synthetic = "", collector.SyntheticKey(r)
	}
}

// mapPSTN maps a pstnCallLogRow. The row has no result; only its connected seconds show whether the
// call was answered (docs/providers/msgraph.md).
func (m *mapper) mapPSTN(f *wire.Fields, r *cdr.Record) {
	m.mapCommon(f, r, "callId")
	r.Outcome = cdr.NotConnected
	if r.Duration > 0 {
		r.Outcome = cdr.Answered
	}
	r.Trunk = label(f.Text("operator"))

	currency := m.currency(f)
	for _, c := range [...]struct{ property, component string }{
		{"charge", "usage"},
		{"connectionCharge", "connection"},
	} {
		if amount, given := f.Money(c.property); given {
			r.Charges = append(r.Charges, cdr.Charge{Component: c.component, Currency: currency, Amount: amount})
		}
	}
}

// currency is an ISO 4217 code, or empty.
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

// logged are the properties that only go to log records, as `cdr.msgraph.<key>`. The conference id
// lets people into meetings, so it is treated like a user's id. The destination's name isn't an ISO
// code, and the codes of tenant and usage don't belong to the other party (docs/providers/msgraph.md).
var logged = []struct {
	property, key string
	privacy       cdr.Privacy
}{
	{"conferenceId", "conference_id", cdr.User},
	{"destinationContext", "destination_context", cdr.Words},
	{"destinationName", "destination_name", cdr.Words},
	{"inventoryType", "inventory_type", cdr.Words},
	{"licenseCapability", "license_capability", cdr.Words},
	{"callDurationSource", "call_duration_source", cdr.Words},
	{"tenantCountryCode", "tenant_country_code", cdr.Words},
	{"usageCountryCode", "usage_country_code", cdr.Words},
	{"userCountryCode", "user_country_code", cdr.Words},
	{"otherPartyCountryCode", "other_party_country_code", cdr.Words},
	{"transferorCorrelationId", "transferor_correlation_id", cdr.Plain},
	{"clientLocalIpV4Address", "client_local_ip_v4_address", cdr.Address},
	{"clientLocalIpV6Address", "client_local_ip_v6_address", cdr.Address},
	{"clientPublicIpV4Address", "client_public_ip_v4_address", cdr.Address},
	{"clientPublicIpV6Address", "client_public_ip_v6_address", cdr.Address},
}

// label is a text for a label of metrics, without anything that may be a phone number. Labels
// outlive the answer, so the text is interned in separate memory.
func label(text string) string { return unique.Make(cdr.HideNumbers(text)).Value() }

func (m *mapper) reportUnmapped(property, value string) {
	m.page.Unmapped = append(m.page.Unmapped, collector.Unmapped{Field: property, Value: value})
}

// optionalInstant reads a time that a row may lack. One that can't be read counts as absent; it is
// reported without its text.
func (m *mapper) optionalInstant(f *wire.Fields, property string) time.Time {
	at, valid := f.Instant(property)
	if !valid {
		m.reportUnmapped(property, "not a date and time")
	}
	return at
}

// callType reads a callType, using the cache.
func (m *mapper) callType(raw string) callType {
	if raw == "" {
		return callType{known: true} // absent
	}
	if kind, ok := m.callTypes[raw]; ok {
		return kind
	}
	raw = strings.Clone(raw)
	var kind callType
	kind.slug, kind.direction, kind.known, kind.emergency = parseCallType(raw)
	if len(m.callTypes) >= maxCallTypes {
		clear(m.callTypes)
	}
	m.callTypes[raw] = kind
	return kind
}

// emergency recognizes calls to emergency services by their type or by the called number. A call
// from them, such as a call back, doesn't count.
func (m *mapper) emergency(r *cdr.Record, byType bool) cdr.Emergency {
	outbound := r.Direction == cdr.Outbound || byType && r.Direction == cdr.DirectionUnknown
	if !outbound {
		return cdr.NoEmergency
	}
	byNumber := m.log.emergency.Match(r.CalleeNumber, m.log.countries.Of(r.CallerNumber))
	if byType && byNumber == cdr.NoEmergency {
		return cdr.EmergencyReal
	}
	return byNumber
}

// country is the other party's country, by the prefix of its number or else from the row.
func (m *mapper) country(r *cdr.Record, otherParty string) string {
	var country string
	switch r.Direction {
	case cdr.Inbound:
		country = m.log.countries.Of(r.CallerNumber)
	case cdr.Outbound:
		country = m.log.countries.Of(r.CalleeNumber)
	case cdr.DirectionUnknown, cdr.Internal:
	}
	// ISO 3166-1 alpha-2.
	if country == "" && len(otherParty) == 2 && isLetter(otherParty[0]) && isLetter(otherParty[1]) {
		country = label(strings.ToUpper(otherParty))
	}
	return country
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
