package msgraph

import (
	"strings"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The properties of pstnCallLogRow; those from otherPartyCountryCode on are of beta.
const (
	pstnID property = iota
	pstnCallID
	pstnUserID
	pstnUserPrincipalName
	pstnUserDisplayName
	pstnStart
	pstnEnd
	pstnDuration
	pstnCharge
	pstnConnectionCharge
	pstnCurrency
	pstnCallType
	pstnCaller
	pstnCallee
	pstnConferenceID
	pstnDestinationContext
	pstnDestinationName
	pstnInventoryType
	pstnLicenseCapability
	pstnOperator
	pstnDurationSource
	pstnTenantCountry
	pstnUsageCountry
	pstnOtherPartyCountry
	pstnLocalIPv4
	pstnLocalIPv6
	pstnPublicIPv4
	pstnPublicIPv6
	pstnUnits
)

var pstnNames = []string{
	pstnID:                 "id",
	pstnCallID:             "callId",
	pstnUserID:             "userId",
	pstnUserPrincipalName:  "userPrincipalName",
	pstnUserDisplayName:    "userDisplayName",
	pstnStart:              "startDateTime",
	pstnEnd:                "endDateTime",
	pstnDuration:           "duration",
	pstnCharge:             "charge",
	pstnConnectionCharge:   "connectionCharge",
	pstnCurrency:           "currency",
	pstnCallType:           "callType",
	pstnCaller:             "callerNumber",
	pstnCallee:             "calleeNumber",
	pstnConferenceID:       "conferenceId",
	pstnDestinationContext: "destinationContext",
	pstnDestinationName:    "destinationName",
	pstnInventoryType:      "inventoryType",
	pstnLicenseCapability:  "licenseCapability",
	pstnOperator:           "operator",
	pstnDurationSource:     "callDurationSource",
	pstnTenantCountry:      "tenantCountryCode",
	pstnUsageCountry:       "usageCountryCode",
	pstnOtherPartyCountry:  "otherPartyCountryCode",
	pstnLocalIPv4:          "clientLocalIpV4Address",
	pstnLocalIPv6:          "clientLocalIpV6Address",
	pstnPublicIPv4:         "clientPublicIpV4Address",
	pstnPublicIPv6:         "clientPublicIpV6Address",
	pstnUnits:              "administrativeUnitInfos",
}

var pstnCommon = common{
	id: pstnID, callID: pstnCallID,
	userID: pstnUserID, userPrincipalName: pstnUserPrincipalName, userName: pstnUserDisplayName,
	start: pstnStart, end: pstnEnd, duration: pstnDuration,
	callType: pstnCallType, caller: pstnCaller, callee: pstnCallee, otherParty: pstnOtherPartyCountry,
}

// pstnExtras are the properties for log records only. The conference id lets people
// into meetings, so it is treated as a user's. The destination's name is no ISO code,
// and the codes of tenant and usage don't name the other party (contract 3).
var pstnExtras = []extra{
	{pstnConferenceID, cdr.User},
	{pstnDestinationContext, cdr.Plain},
	{pstnDestinationName, cdr.Plain},
	{pstnInventoryType, cdr.Plain},
	{pstnLicenseCapability, cdr.Plain},
	{pstnDurationSource, cdr.Plain},
	{pstnTenantCountry, cdr.Plain},
	{pstnUsageCountry, cdr.Plain},
	{pstnOtherPartyCountry, cdr.Plain},
	{pstnLocalIPv4, cdr.Address},
	{pstnLocalIPv6, cdr.Address},
	{pstnPublicIPv4, cdr.Address},
	{pstnPublicIPv6, cdr.Address},
}

// mapPSTN maps a pstnCallLogRow. The row has no result: connected seconds are all
// that tells an answered call (contract 3).
func mapPSTN(m *mapper, f *fields, r *cdr.Record) {
	m.begin(f, r, &pstnCommon)
	r.Outcome = cdr.NotConnected
	if r.Duration > 0 {
		r.Outcome = cdr.Answered
	}
	r.Trunk = m.labels.Own(f.text(pstnOperator))

	currency := m.currency(f, pstnCurrency)
	for _, c := range [...]struct {
		property  property
		component string
	}{{pstnCharge, "usage"}, {pstnConnectionCharge, "connection"}} {
		if amount, given := f.money(c.property); given {
			r.Charges = append(r.Charges, cdr.Charge{Component: c.component, Currency: currency, Amount: amount})
		}
	}
	m.extras(f, r, pstnExtras)
	m.units(f, r, pstnUnits)
}

// currency is an ISO 4217 code, empty if the row has none.
func (m *mapper) currency(f *fields, p property) string {
	code := f.text(p)
	switch {
	case code == "":
		return ""
	case len(code) == 3 && isLetter(code[0]) && isLetter(code[1]) && isLetter(code[2]):
		return m.labels.Own(strings.ToUpper(code))
	}
	m.isNew(f, p, code)
	return ""
}
