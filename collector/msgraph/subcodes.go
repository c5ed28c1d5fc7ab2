package msgraph

import (
	"math"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// The Microsoft documents that define sub codes.
const (
	// sourceTeams is "SIP and Microsoft response codes" with an article per SIP code.
	sourceTeams = "Microsoft Teams, SIP and Microsoft response codes"
	// sourceACS is "Troubleshooting call end response codes for PSTN calling", with the codes for
	// normal ends and the codes that a carrier sends.
	sourceACS = "Azure Communication Services, PSTN call end codes"
	// sourceScheme is the scheme of the digits: module, then SIP code.
	sourceScheme = "Microsoft, by the scheme of sub codes"
)

// subCodes are Microsoft's sub codes (callEndSubReason). Unknown leaves the outcome to the SIP code
// (docs/providers/msgraph.md). The fault domain is the side that the article's suggested actions check first.
var subCodes = []cdr.Cause{
	{Code: 0, Outcome: cdr.Unknown, Reason: "", Source: sourceACS},
	{Code: 1106, Outcome: cdr.Unknown, Reason: "no_ack", FaultDomain: cdr.FaultSBC, Source: sourceTeams},

	{Code: 10037, Outcome: cdr.NoAnswer, Reason: "no_endpoints", Source: sourceTeams},
	{Code: 10140, Outcome: cdr.Failed, Reason: "bot_settings", FaultDomain: cdr.FaultProvider, Source: sourceTeams},
	{Code: 10191, Outcome: cdr.Failed, Reason: "voicemail_disabled", FaultDomain: cdr.FaultPolicy, Source: sourceTeams},
	{Code: 10199, Outcome: cdr.NotAllowed, Reason: "private_calling_disabled", Source: sourceTeams},
	{Code: 10202, Outcome: cdr.Failed, Reason: "no_such_call", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 10320, Outcome: cdr.Failed, Reason: "bot_unreachable", FaultDomain: cdr.FaultProvider, Source: sourceTeams},
	{Code: 10321, Outcome: cdr.Unknown, Reason: "bot_busy", Source: sourceTeams},
	{Code: 10500, Outcome: cdr.NotAllowed, Reason: "location_routing", Source: sourceTeams},
	{Code: 10553, Outcome: cdr.Failed, Reason: "recorder_failed", FaultDomain: cdr.FaultProvider, Source: sourceTeams},

	{Code: 500001, Outcome: cdr.Failed, Reason: "trunk_timeout", FaultDomain: cdr.FaultSBC, Source: sourceTeams},

	{Code: 510412, Outcome: cdr.Unknown, Reason: "condition_failed", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 510482, Outcome: cdr.Unknown, Reason: "loop", FaultDomain: cdr.FaultUser, Source: sourceTeams},
	{Code: 510532, Outcome: cdr.Failed, Reason: "no_trunk_config", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 510534, Outcome: cdr.NotAllowed, Reason: "caller_blocked", Source: sourceTeams},
	{Code: 510544, Outcome: cdr.Failed, Reason: "no_trunk_config", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 510559, Outcome: cdr.Failed, Reason: "no_route", FaultDomain: cdr.FaultPolicy, Source: sourceTeams},
	{Code: 510560, Outcome: cdr.NotAllowed, Reason: "user_not_enabled", Source: sourceTeams},
	{Code: 510562, Outcome: cdr.NotAllowed, Reason: "outbound_not_allowed", Source: sourceTeams},
	{Code: 510563, Outcome: cdr.NotAllowed, Reason: "domestic_only", Source: sourceTeams},
	{
		Code: 511404, Outcome: cdr.InvalidNumber, Reason: "number_unassigned", FaultDomain: cdr.FaultSBC,
		Source: sourceTeams,
	},

	{Code: 531000, Outcome: cdr.Failed, Reason: "media_negotiation", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 531004, Outcome: cdr.Failed, Reason: "ice", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 531005, Outcome: cdr.Failed, Reason: "media_lost", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 531027, Outcome: cdr.Failed, Reason: "ice", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{Code: 531052, Outcome: cdr.Failed, Reason: "media_negotiation", FaultDomain: cdr.FaultSBC, Source: sourceTeams},

	{Code: 540000, Outcome: cdr.Unknown, Reason: "", Source: sourceACS},
	{Code: 540400, Outcome: cdr.Unknown, Reason: "bad_request", Source: sourceTeams},
	{Code: 540415, Outcome: cdr.Unknown, Reason: "media_type", Source: sourceTeams},
	{Code: 540422, Outcome: cdr.Unknown, Reason: "session_interval", Source: sourceTeams},
	{Code: 540486, Outcome: cdr.Unknown, Reason: "busy", Source: sourceACS},
	{Code: 540487, Outcome: cdr.Unknown, Reason: "cancelled", Source: sourceACS},
	{Code: 540603, Outcome: cdr.Unknown, Reason: "declined", Source: sourceScheme},

	{Code: 549002, Outcome: cdr.Failed, Reason: "trunk_unreachable", Source: sourceTeams},
	{Code: 549018, Outcome: cdr.Failed, Reason: "bad_message", Source: sourceTeams},

	{Code: 560000, Outcome: cdr.Unknown, Reason: "", Source: sourceACS},
	{Code: 560402, Outcome: cdr.Failed, Reason: "payment_required", FaultDomain: cdr.FaultCarrier, Source: sourceTeams},
	{Code: 560403, Outcome: cdr.Failed, Reason: "trunk_refused", Source: sourceTeams},
	{Code: 560404, Outcome: cdr.Unknown, Reason: "number_not_found", Source: sourceACS},
	// 560408 is no_answer with SIP code 408 only.
	{Code: 560408, Outcome: cdr.Unknown, Reason: "timeout", Source: sourceTeams},
	{Code: 560415, Outcome: cdr.Unknown, Reason: "media_type", Source: sourceTeams},
	{Code: 560420, Outcome: cdr.Unknown, Reason: "bad_extension", Source: sourceTeams},
	{Code: 560422, Outcome: cdr.Unknown, Reason: "session_interval", Source: sourceTeams},
	{Code: 560480, Outcome: cdr.Unknown, Reason: "unavailable", Source: sourceACS},
	{Code: 560484, Outcome: cdr.Unknown, Reason: "number_format", Source: sourceTeams},
	{Code: 560486, Outcome: cdr.Unknown, Reason: "busy", Source: sourceACS},
	{Code: 560487, Outcome: cdr.Unknown, Reason: "cancelled", Source: sourceACS},
	{Code: 560500, Outcome: cdr.Unknown, Reason: "trunk_error", Source: sourceTeams},
	{Code: 560503, Outcome: cdr.Unknown, Reason: "trunk_unavailable", Source: sourceTeams},
	{Code: 560600, Outcome: cdr.Unknown, Reason: "busy", Source: sourceScheme},
	{Code: 560603, Outcome: cdr.Unknown, Reason: "declined", Source: sourceACS},

	// 54 and 56 look like responses of the SBC, but x49xxx and x69xxx are Microsoft's own
	// observations of the transport.
	{Code: 569002, Outcome: cdr.Failed, Reason: "trunk_unreachable", Source: sourceTeams},
	{Code: 569003, Outcome: cdr.Failed, Reason: "tls", Source: sourceTeams},
	{Code: 569008, Outcome: cdr.Failed, Reason: "certificate_expired", Source: sourceTeams},
	{Code: 569009, Outcome: cdr.Failed, Reason: "certificate_untrusted", Source: sourceTeams},
	{Code: 569015, Outcome: cdr.Failed, Reason: "dns", Source: sourceTeams},
	{Code: 569016, Outcome: cdr.Failed, Reason: "dns", Source: sourceTeams},
	{Code: 569018, Outcome: cdr.Failed, Reason: "bad_message", Source: sourceTeams},
}

// subCodeRanges apply to sub codes without a row, and to rows without a fault domain. A range that
// lies within another comes after it. The SBC sent the final response if the sub code begins with
// 540 (inbound) or 560 (outbound); otherwise a service of Microsoft's did.
var subCodeRanges = []cdr.Cause{
	{
		Code: 1, Last: math.MaxInt32, Outcome: cdr.Unknown, Reason: "", FaultDomain: cdr.FaultProvider,
		Source: sourceTeams,
	},
	{Code: 531000, Last: 531999, Outcome: cdr.Failed, Reason: "media", FaultDomain: cdr.FaultSBC, Source: sourceScheme},
	{Code: 540000, Last: 540999, Outcome: cdr.Unknown, Reason: "", FaultDomain: cdr.FaultSBC, Source: sourceACS},
	{
		Code: 549000, Last: 549999, Outcome: cdr.Failed, Reason: "trunk_transport", FaultDomain: cdr.FaultSBC,
		Source: sourceScheme,
	},
	{Code: 560000, Last: 560999, Outcome: cdr.Unknown, Reason: "", FaultDomain: cdr.FaultSBC, Source: sourceTeams},
	{
		Code: 569000, Last: 569999, Outcome: cdr.Failed, Reason: "trunk_transport", FaultDomain: cdr.FaultSBC,
		Source: sourceScheme,
	},
}
