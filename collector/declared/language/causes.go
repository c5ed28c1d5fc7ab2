package language

import (
	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
)

// Cause is what a code says about a call that didn't connect.
type Cause struct {
	Outcome cdr.Outcome
	Reason  string
	Fault   cdr.FaultDomain
	None    bool // the leg has no outcome
}

// noCode is the problem of a text that isn't a number.
const noCode = "isn't a code"

// q850Names are the causes of ITU-T Q.850 with their names as slugs.
var q850Names = map[int]string{
	1: "unallocated_number", 2: "no_route_to_transit_network", 3: "no_route_to_destination",
	4: "send_special_information_tone", 5: "misdialled_trunk_prefix", 6: "channel_unacceptable", 7: "call_awarded",
	8: "preemption", 9: "preemption_circuit_reserved", 16: "normal_call_clearing", 17: "user_busy",
	18: "no_user_responding", 19: "no_answer_from_user", 20: "subscriber_absent", 21: "call_rejected",
	22: "number_changed", 23: "redirection_to_new_destination", 25: "exchange_routing_error",
	26: "non_selected_user_clearing", 27: "destination_out_of_order", 28: "invalid_number_format",
	29: "facility_rejected", 30: "response_to_status_enquiry", 31: "normal_unspecified", 34: "no_circuit_available",
	38: "network_out_of_order", 39: "permanent_frame_mode_out_of_service", 40: "permanent_frame_mode_operational",
	41: "temporary_failure", 42: "switching_equipment_congestion", 43: "access_information_discarded",
	44: "requested_circuit_not_available", 46: "precedence_call_blocked", 47: "resource_unavailable",
	49: "quality_of_service_unavailable", 50: "facility_not_subscribed", 52: "outgoing_calls_barred",
	53: "outgoing_calls_barred_within_cug", 54: "incoming_calls_barred", 55: "incoming_calls_barred_within_cug",
	57: "bearer_capability_not_authorized", 58: "bearer_capability_not_available",
	62: "inconsistency_in_access_information", 63: "service_not_available", 65: "bearer_capability_not_implemented",
	66: "channel_type_not_implemented", 69: "facility_not_implemented", 70: "only_restricted_digital",
	79: "service_not_implemented", 81: "invalid_call_reference", 82: "channel_does_not_exist",
	83: "suspended_call_exists", 84: "call_identity_in_use", 85: "no_call_suspended", 86: "call_has_been_cleared",
	87: "user_not_member_of_cug", 88: "incompatible_destination", 90: "non_existent_cug",
	91: "invalid_transit_network", 95: "invalid_message", 96: "mandatory_element_missing",
	97: "message_type_non_existent", 98: "message_not_compatible", 99: "element_non_existent",
	100: "invalid_element_contents", 101: "message_not_compatible_with_state", 102: "recovery_on_timer_expiry",
	103: "parameter_non_existent", 110: "unrecognized_parameter", 111: "protocol_error", 124: "conference_full",
	127: "interworking",
}

// q850Outcomes are the causes with an outcome other than failed.
var q850Outcomes = map[int]cdr.Outcome{
	17: cdr.Busy, 18: cdr.NoAnswer, 19: cdr.NoAnswer, 20: cdr.NoAnswer, 16: cdr.Cancelled, 31: cdr.Cancelled,
	21: cdr.Rejected,
	1:  cdr.InvalidNumber, 2: cdr.InvalidNumber, 3: cdr.InvalidNumber, 5: cdr.InvalidNumber, 22: cdr.InvalidNumber,
	28: cdr.InvalidNumber,
	8:  cdr.NotAllowed, 9: cdr.NotAllowed, 46: cdr.NotAllowed, 50: cdr.NotAllowed, 52: cdr.NotAllowed,
	53: cdr.NotAllowed, 54: cdr.NotAllowed, 55: cdr.NotAllowed, 57: cdr.NotAllowed, 62: cdr.NotAllowed,
	87: cdr.NotAllowed, 122: cdr.NotAllowed, 124: cdr.NotAllowed,
}

// q850 reads the low byte of an integer, signed or not, because Cisco puts the cause there. 0 gives
// none.
func q850(text string) (c Cause, known bool, problem string) {
	n, is := Integer(text, 64)
	if !is {
		return c, false, noCode
	}
	code := int(uint8(n)) //nolint:gosec // the low byte is intended
	if code == 0 {
		return c, false, ""
	}
	c = Cause{Outcome: q850Outcomes[code], Reason: q850Names[code]}
	if c.Outcome == cdr.Unknown {
		c.Outcome = cdr.Failed
	}
	c.Fault = faultOf(c.Outcome)
	return c, true, ""
}

// sipNames are the reason phrases of RFC 3261 and of codes that were registered later, as slugs.
var sipNames = map[int]string{
	400: "bad_request", 401: "unauthorized", 402: "payment_required", 403: "forbidden", 404: "not_found",
	405: "method_not_allowed", 406: "not_acceptable", 407: "proxy_authentication_required", 408: "request_timeout",
	410: "gone", 412: "conditional_request_failed", 413: "request_entity_too_large", 414: "request_uri_too_long",
	415: "unsupported_media_type", 416: "unsupported_uri_scheme", 417: "unknown_resource_priority",
	420: "bad_extension", 421: "extension_required", 422: "session_interval_too_small", 423: "interval_too_brief",
	424: "bad_location_information", 428: "use_identity_header", 429: "provide_referrer_identity", 430: "flow_failed",
	433: "anonymity_disallowed", 436: "bad_identity_info", 437: "unsupported_credential",
	438: "invalid_identity_header", 439: "first_hop_lacks_outbound_support", 440: "max_breadth_exceeded",
	469: "bad_info_package", 470: "consent_needed", 480: "temporarily_unavailable",
	481: "call_transaction_does_not_exist", 482: "loop_detected", 483: "too_many_hops", 484: "address_incomplete",
	485: "ambiguous", 486: "busy_here", 487: "request_terminated", 488: "not_acceptable_here", 489: "bad_event",
	491: "request_pending", 493: "undecipherable", 494: "security_agreement_required", 500: "server_internal_error",
	501: "not_implemented", 502: "bad_gateway", 503: "service_unavailable", 504: "server_time_out",
	505: "version_not_supported", 513: "message_too_large", 555: "push_notification_service_not_supported",
	580: "precondition_failure", 600: "busy_everywhere", 603: "decline", 604: "does_not_exist_anywhere",
	606: "not_acceptable", 607: "unwanted", 608: "rejected",
}

// sip reads a final SIP code (RFC 3261). 1xx and 3xx don't say how a call ended.
func sip(text string) (c Cause, known bool, problem string) {
	code, is := Integer(text, 64)
	if !is || code < 0 {
		return c, false, noCode
	}
	switch c.Outcome = cdr.SIPCause(code).Outcome; {
	case code/100 == 2:
		return Cause{Outcome: cdr.Answered}, true, ""
	case code == 408: // without a sub code that says more
		c.Outcome = cdr.NoAnswer
	case c.Outcome == cdr.Unknown:
		return c, false, ""
	}
	c.Reason, c.Fault = sipNames[int(code)], faultOf(c.Outcome)
	return c, true, ""
}

// faultOf is the fault domain of a code's cause.
func faultOf(o cdr.Outcome) cdr.FaultDomain {
	if o == cdr.Failed {
		return cdr.FaultCarrier
	}
	return o.FaultDomain()
}
