package otlp

import (
	"cmp"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/core/counting"
)

// appendAttributes appends the attributes that docs/otlp.md lists, without empty ones. It adds
// cdr.invite_time, cdr.emergency (`real`, `test`), cdr.fault_domain and, under the provider,
// user_principal_name, a name that no provider's own field has.
func appendAttributes(b []byte, r *cdr.Record, event *counting.Event) []byte {
	switch {
	case event.Session != nil:
		return appendSession(b, r, event)
	case event.Visit != nil:
		return appendVisit(b, r, event)
	}
	b = appendIdentity(b, r, event, event.Leg)
	b = appendPairs(b, "cdr.direction", r.Direction.String(), "cdr.call_type", r.CallType, "cdr.outcome",
		r.Outcome.String())
	b = appendTime(b, common("cdr.invite_time"), r.Invite)
	b = appendTime(b, common("cdr.start_time"), r.Start)
	b = appendTime(b, common("cdr.answer_time"), r.Answer)
	b = appendTime(b, common("cdr.end_time"), r.End)
	if !r.NoDuration {
		b = appendDouble(b, common("cdr.duration"), r.Duration.Seconds())
	}
	b = appendPairs(b, "cdr.trunk", r.Trunk, "cdr.country", r.Country, "cdr.emergency", emergencyTexts[r.Emergency])
	b = appendPairs(b, "cdr.caller.number", r.CallerNumber, "cdr.callee.number", r.CalleeNumber)
	b = appendUser(b, event.Provider, r.UserID, r.UserName, r.UserPrincipal)
	if r.SIPCode.Known {
		b = appendInt(b, common("cdr.sip_code"), r.SIPCode.Value)
	}
	if r.SubCode.Known {
		b = appendInt(b, common("cdr.sub_code"), r.SubCode.Value)
	}
	b = appendPairs(b, "cdr.reason", r.Reason, "cdr.reason_phrase", r.ReasonPhrase)
	if !r.Outcome.Connected() {
		b = appendText(b, common("cdr.fault_domain"), r.Fault().String())
	}
	b = appendCharges(b, r, event.Provider)
	if r.MediaBypass.Known() {
		b = appendBool(b, common("cdr.media_bypass"), r.MediaBypass == cdr.True)
	}
	b = appendPairs(b, "cdr.media_location", r.MediaLocation, "cdr.signaling_location", r.SignalLocation)
	b = appendRecordings(b, r.Recordings)
	if event.Name == counting.EventLeg {
		// never empty: queries for calls exclude legs by it
		b = appendPairs(b, "cdr.leg.id", cmp.Or(event.Leg, event.RecordID))
	} else if len(r.Legs) > 0 {
		b = appendInt(b, common("cdr.legs"), int64(len(r.Legs)))
	}
	for name, value := range r.Labels.All() {
		b = appendText(b, key{name: "cdr.label." + name}, value)
	}
	return appendExtra(b, event.Provider, r.Extra)
}

// appendIdentity appends which record it is, and of which call. part is the id of the session or
// visit, if the record is for one, else empty.
func appendIdentity(b []byte, r *cdr.Record, event *counting.Event, part string) []byte {
	uid := event.UID(part)
	b = appendBytes(b, common("log.record.uid"), uid[:])
	b = appendPairs(b, "cdr.record.id", event.RecordID)
	b = appendInt(b, common("cdr.record.version"), event.Version)
	b = appendTexts(b, common("cdr.changed"), event.Changed)
	return appendPairs(b, "cdr.call.id", r.CallID, "cdr.source", event.Source, "cdr.provider", event.Provider,
		"cdr.feed", event.Feed)
}

var emergencyTexts = map[cdr.Emergency]string{cdr.NoEmergency: "", cdr.EmergencyReal: "real", cdr.EmergencyTest: "test"}

func appendUser(b []byte, provider, id, name, principal string) []byte {
	b = appendPairs(b, "cdr.user.id", id, "cdr.user.name", name)
	return appendText(b, key{provider, "user_principal_name"}, principal)
}

// appendRecordings appends the id as a string, or a list if a call has several.
func appendRecordings(b []byte, recordings []cdr.Recording) []byte {
	k := common("cdr.recording.id")
	if len(recordings) == 1 {
		return appendText(b, k, recordings[0].ID)
	}
	ids := make([]string, len(recordings))
	for i := range recordings {
		ids[i] = recordings[i].ID
	}
	return appendTexts(b, k, ids)
}

// appendExtra appends the provider's own fields.
func appendExtra(b []byte, provider string, all []cdr.Attr) []byte {
	for i := range all {
		a := &all[i]
		k := key{provider, a.Key}
		switch a.Type {
		case cdr.StringAttr:
			b = appendText(b, k, a.Str)
		case cdr.IntAttr:
			b = appendInt(b, k, a.Int)
		case cdr.BoolAttr:
			b = appendBool(b, k, a.Int != 0)
		case cdr.StringsAttr:
			b = appendTexts(b, k, a.Strs)
		}
	}
	return b
}

// appendSession appends the attributes that docs/otlp.md lists for a session. Its stage and media stand under
// the provider.
func appendSession(b []byte, r *cdr.Record, event *counting.Event) []byte {
	s := event.Session
	b = appendIdentity(b, r, event, s.ID)
	b = appendPairs(b, "cdr.session.id", s.ID, "cdr.session.result", s.Result.String())
	b = appendTime(b, common("cdr.start_time"), s.Start)
	b = appendTime(b, common("cdr.end_time"), s.End)
	if cmp.Or(s.Direction, r.Direction) == cdr.Inbound {
		b = appendPairs(b, "cdr.caller.number", s.Number)
	} else {
		b = appendPairs(b, "cdr.callee.number", s.Number)
	}
	b = appendUser(b, event.Provider, s.UserID, s.UserName, s.UserPrincipal)
	b = appendText(b, common("cdr.reason"), s.Reason)
	b = appendText(b, key{event.Provider, "stage"}, s.Stage)
	b = appendText(b, key{event.Provider, "media"}, s.Media)
	b = appendStreams(b, s.Streams)
	return appendExtra(b, event.Provider, s.Extra)
}

// appendCharges appends cdr.charge, the same as a number, and cdr.currency. The charge is the
// `usage` component; without one it is the sum of all if they share a currency, else the first. The
// other components follow as cdr.<provider>.<component>_charge.
func appendCharges(b []byte, r *cdr.Record, provider string) []byte {
	if len(r.Charges) == 0 {
		return b
	}
	amount, currency, shown := mainCharge(r.Charges)
	b = appendMoney(b, common("cdr.charge"), &amount)
	b = appendDouble(b, common("cdr.charge_amount"), amount.Float())
	b = appendText(b, common("cdr.currency"), currency)
	for i := range r.Charges {
		if c := &r.Charges[i]; i != shown {
			name := c.Component + "_charge"
			if isRepeated(r.Charges, i) { // legs were charged in several currencies
				name += "_" + strings.ToLower(c.Currency)
			}
			b = appendMoney(b, key{provider, name}, &c.Amount)
		}
	}
	return b
}

// isRepeated says whether another charge has the component of one.
func isRepeated(charges []cdr.Charge, one int) bool {
	for i := range charges {
		if i != one && charges[i].Component == charges[one].Component {
			return true
		}
	}
	return false
}

// mainCharge is the amount of cdr.charge, its currency, and the index of its component, -1 for a
// sum of several.
func mainCharge(charges []cdr.Charge) (amount cdr.Money, currency string, shown int) {
	for i := range charges {
		if charges[i].Component == "usage" {
			return charges[i].Amount, charges[i].Currency, i
		}
	}
	amount, currency = charges[0].Amount, charges[0].Currency
	for i := 1; i < len(charges); i++ {
		if charges[i].Currency != currency {
			return charges[0].Amount, currency, 0
		}
		amount, shown = amount.Add(&charges[i].Amount), -1
	}
	return amount, currency, shown
}

func appendMoney(b []byte, k key, amount *cdr.Money) []byte {
	var buf [64]byte
	return appendBytes(b, k, amount.Append(buf[:0]))
}
