package sim

import (
	"fmt"
	"time"

	"github.com/cdr-exporter/cdr-exporter/internal/cdr"
	"github.com/cdr-exporter/cdr-exporter/internal/simulator"
)

// The families of PSTN trunks.
const (
	callingPlan = iota
	operatorConnect
)

// PSTNMix is traffic of getPstnCalls. A row says nothing of why a call didn't connect: above zero seconds is answered, else it is not_connected. The
// trunk is the operator.
func PSTNMix() *simulator.Mix {
	return &simulator.Mix{
		Name:     EndpointPSTN,
		Kinds:    append(callingPlanKinds(), otherPSTNKinds()...),
		Incident: pstnIncidents(),
		Trunks: []simulator.Trunk{
			{Weight: 1, Family: callingPlan, Wire: "Microsoft", Name: "Microsoft"},
			{Weight: 3, Family: operatorConnect, Wire: "Example Telecom", Name: "Example Telecom"},
			{Weight: 1, Family: operatorConnect, Wire: "Muster Netz", Name: "Muster Netz"},
		},
		Users: users(), Prefixes: places(), Own: own(),
		Tariffs: []simulator.Tariff{
			{Weight: 60, Currency: "USD", PerMinute: 130, Connection: simulator.Cents(1)},
			{Weight: 30, Currency: "EUR", PerMinute: 245},
			{Weight: 8, Currency: "GBP", PerMinute: 1001, Connection: simulator.Cents(5)},
			{Weight: 2, Currency: "", PerMinute: 7},
		},
		NoCurrency: "XXX",
	}
}

// pstnKinds completes kinds of PSTN calls: those without an outcome were answered.
func pstnKinds(kinds []simulator.Kind) []simulator.Kind {
	for i := range kinds {
		k := &kinds[i]
		k.CallType, k.NoMedia, k.NoInvite, k.Outcome = k.Wire, true, true, max(k.Outcome, cdr.Answered)
	}
	return kinds
}

func callingPlanKinds() []simulator.Kind {
	answered := pstnKinds([]simulator.Kind{{Weight: 250, Wire: "user_out", Direction: cdr.Outbound, Priced: true}})
	return pstnKinds([]simulator.Kind{
		{Weight: 220, Wire: "user_in", Direction: cdr.Inbound, Free: true},
		{Weight: 60, Wire: "user_in", Direction: cdr.Inbound, Free: true, Outcome: cdr.NotConnected},
		{Weight: 10, Wire: "user_in", Direction: cdr.Inbound, Free: true, Party: simulator.Label},
		{Weight: 10, Wire: "user_in", Direction: cdr.Inbound, Free: true, Party: simulator.Empty},
		{Weight: 10, Wire: "user_in", Direction: cdr.Inbound, Free: true, Party: simulator.Null},
		answered[0],
		{Weight: 70, Wire: "user_out", Direction: cdr.Outbound, Priced: true, Outcome: cdr.NotConnected, Becomes: &answered[0]},
		{Weight: 20, Wire: "user_out_conf", Direction: cdr.Outbound, Priced: true},
		{Weight: 20, Wire: "user_out_transfer", Direction: cdr.Outbound, Priced: true, SharesCall: true},
		{Weight: 20, Wire: "user_out_forwarding", Direction: cdr.Outbound, Priced: true},
		{Weight: 40, Wire: "conf_in", Direction: cdr.Inbound, Free: true},
		{Weight: 20, Wire: "conf_out", Direction: cdr.Outbound, Priced: true, SharesCall: true},
		{Weight: 60, Wire: "ucap_in", Direction: cdr.Inbound, Free: true, NoUser: true},
		{Weight: 10, Wire: "ucap_out", Direction: cdr.Outbound, Priced: true, NoUser: true},
		{Weight: 8, Wire: "unassigned_in", Direction: cdr.Inbound, Free: true, NoUser: true, Outcome: cdr.NotConnected},
		{Weight: 2, Wire: "user_out", Direction: cdr.Outbound, Free: true, Party: simulator.Dial911, Emergency: cdr.EmergencyReal},
		{Weight: 2, Wire: "user_out", Direction: cdr.Outbound, Free: true, Party: simulator.Dial933, Emergency: cdr.EmergencyTest},
		{Weight: 1, Wire: "user_out", Direction: cdr.Outbound, Free: true, Party: simulator.Dial112, Emergency: cdr.EmergencyReal, Outcome: cdr.NotConnected},
	})
}

func otherPSTNKinds() []simulator.Kind {
	return pstnKinds([]simulator.Kind{
		{Weight: 80, Wire: "oc_user_in", Direction: cdr.Inbound, Family: operatorConnect},
		{Weight: 20, Wire: "oc_user_in", Direction: cdr.Inbound, Family: operatorConnect, Outcome: cdr.NotConnected},
		{Weight: 80, Wire: "oc_user_out", Direction: cdr.Outbound, Family: operatorConnect},
		{Weight: 20, Wire: "oc_user_out", Direction: cdr.Outbound, Family: operatorConnect, Outcome: cdr.NotConnected},
		{Weight: 20, Wire: "oc_ucap_in", Direction: cdr.Inbound, Family: operatorConnect, NoUser: true},
		// A type that nobody knows has no direction.
		{Weight: 3, Wire: "hologram_in2", Direction: cdr.DirectionUnknown, Party: simulator.Null},
	})
}

func pstnIncidents() []simulator.Kind {
	return pstnKinds([]simulator.Kind{
		{Weight: 1, Wire: "user_out", Direction: cdr.Outbound, Priced: true, Outcome: cdr.NotConnected},
		{Weight: 1, Wire: "user_in", Direction: cdr.Inbound, Free: true, Outcome: cdr.NotConnected},
		{Weight: 1, Wire: "oc_user_out", Direction: cdr.Outbound, Family: operatorConnect, Outcome: cdr.NotConnected},
		{Weight: 1, Wire: "oc_user_in", Direction: cdr.Inbound, Family: operatorConnect, Outcome: cdr.NotConnected},
	})
}

func party(k simulator.Kind, p simulator.Party) simulator.Kind {
	k.Party = p
	return k
}

func app(k simulator.Kind) simulator.Kind {
	k.NoUser = true
	return k
}

func emergency(k simulator.Kind, p simulator.Party, e cdr.Emergency) simulator.Kind {
	k.Party, k.Emergency = p, e
	return k
}

// DirectRoutingMix is traffic of getDirectRoutingCalls: three SBCs, and every class of outcome with the codes that the contract gives it.
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

// byot is a kind of Direct Routing call: the type as Graph spells it and as the label has it, and the codes with what they mean.
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
	transfer := byot(30, "ByotOutUserTransfer", "byot_out_user_transfer", cdr.Outbound, cdr.Answered, 0, 560000, "BYE")
	transfer.SharesCall = true
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
		transfer,
		byot(30, "ByotOutUserForwarding", "byot_out_user_forwarding", cdr.Outbound, cdr.Answered, 0, 560000, "BYE"),
		emergency(out(2, cdr.Answered, 0, 560000, "BYE"), simulator.Dial911, cdr.EmergencyReal),
		emergency(out(2, cdr.Answered, 0, 560000, "BYE"), simulator.Dial933, cdr.EmergencyTest),
	}
}

func failedOut() []simulator.Kind {
	cancelled, busy := out(40, cdr.Cancelled, 487, 560487, "Request Terminated"), out(1, cdr.Busy, 486, 560486, "Busy Here")
	cancelled.Becomes = &busy
	return []simulator.Kind{
		out(40, cdr.Busy, 486, 560486, "Busy Here"),
		out(5, cdr.Busy, 600, 560600, "Busy Everywhere"),
		out(30, cdr.NoAnswer, 480, 560480, "Temporarily Unavailable"),
		out(10, cdr.NoAnswer, 408, 0, "Request Timeout"),
		out(10, cdr.NoAnswer, 408, 560408, "Request Timeout"),
		cancelled,
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
	cancelled, unanswered := in(40, cdr.Cancelled, 487, 540487, "Request Terminated"), in(1, cdr.NoAnswer, 480, 10037, "No registered endpoints")
	cancelled.Becomes = &unanswered
	return []simulator.Kind{
		cancelled,
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

// places are ranges that regulators set aside for drama: North America's 555-0100 to 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's (0)30 23125
// xxx, ARCEP's 01 99 00 xx xx, PTS's 08-465 004 xx. +800 is shared by countries.
func places() []simulator.Prefix {
	return []simulator.Prefix{
		{Weight: 30, Digits: "+142555501", Random: 2, Country: "US", Place: "United States"},
		{Weight: 15, Digits: "+121255501", Random: 2, Country: "US", Place: "United States"},
		{Weight: 6, Digits: "+161355501", Random: 2, Country: "CA", Place: "Canada"},
		{Weight: 2, Digits: "+187655501", Random: 2, Country: "JM", Place: "Jamaica"},
		{Weight: 15, Digits: "+442079460", Random: 3, Country: "GB", Place: "United Kingdom"},
		{Weight: 15, Digits: "+493023125", Random: 3, Country: "DE", Place: "Germany"},
		{Weight: 8, Digits: "+3319900", Random: 4, Country: "FR", Place: "France"},
		{Weight: 4, Digits: "+468465004", Random: 2, Country: "SE", Place: "Sweden"},
		{Weight: 1, Digits: "+8000000", Random: 4, Country: "001", Place: "International"},
	}
}

// own is where the tenant's own numbers come from.
func own() simulator.Prefix {
	return simulator.Prefix{Digits: "+120655501", Random: 2, Country: "US", Place: "United States"}
}

// users are the tenant's users.
func users() []simulator.User {
	first := []string{"Alex", "Robin", "Kim", "Sam", "Jo", "Chris", "Toni", "Dana"}
	last := []string{"Example", "Sample", "Muster", "Placeholder", "Specimen"}
	var list []simulator.User
	for i, f := range first {
		for j, l := range last {
			list = append(list, simulator.User{
				ID:        fmt.Sprintf("5a5a0000-0000-4000-8000-%012d", 100*i+j),
				Principal: fmt.Sprintf("%s.%s@contoso.example", f, l),
				Name:      f + " " + l,
			})
		}
	}
	return list
}
