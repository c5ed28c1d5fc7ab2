package ringcentral

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/collector"
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// mapper completes records. It is for one goroutine.
type mapper struct {
	grouped   bool     // rows of a session make one call: an extension's log lists a session once per view
	detailed  bool     // rows have legs
	machines  []string // types of legs that no person answers, folded
	countries *cdr.Countries
	emergency cdr.EmergencyNumbers

	queues   map[string]string    // names by id; nil: queue visits aren't read
	unmapped []collector.Unmapped // of the row
}

func (m *mapper) reportUnmapped(field, value string) {
	m.unmapped = append(m.unmapped, collector.Unmapped{Field: field, Value: value})
}

// ignored says whether a row isn't a call.
func (m *mapper) ignored(r *row) bool {
	action := folded(r.Action)
	switch kind := folded(r.Type); kind {
	case "voice":
	case "": // the action says what it is
		if action == actionIncomingFax || action == actionOutgoingFax {
			return true
		}
	case "fax", "sms": // the latter in older rows
		return true
	default:
		if !r.Deleted {
			m.reportUnmapped("type", r.Type)
		}
		return true
	}
	return r.Deleted || noCallActions[action] || folded(r.Result) == resultPhoneLogin
}

// complete adds what the definition can't say.
func (m *mapper) complete(row *row, r *cdr.Record) {
	m.kind(row, r)
	user, byLegs := m.ending(row, r)
	m.parties(row, r, user)
	if r.ListsLegs = m.detailed; m.grouped {
		shareCall(r, byLegs)
	}
	m.money(row, r)
	m.recordings(row, r)
	m.addVisits(row, r)
	extras(row, r)
}

func (m *mapper) kind(row *row, r *cdr.Record) {
	action := strings.TrimSpace(row.Action)
	r.CallType = cdr.CallType(action)
	if action != "" && !callActions[folded(action)] {
		m.reportUnmapped("action", action)
	}
	var known bool
	if r.Direction, known = directionOf(row); !known {
		m.reportUnmapped("direction", row.Direction)
	}
}

// ending maps how a call ended (docs/providers/ringcentral.md): answered if a leg says so, else by the result and, if
// that is generic, by the reason. If the result says nothing, the legs decide first. It returns the
// leg of the account's user, and whether the legs give the outcome.
func (m *mapper) ending(row *row, r *cdr.Record) (user *cdr.Leg, byLegs bool) {
	result := folded(row.Result)
	whole, known := results[result]
	if !known {
		m.reportUnmapped("result", row.Result)
		whole = noResult
	}
	byReason, known := reasons[folded(row.Reason)]
	if !known {
		m.reportUnmapped("reason", row.Reason)
	}
	r.ReasonPhrase = strings.TrimSpace(row.ReasonDescription)
	parts := m.parts(row, r)
	user = parts.user()
	if m.grouped && result == resultAnsweredElsewhere {
		r.NoOutcome = true // another extension took the call; this one only rang
		return user, false
	}
	if whole.outcome == cdr.Unknown {
		whole = cmp.Or(parts.master, whole)
	}
	ofLegs := parts.verdict()
	verdict := whole
	switch {
	case ofLegs.outcome == cdr.Answered, ofLegs.outcome.Connected() && whole.outcome != cdr.Voicemail:
		verdict = ofLegs
	case whole.outcome == cdr.Unknown && ofLegs.outcome != cdr.Unknown:
		verdict = ofLegs
	case byReason.outcome == cdr.Answered && whole.outcome != cdr.Unknown:
		// "Accepted" contradicts a result that says that the call failed: the result stays.
	case whole.generic && byReason.outcome != cdr.Unknown:
		verdict.outcome = byReason.outcome
	}
	r.Outcome = verdict.outcome
	if byLegs = len(parts.legs) > 0 && r.Outcome == ofLegs.outcome; byLegs {
		parts.times(r)
	}
	if !r.Outcome.Connected() {
		r.Reason = cmp.Or(byReason.reason, verdict.reason)
		fault := cmp.Or(byReason.fault, verdict.fault, byReason.outcome.FaultDomain())
		if fault != r.Outcome.FaultDomain() {
			r.FaultDomain = fault
		}
	}
	// The row isn't final (counting.md 17). The outcome is what the call counts as if no later
	// version comes. Without a result, but with a person or voicemail that answered, the call has
	// ended.
	ended := r.Outcome == cdr.Answered || r.Outcome == cdr.Voicemail
	// An extension's log may have nothing else of the session.
	r.Provisional = inProgress[result] || result == "" && (!ended || !byLegs) || !m.grouped && row.onlyRings()
	return user, byLegs
}

func (m *mapper) parties(row *row, r *cdr.Record, user *cdr.Leg) {
	if r.UserID, r.UserName = userOf(row); user != nil {
		r.UserID, r.UserName = user.UserID, user.UserName
	}
	switch r.Direction {
	case cdr.Inbound:
		r.Country = m.countryOf(row.From.PhoneNumber)
	case cdr.Outbound:
		r.Country = m.countryOf(row.To.PhoneNumber)
	case cdr.DirectionUnknown, cdr.Internal:
	}
	r.Emergency = m.emergencyOf(row, r.Direction)
}

// emergencyOf recognizes outbound calls to emergency services: by result, by action, or by the
// called number, unless an extension was called. 933 is the test number.
func (m *mapper) emergencyOf(row *row, direction cdr.Direction) cdr.Emergency {
	if direction == cdr.Inbound {
		return cdr.NoEmergency
	}
	result := folded(row.Result)
	if result == "933" {
		return cdr.EmergencyTest
	}
	if direction == cdr.Outbound {
		from := m.countryOf(row.From.PhoneNumber)
		for _, number := range [...]string{row.To.PhoneNumber, row.To.DialedNumber} {
			if kind := m.emergency.Match(number, from); kind != cdr.NoEmergency {
				return kind
			}
		}
	}
	if result == "911" || folded(row.Action) == actionEmergency {
		return cdr.EmergencyReal
	}
	return cdr.NoEmergency
}

// money is the call's money, in components that RingCentral calls experimental. The currency is the
// source's.
func (m *mapper) money(row *row, r *cdr.Record) {
	if b := row.Billing.Included; b != nil {
		r.Charges = append(r.Charges, cdr.Charge{Component: "included", Amount: b.Money})
	}
	if b := row.Billing.Purchased; b != nil {
		r.Charges = append(r.Charges, cdr.Charge{Component: "purchased", Amount: b.Money})
	}
}

// recordings are the recordings of the row and its legs, each once.
func (m *mapper) recordings(row *row, r *cdr.Record) {
	m.recording(&row.Recording, r)
	for _, l := range row.Legs {
		m.recording(&l.Recording, r)
	}
}

// recording adds a recording unless the row already has it: rows and their legs share one.
func (m *mapper) recording(rec *linked, r *cdr.Record) {
	known := slices.ContainsFunc(r.Recordings, func(other cdr.Recording) bool { return other.ID == rec.ID })
	if rec.ID != "" && !known {
		r.Recordings = append(r.Recordings, cdr.Recording{ID: rec.ID, Type: cdr.CallType(strings.TrimSpace(rec.Type))})
	}
}
