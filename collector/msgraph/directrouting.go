package msgraph

import (
	"strconv"
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The properties of directRoutingLogRow; those from userCountryCode on are of beta.
const (
	drID property = iota
	drCorrelationID
	drUserID
	drUserPrincipalName
	drUserDisplayName
	drInvite
	drStart
	drFailure
	drEnd
	drDuration
	drCallType
	drSuccessful
	drCaller
	drCallee
	drMediaPath
	drSignaling
	drSIPCode
	drSubReason
	drSIPPhrase
	drTrunk
	drMediaBypass
	drUserCountry
	drOtherPartyCountry
	drTransferor
	drUnits
)

var directRoutingNames = []string{
	drID:                "id",
	drCorrelationID:     "correlationId",
	drUserID:            "userId",
	drUserPrincipalName: "userPrincipalName",
	drUserDisplayName:   "userDisplayName",
	drInvite:            "inviteDateTime",
	drStart:             "startDateTime",
	drFailure:           "failureDateTime",
	drEnd:               "endDateTime",
	drDuration:          "duration",
	drCallType:          "callType",
	drSuccessful:        "successfulCall",
	drCaller:            "callerNumber",
	drCallee:            "calleeNumber",
	drMediaPath:         "mediaPathLocation",
	drSignaling:         "signalingLocation",
	drSIPCode:           "finalSipCode",
	drSubReason:         "callEndSubReason",
	drSIPPhrase:         "finalSipCodePhrase",
	drTrunk:             "trunkFullyQualifiedDomainName",
	drMediaBypass:       "mediaBypassEnabled",
	drUserCountry:       "userCountryCode",
	drOtherPartyCountry: "otherPartyCountryCode",
	drTransferor:        "transferorCorrelationId",
	drUnits:             "administrativeUnitInfos",
}

var directRoutingCommon = common{
	id: drID, callID: drCorrelationID,
	userID: drUserID, userPrincipalName: drUserPrincipalName, userName: drUserDisplayName,
	start: drStart, end: drEnd, duration: drDuration,
	callType: drCallType, caller: drCaller, callee: drCallee, otherParty: drOtherPartyCountry,
}

var directRoutingExtras = []extra{
	{drUserCountry, cdr.Plain},
	{drOtherPartyCountry, cdr.Plain},
	{drTransferor, cdr.Plain},
}

// mapDirectRouting maps a directRoutingLogRow.
func mapDirectRouting(m *mapper, f *fields, r *cdr.Record) {
	m.begin(f, r, &directRoutingCommon)
	r.Invite = m.instant(f, drInvite)
	r.SIPCode, r.SubCode = f.integer(drSIPCode), f.integer(drSubReason)
	r.ReasonPhrase = f.text(drSIPPhrase)
	successful := f.truth(drSuccessful)
	endValid := !r.End.IsZero() && !r.End.Before(r.Start)
	r.Outcome, r.Reason = cdr.DirectRoutingOutcome(successful, r.SIPCode, r.SubCode, r.Duration, endValid)
	if r.Outcome == cdr.Unknown {
		m.isNew(f, drSIPCode, codes(r))
	}
	// Outbound, the start is when the SBC's 200 OK came; inbound, when the INVITE went on.
	if r.Direction == cdr.Outbound && r.Outcome == cdr.Answered {
		r.Answer = r.Start
	}
	r.Trunk = m.labels.Own(strings.ToLower(f.text(drTrunk)))
	r.MediaBypass = f.truth(drMediaBypass)
	r.MediaLocation, r.SignalLocation = m.labels.Own(f.text(drMediaPath)), m.labels.Own(f.text(drSignaling))

	if failure := m.instant(f, drFailure); !failure.IsZero() {
		r.Extra = append(r.Extra, cdr.Text(f.properties.snake[drFailure], f.text(drFailure), cdr.Plain))
	}
	m.extras(f, r, directRoutingExtras)
	m.units(f, r, drUnits)
}

// codes are the codes that leave an outcome unknown, as SIP code and sub code.
func codes(r *cdr.Record) string {
	return code(r.SIPCode) + "/" + code(r.SubCode)
}

func code(c cdr.Int) string {
	if !c.Known {
		return "none"
	}
	return strconv.FormatInt(c.Value, 10)
}
