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

// PSTNMix is traffic of getPstnCalls. A row says nothing of why a call didn't
// connect: above zero seconds is answered, else it is not_connected. The trunk is
// the operator.
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

// pstn is a kind of call that was answered.
func pstn(weight int, wire string, direction cdr.Direction) simulator.Kind {
	return simulator.Kind{
		Weight: weight, Wire: wire, CallType: wire, Direction: direction, Outcome: cdr.Answered,
		NoMedia: true, NoInvite: true,
	}
}

func missed(k simulator.Kind) simulator.Kind {
	k.Outcome = cdr.NotConnected
	return k
}

func free(k simulator.Kind) simulator.Kind {
	k.Free = true
	return k
}

func priced(k simulator.Kind) simulator.Kind {
	k.Priced = true
	return k
}

func party(k simulator.Kind, p simulator.Party) simulator.Kind {
	k.Party = p
	return k
}

func app(k simulator.Kind) simulator.Kind {
	k.NoUser = true
	return k
}

func shared(k simulator.Kind) simulator.Kind {
	k.SharesCall = true
	return k
}

func family(k simulator.Kind, n int) simulator.Kind {
	k.Family = n
	return k
}

func emergency(k simulator.Kind, p simulator.Party, e cdr.Emergency) simulator.Kind {
	k.Party, k.Emergency = p, e
	return k
}

// becomes is a kind whose outcome the provider corrects to another's.
func becomes(k, later simulator.Kind) simulator.Kind {
	k.Becomes = &later
	return k
}

func callingPlanKinds() []simulator.Kind {
	answered := priced(pstn(250, "user_out", cdr.Outbound))
	return []simulator.Kind{
		free(pstn(220, "user_in", cdr.Inbound)),
		free(missed(pstn(60, "user_in", cdr.Inbound))),
		party(free(pstn(10, "user_in", cdr.Inbound)), simulator.Label),
		party(free(pstn(10, "user_in", cdr.Inbound)), simulator.Empty),
		party(free(pstn(10, "user_in", cdr.Inbound)), simulator.Null),
		answered,
		becomes(missed(priced(pstn(70, "user_out", cdr.Outbound))), answered),
		priced(pstn(20, "user_out_conf", cdr.Outbound)),
		shared(priced(pstn(20, "user_out_transfer", cdr.Outbound))),
		priced(pstn(20, "user_out_forwarding", cdr.Outbound)),
		free(pstn(40, "conf_in", cdr.Inbound)),
		shared(priced(pstn(20, "conf_out", cdr.Outbound))),
		app(free(pstn(60, "ucap_in", cdr.Inbound))),
		app(priced(pstn(10, "ucap_out", cdr.Outbound))),
		app(free(missed(pstn(8, "unassigned_in", cdr.Inbound)))),
		emergency(free(pstn(2, "user_out", cdr.Outbound)), simulator.Dial911, cdr.EmergencyReal),
		emergency(free(pstn(2, "user_out", cdr.Outbound)), simulator.Dial933, cdr.EmergencyTest),
		emergency(missed(free(pstn(1, "user_out", cdr.Outbound))), simulator.Dial112, cdr.EmergencyReal),
	}
}

func otherPSTNKinds() []simulator.Kind {
	return []simulator.Kind{
		family(pstn(80, "oc_user_in", cdr.Inbound), operatorConnect),
		family(missed(pstn(20, "oc_user_in", cdr.Inbound)), operatorConnect),
		family(pstn(80, "oc_user_out", cdr.Outbound), operatorConnect),
		family(missed(pstn(20, "oc_user_out", cdr.Outbound)), operatorConnect),
		family(app(pstn(20, "oc_ucap_in", cdr.Inbound)), operatorConnect),
		// A type that nobody knows has no direction.
		party(pstn(3, "hologram_in2", cdr.DirectionUnknown), simulator.Null),
	}
}

func pstnIncidents() []simulator.Kind {
	return []simulator.Kind{
		missed(priced(pstn(1, "user_out", cdr.Outbound))),
		missed(free(pstn(1, "user_in", cdr.Inbound))),
		family(missed(pstn(1, "oc_user_out", cdr.Outbound)), operatorConnect),
		family(missed(pstn(1, "oc_user_in", cdr.Inbound)), operatorConnect),
	}
}

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

// places are ranges that regulators set aside for drama: North America's
// 555-0100 to 0199, Ofcom's 020 7946 0xxx, the Bundesnetzagentur's
// (0)30 23125 xxx, ARCEP's 01 99 00 xx xx, PTS's 08-465 004 xx. +800 is shared
// by countries.
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
