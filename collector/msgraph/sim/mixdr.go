package sim

import (
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// DirectRoutingMix is traffic of getDirectRoutingCalls: three SBCs, and every class of
// outcome with the codes that the contract gives it.
func DirectRoutingMix() *simulator.Mix {
	kinds := append(answeredKinds(), failedOut()...)
	kinds = append(kinds, failedIn()...)
	return &simulator.Mix{
		Name:     EndpointDirectRouting,
		Kinds:    append(kinds, oddKinds()...),
		Incident: sbcIncidents(),
		Trunks: []simulator.Trunk{
			{Weight: 5, Wire: "sbc1.example.com", Name: "sbc1.example.com", Bypass: cdr.True, Signaling: "EUNO"},
			{Weight: 3, Wire: "SBC2.Example.com", Name: "sbc2.example.com", Bypass: cdr.False, Media: "EUWE", Signaling: "EUNO"},
			{Weight: 2, Wire: "sbc.us.example.com", Name: "sbc.us.example.com", Bypass: cdr.False, Media: "USWE", Signaling: "USEA"},
		},
		Users: users(), Prefixes: places(), Own: own(), NoCurrency: "XXX",
	}
}

// byot is a kind of Direct Routing call: the type as Graph spells it and as the label
// has it, and the codes with what they mean.
func byot(weight int, wire, callType string, direction cdr.Direction, outcome cdr.Outcome, sip, sub int64, phrase string) simulator.Kind {
	return simulator.Kind{
		Weight: weight, Wire: wire, CallType: callType, Direction: direction, Outcome: outcome,
		Success: cdr.KnownBool(outcome == cdr.Answered),
		SIPCode: cdr.KnownInt(sip), SubCode: cdr.KnownInt(sub), Phrase: phrase, Ring: 60 * time.Second,
	}
}

func out(weight int, outcome cdr.Outcome, sip, sub int64, phrase string) simulator.Kind {
	return byot(weight, "ByotOut", "byot_out", cdr.Outbound, outcome, sip, sub, phrase)
}

func in(weight int, outcome cdr.Outcome, sip, sub int64, phrase string) simulator.Kind {
	return byot(weight, "ByotIn", "byot_in", cdr.Inbound, outcome, sip, sub, phrase)
}

func answeredKinds() []simulator.Kind {
	instant := out(3, cdr.Answered, 0, 560000, "BYE")
	instant.Instant = true
	noInvite := in(10, cdr.Answered, 0, 540000, "BYE")
	noInvite.NoInvite = true
	noMedia := in(20, cdr.Answered, 0, 540000, "BYE")
	noMedia.NoMedia = true
	return []simulator.Kind{
		in(260, cdr.Answered, 0, 540000, "BYE"),
		party(in(15, cdr.Answered, 0, 540000, "BYE"), simulator.Label),
		party(in(15, cdr.Answered, 0, 540000, "BYE"), simulator.Null),
		party(in(10, cdr.Answered, 0, 540000, "BYE"), simulator.Empty),
		noInvite, noMedia,
		out(230, cdr.Answered, 0, 560000, "BYE"),
		out(40, cdr.Answered, 0, 0, "Ok"),
		instant,
		app(byot(60, "ByotInUcap", "byot_in_ucap", cdr.Inbound, cdr.Answered, 0, 540000, "BYE")),
		shared(byot(30, "ByotOutUserTransfer", "byot_out_user_transfer", cdr.Outbound, cdr.Answered, 0, 560000, "BYE")),
		byot(30, "ByotOutUserForwarding", "byot_out_user_forwarding", cdr.Outbound, cdr.Answered, 0, 560000, "BYE"),
		emergency(out(2, cdr.Answered, 0, 560000, "BYE"), simulator.Dial911, cdr.EmergencyReal),
		emergency(out(2, cdr.Answered, 0, 560000, "BYE"), simulator.Dial933, cdr.EmergencyTest),
	}
}

func failedOut() []simulator.Kind {
	return []simulator.Kind{
		out(40, cdr.Busy, 486, 560486, "Busy Here"),
		out(5, cdr.Busy, 600, 560600, "Busy Everywhere"),
		out(30, cdr.NoAnswer, 480, 560480, "Temporarily Unavailable"),
		out(10, cdr.NoAnswer, 408, 0, "Request Timeout"),
		out(10, cdr.NoAnswer, 408, 560408, "Request Timeout"),
		becomes(out(40, cdr.Cancelled, 487, 560487, "Request Terminated"), out(1, cdr.Busy, 486, 560486, "Busy Here")),
		out(8, cdr.Rejected, 603, 560603, "Decline"),
		out(12, cdr.InvalidNumber, 404, 560404, "Not Found"),
		byot(4, "ByotOutUserForwarding", "byot_out_user_forwarding", cdr.Outbound, cdr.InvalidNumber, 484, 560484, "Address Incomplete"),
		out(4, cdr.NotAllowed, 403, 510560, "User is not voice enabled"),
		out(2, cdr.Failed, 403, 560403, "Forbidden"),
		out(3, cdr.Failed, 403, 510559, "No viable route"),
		out(2, cdr.Failed, 402, 560402, "Payment Required"),
		out(6, cdr.Failed, 503, 560503, "Service Unavailable"),
		out(4, cdr.Failed, 504, 569002, "Unable to connect"),
		out(2, cdr.Failed, 504, 569008, "Certificate expired"),
		out(4, cdr.Failed, 408, 500001, "No response"),
		out(2, cdr.Failed, 488, 531000, "Not Acceptable Here"),
		out(2, cdr.Failed, 500, 560500, "Server Internal Error"),
		emergency(out(1, cdr.Failed, 500, 510544, "No emergency gateways"), simulator.Dial112, cdr.EmergencyReal),
		emergency(byot(1, "ByotEmergencyOut", "byot_emergency_out", cdr.Outbound, cdr.Answered, 0, 560000, "BYE"), simulator.Dial911, cdr.EmergencyReal),
	}
}

func failedIn() []simulator.Kind {
	return []simulator.Kind{
		becomes(in(40, cdr.Cancelled, 487, 540487, "Request Terminated"), in(1, cdr.NoAnswer, 480, 10037, "No registered endpoints")),
		in(15, cdr.Busy, 486, 540486, "Busy Here"),
		in(6, cdr.Rejected, 603, 540603, "Decline"),
		in(10, cdr.NoAnswer, 480, 10037, "No registered endpoints"),
		app(in(6, cdr.InvalidNumber, 404, 511404, "Number not found")),
		in(3, cdr.NotAllowed, 403, 10199, "Private calling is off"),
		in(2, cdr.NotAllowed, 403, 540403, "Forbidden"),
		in(2, cdr.Failed, 403, 510532, "No trunk configuration"),
		app(in(2, cdr.Failed, 480, 10140, "Bot fault")),
		in(1, cdr.Failed, 400, 540400, "Bad Request"),
	}
}

// oddKinds are rows that a reader may stumble over.
func oddKinds() []simulator.Kind {
	// No flag: answered if there is a code of a normal end and a duration.
	unsaid := in(4, cdr.Answered, 0, 540000, "BYE")
	unsaid.Success = cdr.Unsaid
	unsaidFailed := out(2, cdr.Unknown, 0, 0, "")
	unsaidFailed.Success, unsaidFailed.Ring = cdr.Unsaid, 0
	noCodes := out(2, cdr.Unknown, 0, 0, "")
	noCodes.SIPCode, noCodes.SubCode = cdr.Int{}, cdr.Int{}
	return []simulator.Kind{
		unsaid, unsaidFailed, noCodes,
		out(2, cdr.Unknown, 0, 0, "Ok"),
		party(byot(3, "Hologram2Way", "hologram2_way", cdr.DirectionUnknown, cdr.Answered, 0, 540000, "BYE"), simulator.Null),
	}
}

func sbcIncidents() []simulator.Kind {
	return []simulator.Kind{
		out(3, cdr.Failed, 503, 560503, "Service Unavailable"),
		out(5, cdr.Failed, 504, 569002, "Unable to connect"),
		out(2, cdr.Failed, 408, 500001, "No response"),
		in(3, cdr.Failed, 503, 540503, "Service Unavailable"),
		in(2, cdr.Failed, 504, 549002, "Unable to connect"),
	}
}
