package sim

import (
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
