package otlp

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/ledger"
)

// appendAttributes appends what contract 4 lists, without what wasn't given.
// Beside it come cdr.invite_time, cdr.emergency (`real`, `test`) and, under the
// provider, user_principal_name.
func appendAttributes(b []byte, r *cdr.Record, event *ledger.RecordEvent) []byte {
	b = appendIdentity(b, r, event, "")
	b = appendCall(b, r)
	b = appendParties(b, r, event.Provider)
	b = appendFailure(b, r)
	b = appendCharges(b, r, event.Provider)
	b = appendMedia(b, r)
	for i := range r.Extra {
		b = appendExtra(b, event.Provider, &r.Extra[i])
	}
	return b
}

// appendIdentity appends which record it is, and of which call. session is its id if the
// record is one's, else empty.
func appendIdentity(b []byte, r *cdr.Record, event *ledger.RecordEvent, session string) []byte {
	uid := event.UID(session)
	b = appendBytes(b, common("log.record.uid"), uid[:])
	b = appendText(b, common("cdr.record.id"), event.RecordID)
	b = appendInt(b, common("cdr.record.version"), event.Version)
	b = appendTexts(b, common("cdr.changed"), event.Changed)
	b = appendText(b, common("cdr.call.id"), r.CallID)
	b = appendText(b, common("cdr.source"), event.Source)
	b = appendText(b, common("cdr.provider"), event.Provider)
	return appendText(b, common("cdr.feed"), event.Feed)
}

func appendCall(b []byte, r *cdr.Record) []byte {
	b = appendText(b, common("cdr.direction"), r.Direction.String())
	b = appendText(b, common("cdr.call_type"), r.CallType)
	b = appendText(b, common("cdr.outcome"), r.Outcome.String())
	b = appendTime(b, common("cdr.invite_time"), r.Invite)
	b = appendTime(b, common("cdr.start_time"), r.Start)
	b = appendTime(b, common("cdr.answer_time"), r.Answer)
	b = appendTime(b, common("cdr.end_time"), r.End)
	b = appendDouble(b, common("cdr.duration"), r.Duration.Seconds())
	b = appendText(b, common("cdr.trunk"), r.Trunk)
	b = appendText(b, common("cdr.country"), r.Country)
	switch r.Emergency {
	case cdr.EmergencyReal:
		b = appendText(b, common("cdr.emergency"), "real")
	case cdr.EmergencyTest:
		b = appendText(b, common("cdr.emergency"), "test")
	case cdr.NoEmergency:
	}
	return b
}

func appendParties(b []byte, r *cdr.Record, provider string) []byte {
	b = appendText(b, common("cdr.caller.number"), r.CallerNumber)
	b = appendText(b, common("cdr.callee.number"), r.CalleeNumber)
	return appendUser(b, provider, r.UserID, r.UserName, r.UserPrincipal, r.Extra)
}

func appendUser(b []byte, provider, id, name, principal string, extra []cdr.Attr) []byte {
	b = appendText(b, common("cdr.user.id"), id)
	b = appendText(b, common("cdr.user.name"), name)
	return appendOwn(b, key{provider, "user_principal_name"}, principal, extra)
}

// appendOwn appends a text under a name of the provider's, unless its own fields bring
// that name.
func appendOwn(b []byte, k key, value string, extra []cdr.Attr) []byte {
	if hasExtra(extra, k.name) {
		return b
	}
	return appendText(b, k, value)
}

func appendFailure(b []byte, r *cdr.Record) []byte {
	b = appendKnownInt(b, common("cdr.sip_code"), r.SIPCode)
	b = appendKnownInt(b, common("cdr.sub_code"), r.SubCode)
	b = appendText(b, common("cdr.reason"), r.Reason)
	return appendText(b, common("cdr.reason_phrase"), r.ReasonPhrase)
}

func appendMedia(b []byte, r *cdr.Record) []byte {
	if r.MediaBypass.Known() {
		b = appendTruth(b, common("cdr.media_bypass"), r.MediaBypass == cdr.True)
	}
	b = appendText(b, common("cdr.media_location"), r.MediaLocation)
	b = appendText(b, common("cdr.signaling_location"), r.SignalLocation)
	b = appendRecordings(b, r.Recordings)
	if len(r.Legs) > 0 {
		b = appendInt(b, common("cdr.legs"), int64(len(r.Legs)))
	}
	return b
}

// appendRecordings appends the id as a string, or a list where a call has several.
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

// appendExtra appends one of the provider's own fields.
func appendExtra(b []byte, provider string, a *cdr.Attr) []byte {
	k := key{provider, a.Key}
	switch a.Type {
	case cdr.StringAttr:
		return appendText(b, k, a.Str)
	case cdr.IntAttr:
		return appendInt(b, k, a.Int)
	case cdr.BoolAttr:
		return appendTruth(b, k, a.Int != 0)
	case cdr.StringsAttr:
		return appendTexts(b, k, a.Strs)
	}
	return b
}
