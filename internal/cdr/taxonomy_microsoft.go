package cdr

import "math"

// The documents of Microsoft's that define sub codes.
const (
	// sourceTeams is "SIP and Microsoft response codes" with an article per SIP code.
	sourceTeams = "Microsoft Teams, SIP and Microsoft response codes"
	// sourceACS is "Troubleshooting call end response codes for PSTN calling",
	// which has the normal ends and the codes that a carrier sends.
	sourceACS = "Azure Communication Services, PSTN call end codes"
	// sourceScheme is how the digits are composed: module, then SIP code.
	sourceScheme = "Microsoft, by the scheme of sub codes"
)

// microsoftCauses are Microsoft's sub codes (callEndSubReason), by code. Unknown leaves the outcome to the SIP code (contract 3).
// A fault domain is where the article's suggested actions begin.
var microsoftCauses = []Cause{
	{Code: 0, Outcome: Unknown, Reason: "", Source: sourceACS},
	{Code: 1106, Outcome: Unknown, Reason: "no_ack", FaultDomain: FaultSBC, Source: sourceTeams},

	{Code: 10037, Outcome: NoAnswer, Reason: "no_endpoints", Source: sourceTeams},
	{Code: 10140, Outcome: Failed, Reason: "bot_settings", FaultDomain: FaultProvider, Source: sourceTeams},
	{Code: 10191, Outcome: Failed, Reason: "voicemail_disabled", FaultDomain: FaultPolicy, Source: sourceTeams},
	{Code: 10199, Outcome: NotAllowed, Reason: "private_calling_disabled", Source: sourceTeams},
	{Code: 10202, Outcome: Failed, Reason: "no_such_call", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 10320, Outcome: Failed, Reason: "bot_unreachable", FaultDomain: FaultProvider, Source: sourceTeams},
	{Code: 10321, Outcome: Unknown, Reason: "bot_busy", Source: sourceTeams},
	{Code: 10500, Outcome: NotAllowed, Reason: "location_routing", Source: sourceTeams},
	{Code: 10553, Outcome: Failed, Reason: "recorder_failed", FaultDomain: FaultProvider, Source: sourceTeams},

	{Code: 500001, Outcome: Failed, Reason: "trunk_timeout", FaultDomain: FaultSBC, Source: sourceTeams},

	{Code: 510412, Outcome: Unknown, Reason: "condition_failed", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 510482, Outcome: Unknown, Reason: "loop", FaultDomain: FaultUser, Source: sourceTeams},
	{Code: 510532, Outcome: Failed, Reason: "no_trunk_config", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 510534, Outcome: NotAllowed, Reason: "caller_blocked", Source: sourceTeams},
	{Code: 510544, Outcome: Failed, Reason: "no_trunk_config", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 510559, Outcome: Failed, Reason: "no_route", FaultDomain: FaultPolicy, Source: sourceTeams},
	{Code: 510560, Outcome: NotAllowed, Reason: "user_not_enabled", Source: sourceTeams},
	{Code: 510562, Outcome: NotAllowed, Reason: "outbound_not_allowed", Source: sourceTeams},
	{Code: 510563, Outcome: NotAllowed, Reason: "domestic_only", Source: sourceTeams},
	{Code: 511404, Outcome: InvalidNumber, Reason: "number_unassigned", FaultDomain: FaultSBC, Source: sourceTeams},

	{Code: 531000, Outcome: Failed, Reason: "media_negotiation", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 531004, Outcome: Failed, Reason: "ice", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 531005, Outcome: Failed, Reason: "media_lost", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 531027, Outcome: Failed, Reason: "ice", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 531052, Outcome: Failed, Reason: "media_negotiation", FaultDomain: FaultSBC, Source: sourceTeams},

	{Code: 540000, Outcome: Unknown, Reason: "", Source: sourceACS},
	{Code: 540400, Outcome: Unknown, Reason: "bad_request", Source: sourceTeams},
	{Code: 540415, Outcome: Unknown, Reason: "media_type", Source: sourceTeams},
	{Code: 540422, Outcome: Unknown, Reason: "session_interval", Source: sourceTeams},
	{Code: 540486, Outcome: Unknown, Reason: "busy", Source: sourceACS},
	{Code: 540487, Outcome: Unknown, Reason: "cancelled", Source: sourceACS},
	{Code: 540603, Outcome: Unknown, Reason: "declined", Source: sourceScheme},

	{Code: 549002, Outcome: Failed, Reason: "trunk_unreachable", Source: sourceTeams},
	{Code: 549018, Outcome: Failed, Reason: "bad_message", Source: sourceTeams},

	{Code: 560000, Outcome: Unknown, Reason: "", Source: sourceACS},
	{Code: 560402, Outcome: Failed, Reason: "payment_required", FaultDomain: FaultCarrier, Source: sourceTeams},
	{Code: 560403, Outcome: Failed, Reason: "trunk_refused", Source: sourceTeams},
	{Code: 560404, Outcome: Unknown, Reason: "number_not_found", Source: sourceACS},
	// 560408 is no_answer beside SIP code 408 only.
	{Code: 560408, Outcome: Unknown, Reason: "timeout", Source: sourceTeams},
	{Code: 560415, Outcome: Unknown, Reason: "media_type", Source: sourceTeams},
	{Code: 560420, Outcome: Unknown, Reason: "bad_extension", Source: sourceTeams},
	{Code: 560422, Outcome: Unknown, Reason: "session_interval", Source: sourceTeams},
	{Code: 560480, Outcome: Unknown, Reason: "unavailable", Source: sourceACS},
	{Code: 560484, Outcome: Unknown, Reason: "number_format", Source: sourceTeams},
	{Code: 560486, Outcome: Unknown, Reason: "busy", Source: sourceACS},
	{Code: 560487, Outcome: Unknown, Reason: "cancelled", Source: sourceACS},
	{Code: 560500, Outcome: Unknown, Reason: "trunk_error", Source: sourceTeams},
	{Code: 560503, Outcome: Unknown, Reason: "trunk_unavailable", Source: sourceTeams},
	{Code: 560600, Outcome: Unknown, Reason: "busy", Source: sourceScheme},
	{Code: 560603, Outcome: Unknown, Reason: "declined", Source: sourceACS},

	// 54 and 56 look like answers of the SBC, but x49xxx and x69xxx are what Microsoft saw of the transport.
	{Code: 569002, Outcome: Failed, Reason: "trunk_unreachable", Source: sourceTeams},
	{Code: 569003, Outcome: Failed, Reason: "tls", Source: sourceTeams},
	{Code: 569008, Outcome: Failed, Reason: "certificate_expired", Source: sourceTeams},
	{Code: 569009, Outcome: Failed, Reason: "certificate_untrusted", Source: sourceTeams},
	{Code: 569015, Outcome: Failed, Reason: "dns", Source: sourceTeams},
	{Code: 569016, Outcome: Failed, Reason: "dns", Source: sourceTeams},
	{Code: 569018, Outcome: Failed, Reason: "bad_message", Source: sourceTeams},
}

// microsoftRanges apply to sub codes without a row of their own, and to those whose row says nothing of the fault domain. A range within
// another comes after it.
// A final response is the SBC's if its sub code begins with 540 (inbound) or 560 (outbound), else that of a service of Microsoft's.
var microsoftRanges = []Cause{
	{Code: 1, Last: math.MaxInt32, Outcome: Unknown, Reason: "", FaultDomain: FaultProvider, Source: sourceTeams},
	{Code: 531000, Last: 531999, Outcome: Failed, Reason: "media", FaultDomain: FaultSBC, Source: sourceScheme},
	{Code: 540000, Last: 540999, Outcome: Unknown, Reason: "", FaultDomain: FaultSBC, Source: sourceACS},
	{Code: 549000, Last: 549999, Outcome: Failed, Reason: "trunk_transport", FaultDomain: FaultSBC, Source: sourceScheme},
	{Code: 560000, Last: 560999, Outcome: Unknown, Reason: "", FaultDomain: FaultSBC, Source: sourceTeams},
	{Code: 569000, Last: 569999, Outcome: Failed, Reason: "trunk_transport", FaultDomain: FaultSBC, Source: sourceScheme},
}
